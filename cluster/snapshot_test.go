package cluster_test

import (
	"fmt"
	"slices"
	"testing"

	"castaway/cluster"
	"castaway/raft"
)

// TestC24_AMemberThatMissedWhatIsCompactedCatchesUpBySnapshot: while it is away, the
// others let go of the log that it lacks. It is sent a snapshot, ends in their state,
// and finds it again when it is started once more.
func TestC24_AMemberThatMissedWhatIsCompactedCatchesUpBySnapshot(t *testing.T) {
	configs := plan(t, 3)
	var nodes []*cluster.Node
	for i := range configs {
		configs[i].SnapshotEntries, configs[i].TrailingEntries = 10, 0
		nodes = append(nodes, start(t, configs[i]))
	}
	put(t, connect(t, nodes...), "before", "the absence")
	away := (leaderOf(t, nodes) + 1) % len(nodes)
	_, seen := logOf(t, nodes[away])
	stop(t, nodes[away])

	others := slices.Delete(slices.Clone(nodes), away, away+1)
	c := connect(t, others...)
	for i := range 50 {
		put(t, c, fmt.Sprint("key/", i%7), fmt.Sprint("value ", i))
	}
	await(t, "the others to let go of the log that is missing", func() bool {
		return !slices.ContainsFunc(others, func(n *cluster.Node) bool {
			first, _ := logOf(t, n)
			return first <= seen+1
		})
	})

	for again := range 2 {
		nodes[away] = start(t, configs[away])
		await(t, "the three to agree on the state", func() bool { return agree(t, nodes) })
		if first, _ := logOf(t, nodes[away]); first <= seen+1 {
			t.Errorf("its log starts at %d, as if it had been sent all entries after %d", first, seen)
		}
		wantValue(t, connect(t, nodes[away]), "key/0", "value 49")
		if came := nodes[away].Report(t.Context()).Snapshots.Received; again == 0 && (came.Done == 0 || came.Bytes == 0) {
			t.Errorf("of the snapshot it says in its report: %+v", came)
		}
		stop(t, nodes[away])
	}
}

// logOf is the first and the last entry of a node's log.
func logOf(t *testing.T, n *cluster.Node) (first, last raft.Index) {
	t.Helper()
	s, err := n.Group().Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s.Raft.First, s.Raft.Last.Index
}
