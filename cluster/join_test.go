package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"castaway/cluster"
	"castaway/cluster/client"
	"castaway/cluster/config"
	"castaway/persistence"
)

// joiner is the configuration of a node that is added to a running cluster.
func joiner(t *testing.T, id uint64, peer string, through *cluster.Node) config.Config {
	t.Helper()
	c := config.Default()
	c.ID, c.Name, c.Join = id, fmt.Sprintf("node-%d", id), through.ClientAddress()
	c.DataDir = filepath.Join(t.TempDir(), c.Name)
	c.ListenPeer, c.AdvertisePeer = peer, peer
	c.ListenClient, c.AdvertiseClient, c.ListenHTTP = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	c.Peers = []config.Peer{{ID: id, Address: peer}}
	c.TickInterval = 4 * time.Millisecond
	return c
}

// known is three nodes that know each other's client addresses.
func known(t *testing.T) ([]config.Config, []*cluster.Node) {
	t.Helper()
	configs := plan(t, 3)
	clients, err := cluster.FreeAddresses(3)
	if err != nil {
		t.Fatal(err)
	}
	for i := range configs {
		configs[0].Peers[i].Client = clients[i] // all share one list
		configs[i].ListenClient, configs[i].AdvertiseClient = clients[i], clients[i]
	}
	var nodes []*cluster.Node
	for _, c := range configs {
		nodes = append(nodes, start(t, c))
	}
	return configs, nodes
}

// add adds a member and starts it; it returns when it has a vote.
func add(t *testing.T, c *client.Client, through *cluster.Node) *cluster.Node {
	t.Helper()
	n, _ := addConfigured(t, c, through)
	return n
}

func addConfigured(t *testing.T, c *client.Client, through *cluster.Node) (*cluster.Node, config.Config) {
	t.Helper()
	free, err := cluster.FreeAddresses(2)
	if err != nil {
		t.Fatal(err)
	}
	m, err := c.MemberAdd(t.Context(), client.NewMember{Peer: free[0], Clients: free[1:]})
	if err != nil {
		t.Fatal(err)
	}
	if !m.Member.IsLearner || !m.Member.Promoting {
		t.Errorf("the new member is %+v; it must be a learner that is to be promoted", m.Member)
	}
	cfg := joiner(t, m.Member.ID, free[0], through)
	cfg.ListenClient, cfg.AdvertiseClient = free[1], free[1]
	n := start(t, cfg)
	awaitVote(t, c, m.Member.ID)
	return n, cfg
}

func awaitVote(t *testing.T, c *client.Client, id uint64) {
	t.Helper()
	await(t, fmt.Sprintf("the vote of member %d", id), func() bool {
		list, err := c.MemberList(t.Context())
		if err != nil {
			return false
		}
		for _, m := range list {
			if m.ID == id {
				return !m.IsLearner
			}
		}
		return false
	})
}

// endsRemoved waits until the node has ended, since it is no member any more, and shows
// that a later start on its directory says the same.
func endsRemoved(t *testing.T, n *cluster.Node, c config.Config) {
	t.Helper()
	select {
	case <-n.Done():
	case <-time.After(bound):
		t.Fatalf("node %d does not end", n.ID())
	}
	if err := n.Err(); !errors.Is(err, cluster.ErrRemoved) || cluster.ExitCode(err) != cluster.ExitRemoved {
		t.Errorf("it ended with %v (exit code %d)", err, cluster.ExitCode(err))
	}
	_, err := cluster.Start(t.Context(), cluster.Config{Config: c, Logger: testLogger(t)})
	if !errors.Is(err, cluster.ErrRemoved) || !strings.Contains(err.Error(), "member add") {
		t.Errorf("a start on its directory says %v", err)
	}
}

// C19, C20: three nodes are replaced by three others, one after the other, the leader
// included, while a client writes; nothing is lost, and each that was removed says so.
func TestC20_AllNodesAreReplacedUnderLoad(t *testing.T) {
	configs, nodes := known(t)
	var all []*cluster.Node
	all = append(all, nodes...)
	writer := connect(t, nodes...)
	ctx, stopWriting := context.WithCancel(t.Context())
	written := make(chan int)
	go func() {
		count := 0
		for ctx.Err() == nil {
			if _, err := writer.Put(ctx, fmt.Sprintf("key-%d", count), []byte("v"), client.RetryIndeterminate()); err == nil {
				count++
			}
		}
		written <- count
	}()
	for i, old := range nodes {
		c := connect(t, all[i:]...)
		n := add(t, c, all[len(all)-1])
		all = append(all, n)
		c = connect(t, all[i+1:]...)
		if _, err := c.MemberRemove(t.Context(), old.ID(), 0); err != nil {
			t.Fatal(err)
		}
		endsRemoved(t, old, configs[i])
	}
	stopWriting()
	count := <-written
	c := connect(t, all[3:]...)
	r, err := c.Get(t.Context(), "key-", client.Prefix(), client.CountOnly())
	if err != nil || r.Count < int64(count) || count == 0 {
		t.Errorf("%d keys are there (%v), %d were acknowledged", r.Count, err, count)
	}
	members, err := c.MemberList(t.Context())
	if err != nil || len(members) != 3 || members[0].ID != 4 {
		t.Errorf("the members are %+v (%v)", members, err)
	}
}

// C12: a member that has a vote and lost its disk is refused, with what to do instead;
// so is an id that is no member's, and one at another address.
func TestC12_AWipedDiskUnderAnOldIdIsRefused(t *testing.T) {
	_, nodes := known(t)
	c := connect(t, nodes...)
	n, cfg := addConfigured(t, c, nodes[0])
	stop(t, n)
	again := start(t, cfg) // with its disk, it needs nobody's word
	stop(t, again)
	if err := os.RemoveAll(cfg.DataDir); err != nil {
		t.Fatal(err)
	}
	refused := func(what string, c config.Config, is error, says string) {
		t.Helper()
		_, err := cluster.Start(t.Context(), cluster.Config{Config: c, Logger: testLogger(t)})
		if !errors.Is(err, is) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: got %v", what, err)
		}
	}
	refused("a wiped disk", cfg, persistence.ErrMismatch, "member replace 4")
	other := joiner(t, 9, "127.0.0.1:19", nodes[0])
	refused("no member", other, config.ErrInvalid, "member add")
	moved := cfg
	moved.AdvertisePeer, moved.Peers = "127.0.0.1:19", []config.Peer{{ID: 4, Address: "127.0.0.1:19"}}
	refused("another address", moved, config.ErrInvalid, "member update 4")
}

// C14: leadership moves through any member's door, and a node that stops hands it over.
func TestC14_LeadershipIsMovedThroughAnyDoor(t *testing.T) {
	_, nodes := known(t)
	put(t, connect(t, nodes...), "k", "v")
	leader := leaderOf(t, nodes)
	follower := nodes[(leader+1)%3]
	if err := connect(t, follower).MoveLeader(t.Context(), follower.ID()); err != nil {
		t.Fatal(err)
	}
	if now := nodes[leaderOf(t, nodes)]; now.ID() != follower.ID() {
		t.Errorf("node %d leads, want %d", now.ID(), follower.ID())
	}
	wantValue(t, connect(t, nodes...), "k", "v")
}
