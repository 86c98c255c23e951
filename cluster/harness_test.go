package cluster_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"go.uber.org/goleak"

	"castaway/cluster"
	"castaway/cluster/client"
	"castaway/cluster/config"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// bound is how long anything may take here: many election timeouts.
const bound = 30 * time.Second

// plan makes the configurations of a cluster on loopback with quick timers.
func plan(t *testing.T, size int) []config.Config {
	t.Helper()
	peers, err := cluster.FreeAddresses(size)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var list []config.Peer
	for i, address := range peers {
		list = append(list, config.Peer{ID: uint64(i + 1), Address: address})
	}
	configs := make([]config.Config, size)
	for i := range configs {
		c := config.Default()
		c.ID, c.Name, c.Peers = uint64(i+1), "node-"+strconv.Itoa(i+1), list
		c.DataDir = filepath.Join(dir, c.Name)
		c.ListenPeer, c.AdvertisePeer = peers[i], peers[i]
		c.ListenClient, c.AdvertiseClient, c.ListenHTTP = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
		c.TickInterval = 4 * time.Millisecond
		configs[i] = c
	}
	return configs
}

// start starts a node, and stops it with the test unless it has ended before.
func start(t *testing.T, c config.Config) *cluster.Node {
	t.Helper()
	n, err := cluster.Start(t.Context(), cluster.Config{Config: c, Logger: testLogger(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Stop(context.Background()) })
	return n
}

func stop(t *testing.T, n *cluster.Node) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), bound)
	defer cancel()
	if err := n.Stop(ctx); err != nil {
		t.Fatal(err)
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

func put(t *testing.T, c *client.Client, key, value string) {
	t.Helper()
	if _, err := c.Put(t.Context(), key, []byte(value)); err != nil {
		t.Fatal(err)
	}
}

func wantValue(t *testing.T, c *client.Client, key, want string) {
	t.Helper()
	r, err := c.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.KVs) != 1 || string(r.KVs[0].Value) != want {
		t.Fatalf("%s reads as %+v, want %q", key, r.KVs, want)
	}
}

// testLogger logs to the test, which shows them when it fails.
func testLogger(t *testing.T) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelInfo}))
}
