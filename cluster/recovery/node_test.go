package recovery_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"castaway/cluster"
	"castaway/cluster/client"
	"castaway/cluster/config"
	"castaway/cluster/member"
	"castaway/cluster/recovery"
)

// bound is how long anything may take here: many election timeouts.
const bound = 30 * time.Second

// founders are the configurations of three servers on loopback.
func founders(t *testing.T) []config.Config {
	t.Helper()
	peers, err := cluster.FreeAddresses(3)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	configs := make([]config.Config, len(peers))
	for i := range configs {
		c := quick(uint64(i+1), peers[i], filepath.Join(dir, fmt.Sprint(i+1)))
		c.Peers = nil
		for j, address := range peers {
			c.Peers = append(c.Peers, config.Peer{ID: uint64(j + 1), Address: address})
		}
		configs[i] = c
	}
	return configs
}

// quick is the configuration of a node on loopback with quick timers, alone unless its
// directory says otherwise.
func quick(id uint64, peer, dir string) config.Config {
	c := config.Default()
	c.ID, c.Name, c.DataDir = id, fmt.Sprintf("node-%d", id), dir
	c.ListenPeer, c.AdvertisePeer = peer, peer
	c.ListenClient, c.AdvertiseClient, c.ListenHTTP = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	c.Peers = []config.Peer{{ID: id, Address: peer}}
	c.TickInterval = 4 * time.Millisecond
	c.SnapshotEntries, c.TrailingEntries = 10, 2
	return c
}

func run(t *testing.T, c config.Config) *cluster.Node {
	t.Helper()
	n, err := cluster.Start(t.Context(), cluster.Config{Config: c, Logger: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, n) })
	return n
}

func stop(t *testing.T, n *cluster.Node) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), bound)
	defer cancel()
	if err := n.Stop(ctx); err != nil {
		t.Error(err)
	}
}

func connect(t *testing.T, nodes ...*cluster.Node) *client.Client {
	t.Helper()
	var endpoints []string
	for _, n := range nodes {
		endpoints = append(endpoints, n.ClientAddress())
	}
	c, err := client.New(client.Options{Endpoints: endpoints, RequestTimeout: bound})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// await looks at nodes until it is so, a bounded number of times.
func await(t *testing.T, what string, so func() bool) {
	t.Helper()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	deadline := time.After(bound)
	for !so() {
		select {
		case <-ticker.C:
		case <-deadline:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// TestC42_TheOldClusterAndTheRecoveredOneRefuseEachOther: of three servers one is left.
// It goes on alone with all that was acknowledged; an old server that comes back where
// the new one listens now changes nothing there, and learns nothing.
func TestC42_TheOldClusterAndTheRecoveredOneRefuseEachOther(t *testing.T) {
	configs := founders(t)
	var nodes []*cluster.Node
	for _, c := range configs {
		nodes = append(nodes, run(t, c))
	}
	c := connect(t, nodes...)
	const keys = 40
	for i := range keys {
		if _, err := c.Put(t.Context(), fmt.Sprintf("key/%d", i), fmt.Appendf(nil, "%d", i)); err != nil {
			t.Fatal(err)
		}
	}
	r, err := c.Get(t.Context(), "key/", client.Prefix(), client.KeysOnly())
	if err != nil || r.Count != keys {
		t.Fatalf("%+v, %v", r, err)
	}
	await(t, "the survivor to be level", func() bool {
		s, err := applied(nodes[1])
		return err == nil && s >= uint64(r.Header.Revision)-1
	})
	for _, n := range nodes {
		stop(t, n)
	}

	to := filepath.Join(t.TempDir(), "new")
	if _, err := recovery.Recover(recovery.Options{
		From: configs[1].DataDir, To: to, ID: 4, Member: member.Info{Peer: configs[1].AdvertisePeer}, Logger: slog.New(slog.DiscardHandler),
	}); err != nil {
		t.Fatal(err)
	}
	n := run(t, quick(4, configs[1].AdvertisePeer, to))
	c = connect(t, n)
	for i := range keys {
		r, err := c.Get(t.Context(), fmt.Sprintf("key/%d", i))
		if err != nil || len(r.KVs) != 1 || string(r.KVs[0].Value) != fmt.Sprint(i) {
			t.Fatalf("key %d reads %+v, %v", i, r, err)
		}
	}
	if _, err := c.Put(t.Context(), "after", []byte("the disaster")); err != nil {
		t.Fatal(err)
	}

	term := n.Report(t.Context()).Term
	old := run(t, configs[2])
	await(t, "the new member to refuse what the old one says", func() bool {
		return dropped(t, n, "another cluster")+dropped(t, n, "unknown address") > 0
	})
	if now := n.Report(t.Context()); now.Term != term || now.Role != "leader" {
		t.Errorf("the new member is %s in term %d, after it led term %d", now.Role, now.Term, term)
	}
	if _, err := c.Put(t.Context(), "after", []byte("the old one came back")); err != nil {
		t.Fatal(err)
	}
	found, err := connect(t, old).Get(t.Context(), "after", client.Serializable())
	if err != nil || len(found.KVs) != 0 {
		t.Errorf("the old server reads %+v, %v", found, err)
	}
}

// applied is how many entries a node has applied, besides its leaders' first ones.
func applied(n *cluster.Node) (uint64, error) {
	s, err := n.Group().Status(context.Background())
	return uint64(s.Applied), err
}

// dropped counts what a node did not let in for some reason.
func dropped(t *testing.T, n *cluster.Node, reason string) uint64 {
	var count uint64
	for why, n := range n.Report(t.Context()).Dropped {
		if strings.Contains(why, reason) {
			count += n
		}
	}
	return count
}
