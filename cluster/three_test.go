package cluster_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"castaway/cluster"
	"castaway/cluster/client"
	"castaway/cluster/config"
)

// three starts a cluster of three that talk over real sockets.
func three(t *testing.T) ([]config.Config, []*cluster.Node) {
	t.Helper()
	configs := plan(t, 3)
	var nodes []*cluster.Node
	for _, c := range configs {
		nodes = append(nodes, start(t, c))
	}
	t.Cleanup(func() { // before the nodes stop
		if t.Failed() {
			for _, n := range nodes {
				report, _ := json.MarshalIndent(n.Report(context.Background()), "", " ")
				t.Logf("node %d at the end: %s", n.ID(), report)
			}
		}
	})
	return configs, nodes
}

func TestThreeNodesOutliveTheirLeaderAndAgreeWhenItIsBack(t *testing.T) {
	configs, nodes := three(t)
	put(t, connect(t, nodes...), "before", "the loss")

	lost := leaderOf(t, nodes)
	stop(t, nodes[lost])
	others := append(append([]*cluster.Node{}, nodes[:lost]...), nodes[lost+1:]...)
	c := connect(t, others...)
	// Who passed the write on to the leader just when it stopped cannot know what
	// became of it; doing it twice does no harm.
	if _, err := c.Put(t.Context(), "after", []byte("the loss"), client.RetryIndeterminate()); err != nil {
		t.Fatal(err)
	}
	wantValue(t, c, "before", "the loss")

	nodes[lost] = start(t, configs[lost])
	await(t, "the three to agree on the state", func() bool { return agree(t, nodes) })
	r, err := connect(t, nodes[lost]).Get(t.Context(), "after", client.Serializable())
	if err != nil || len(r.KVs) != 1 || string(r.KVs[0].Value) != "the loss" {
		t.Errorf("the node that was away reads %+v (%v)", r, err)
	}
}

func TestANodeWithoutAMajoritySaysThatItIsNotReady(t *testing.T) {
	_, nodes := three(t)
	put(t, connect(t, nodes...), "greeting", "ahoy")
	stop(t, nodes[0])
	stop(t, nodes[1])
	await(t, "the last node to notice", func() bool {
		code, body := fetch(t, nodes[2], "/readyz")
		return code == http.StatusServiceUnavailable && strings.Contains(body, "[-]leader failed: no leader is known")
	})
	if r := nodes[2].Report(t.Context()); r.WaitingFor == "" {
		t.Errorf("the status does not say what it waits for: %+v", r)
	}
	if code, _ := fetch(t, nodes[2], "/livez"); code != http.StatusOK {
		t.Errorf("it is alive nevertheless: livez is %d", code)
	}
}

func TestAllThreeDownAndUpAgainKeepWhatWasAcknowledged(t *testing.T) {
	configs, nodes := three(t)
	put(t, connect(t, nodes...), "greeting", "ahoy")
	for _, n := range nodes {
		stop(t, n)
	}
	for i, c := range configs {
		nodes[i] = start(t, c)
	}
	wantValue(t, connect(t, nodes...), "greeting", "ahoy")
}

// leaderOf is the place of the node that all others follow.
func leaderOf(t *testing.T, nodes []*cluster.Node) int {
	t.Helper()
	leader := -1
	await(t, "a leader that all know", func() bool {
		known := map[uint64]bool{}
		for i, n := range nodes {
			r := n.Report(t.Context())
			known[r.Leader] = true
			if r.Role == "leader" {
				leader = i
			}
		}
		return leader >= 0 && len(known) == 1 && known[nodes[leader].ID()]
	})
	return leader
}

// agree says whether all nodes have the same state at the same index.
func agree(t *testing.T, nodes []*cluster.Node) bool {
	t.Helper()
	first := nodes[0].Report(t.Context())
	for _, n := range nodes[1:] {
		if r := n.Report(t.Context()); r.HashApplied != first.HashApplied || r.StateHash != first.StateHash || r.Leader == 0 {
			return false
		}
	}
	return true
}

// await looks until it is so; a node's state can only be asked for.
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
