package cluster

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"castaway/actors"
	"castaway/cluster/config"
	"castaway/cluster/httpapi"
	"castaway/cluster/remoting"
	"castaway/raft"
)

// leastPatience bounds from below how long the remoting waits for a peer, however
// quick the node's timers are.
const leastPatience = 250 * time.Millisecond

func (n *Node) startWire() (stopFunc, error) {
	cfg, err := wireConfig(n.origin, &n.cfg.Config)
	if err != nil {
		return nil, err
	}
	cfg.Logger = n.cfg.Logger
	wire, err := remoting.Start(n.system, cfg)
	switch {
	case errors.Is(err, remoting.ErrListen):
		return nil, fmt.Errorf("%w (listen-peer): %w", ErrListen, err)
	case errors.Is(err, remoting.ErrConfig), errors.Is(err, remoting.ErrInsecure):
		return nil, fmt.Errorf("%w: %w", config.ErrInvalid, err)
	case err != nil:
		return nil, err
	}
	n.wire = wire
	return wire.Stop, nil
}

// wireConfig translates the configuration's keys.
func wireConfig(m Membership, c *config.Config) (remoting.Config, error) {
	w := remoting.DefaultConfig()
	w.ClusterID, w.ID = m.Cluster, raft.NodeID(c.ID)
	w.Peers = map[raft.NodeID]string{}
	for _, k := range m.Members {
		if k.Peer != c.AdvertisePeer { // whose it was before, if it is not ours
			w.Peers[raft.NodeID(k.ID)] = k.Peer
		}
	}
	w.Peers[w.ID] = c.AdvertisePeer
	w.Listen = c.ListenPeer
	w.InsecureNetwork = c.InsecureNetwork
	if c.PeerTLS() {
		w.TLS = &remoting.TLS{CertFile: c.PeerTLSCert, KeyFile: c.PeerTLSKey, CAFile: c.PeerTLSCA}
	}
	w.Limits.SendTimeout = max(c.ElectionTimeout(), leastPatience)
	w.Limits.MaxAge = w.Limits.SendTimeout
	if strings.HasSuffix(c.AdvertisePeer, ":0") {
		// Only a node without others may leave its port to the system; nobody will
		// ever come to it.
		free, err := FreeAddresses(1)
		if err != nil {
			return w, err
		}
		w.Peers[w.ID], w.Listen = free[0], free[0]
	}
	return w, nil
}

// reportWire adds what the transport and the remoting know.
func (n *Node) reportWire(r *httpapi.Report) {
	gates, connections := n.host.TransportStats(), n.wire.Stats()
	r.Peers = []httpapi.Peer{}
	for _, g := range gates.Peers {
		p := httpapi.Peer{
			ID: uint64(g.ID), Gate: string(g.State),
			Sent: g.Sent, Lost: g.Lost, Probes: g.Probes, Flaps: g.Flaps, Resets: g.Resets, Arrived: g.Arrived,
		}
		for _, c := range connections.Peers {
			if c.ID == g.ID {
				p.Address = c.Address
				p.Stale, p.BytesOut, p.BytesIn = c.Stale, c.BytesOut, c.BytesIn
				p.ConnectFailures, p.LastConnectFailure = c.ConnectFailures, c.LastConnectFailure
			}
		}
		r.Peers = append(r.Peers, p)
	}
	r.Received = gates.Received
	r.Dropped = map[string]uint64{}
	reportDropped(r, "", gates.Dropped, connections.Dropped)
	if n.bulk != nil {
		reportDropped(r, "second ", n.host.BulkStats().Dropped, n.bulk.Stats().Dropped)
	}
}

// reportDropped adds what a network's transport and remoting refused.
func reportDropped(r *httpapi.Report, which string, gates []actors.DroppedCount, connections []remoting.Dropped) {
	for _, d := range gates {
		r.Dropped[which+"transport: "+d.Reason] = d.Count
	}
	for _, d := range connections {
		r.Dropped[which+"remoting: "+d.Reason] = d.Count
	}
}
