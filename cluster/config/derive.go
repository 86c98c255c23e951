package config

import "fmt"

// What a node uses when neither its own key nor its entry in peers says otherwise.
const (
	defaultPeerAddress   = "127.0.0.1:2380"
	defaultClientAddress = "127.0.0.1:2379"
)

// derive fills what follows from other keys, and notes that it did.
func derive(c *Config, origins map[string]Origin) {
	fill := func(key string, field *string, value, from string) {
		if *field == "" && value != "" {
			*field = value
			origins[key] = Origin{FromDerived, "from " + from}
		}
	}
	fill("name", &c.Name, fmt.Sprintf("node-%d", c.ID), "id")
	self, listed := c.Peer(c.ID)
	if listed {
		fill("listen-peer", &c.ListenPeer, self.Address, "peers")
		fill("advertise-peer", &c.AdvertisePeer, self.Address, "peers")
		fill("listen-client", &c.ListenClient, self.Client, "peers")
		fill("advertise-client", &c.AdvertiseClient, self.Client, "peers")
	}
	if c.ListenPeer == "" {
		c.ListenPeer = defaultPeerAddress
	}
	if c.ListenClient == "" {
		c.ListenClient = defaultClientAddress
	}
	fill("advertise-peer", &c.AdvertisePeer, c.ListenPeer, "listen-peer")
	fill("advertise-client", &c.AdvertiseClient, c.ListenClient, "listen-client")
	if len(c.Peers) == 0 {
		c.Peers = []Peer{{ID: c.ID, Address: c.AdvertisePeer, Client: c.AdvertiseClient}}
		origins["peers"] = Origin{FromDerived, "from id and advertise-peer"}
	}
}
