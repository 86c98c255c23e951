package remoting

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"

	"castaway/raft"
)

func TestAConfigurationThatCannotBeIsRefusedByName(t *testing.T) {
	three := func() map[raft.NodeID]string {
		return map[raft.NodeID]string{1: "10.0.0.1:2380", 2: "10.0.0.2:2380", 3: "[fd00::3]:2380"}
	}
	for _, c := range []struct {
		name  string
		spoil func(*Config)
		is    error
		says  []string
	}{
		{"no id", func(c *Config) { c.ID = 0 }, ErrConfig, []string{"ID"}},
		{"not among its peers", func(c *Config) { c.ID = 9 }, ErrConfig, []string{"Peers", "this node, 9"}},
		{"another name of its own", func(c *Config) { c.Advertise = "node1.example:2380" }, ErrConfig,
			[]string{"Advertise is node1.example:2380", "advertise 10.0.0.1:2380", "every node's list of peers"}},
		{"one address for two", func(c *Config) { c.Peers[2] = c.Peers[1] }, ErrConfig, []string{"each node needs its own"}},
		{"no port", func(c *Config) { c.Peers[2] = "10.0.0.2" }, ErrConfig, []string{"Peers[2]", "host:port"}},
		{"a name for a port", func(c *Config) { c.Peers[2] = "10.0.0.2:http" }, ErrConfig, []string{"Peers[2]", "port"}},
		{"a wildcard to be reached", func(c *Config) { c.Peers[1] = "0.0.0.0:2380" }, ErrConfig, []string{"Peers[1]", "belongs in Listen"}},
		{"plaintext on the network", func(c *Config) { c.InsecureNetwork = false }, ErrInsecure,
			[]string{"Listen is 10.0.0.1:2380", "act as any node", "TLS", "InsecureNetwork"}},
		{"plaintext on every interface", func(c *Config) { c.InsecureNetwork, c.Listen = false, "0.0.0.0:2380" }, ErrInsecure, []string{"0.0.0.0"}},
		{"a limit of zero", func(c *Config) { c.Limits.MaxAge = 0 }, ErrConfig, []string{"Limits.MaxAge"}},
		{"a batch without end", func(c *Config) { c.Limits.BatchMessages = 1 << 20 }, ErrConfig, []string{"Limits.BatchMessages"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := DefaultConfig()
			cfg.ID, cfg.Peers, cfg.InsecureNetwork = 1, three(), true
			c.spoil(&cfg)
			_, err := Start(quietSystem(), cfg)
			if !errors.Is(err, c.is) {
				t.Fatalf("the error is %v, want %v", err, c.is)
			}
			for _, words := range c.says {
				if !strings.Contains(err.Error(), words) {
					t.Errorf("the error does not say %q: %v", words, err)
				}
			}
		})
	}
}

func TestPlaintextOnLoopbackNeedsNoPermission(t *testing.T) {
	for _, listen := range []string{"127.0.0.1:2380", "[::1]:2380", "localhost:2380", "127.8.8.8:1"} {
		c := DefaultConfig()
		c.ID, c.Peers = 1, map[raft.NodeID]string{1: listen}
		if err := c.complete(); err != nil {
			t.Error(err)
		}
	}
}

func TestAnAddressInUseIsAnError(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c := DefaultConfig()
	c.ID, c.Peers = 1, map[raft.NodeID]string{1: l.Addr().String()}
	if _, err := Start(quietSystem(), c); !errors.Is(err, ErrListen) || !strings.Contains(err.Error(), l.Addr().String()) {
		t.Errorf("the error is %v, want ErrListen with the address", err)
	}
}

// Stop returns in time with peers that are down, that stall, and that talk.
func TestStopIsBounded(t *testing.T) {
	peers := freeAddresses(t, 1, 2, 3, 4)
	behind := peers[4]
	delete(peers, 4)
	newNode(t, 2, peers, func(c *Config) { c.Listen = behind })
	p := newProxy(t, peers[2], behind)
	a := newNode(t, 1, peers, nil) // node 3 is not there
	a.awaitUp(2, true)
	p.stall()
	for i := range uint64(400) {
		a.remoting.Send(2, bulk(1, 2, i, 64<<10))
	}
	a.stop() // fails the test if it does not end
	if err := a.remoting.Stop(context.Background()); err != nil {
		t.Errorf("stopping again: %v", err)
	}
	a.remoting.Send(2, heartbeat(1, 2, 1)) // after the end: lost, and no panic
	a.remoting.Reset(2)
}
