package actors

import (
	"context"
	"testing"
)

// The least limits that are accepted let every batch through: what counts in the
// inbox counts as much in the core, so that no batch waits for room for ever.
func TestTheLeastLimitsTakeEveryBatch(t *testing.T) {
	c := newCluster(t, 1, func(_ *HostConfig, g *GroupConfig) {
		l := &g.Limits
		l.MaxEntryBytes = 4 << 10
		for l.MaxUncommittedBytes = 1; g.Limits.validate() != nil; l.MaxUncommittedBytes++ {
			if l.MaxUncommittedBytes < l.MaxBatchBytes {
				l.MaxUncommittedBytes = l.MaxBatchBytes
			}
		}
	})
	n := c.leader()
	commands := make([][]byte, 2*n.group.cfg.Limits.MaxBatchCommands)
	for i := range commands {
		commands[i] = make([]byte, 256)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*c.timeout())
	defer cancel()
	for i, o := range n.group.ProposeBatch(ctx, commands) {
		if o.Err != nil {
			t.Fatalf("command %d: %v", i, o.Err)
		}
	}
}

// The largest command still finds room where the least of it is allowed.
func TestTheLargestCommandFitsTheLeastQueue(t *testing.T) {
	c := newCluster(t, 1, func(_ *HostConfig, g *GroupConfig) {
		l := &g.Limits
		l.MaxEntryBytes = 4 << 10
		l.MaxQueuedBytes = l.MaxEntryBytes
		for g.Limits.validate() != nil {
			l.MaxQueuedBytes++
		}
	})
	n := c.leader()
	if _, err := n.group.Propose(t.Context(), make([]byte, 4<<10)); err != nil {
		t.Error(err)
	}
}
