package raft

import "testing"

// newTestCore makes a voter of the given configuration whose timeouts are fixed:
// the higher its id, the longer.
func newTestCore(t testing.TB, id NodeID, voters ...NodeID) *Core {
	t.Helper()
	c, err := New(Config{
		ID: id, Incarnation: 1,
		ElectionTicks: 10, HeartbeatTicks: 2, PreVote: true, CheckQuorum: true,
		MaxMessageBytes: 64 << 10, MaxInflightMessages: 64, MaxInflightBytes: 4 << 20,
		MaxUncommittedBytes: 64 << 20, MaxEntryBytes: 1 << 20, MaxPendingReads: 100, CacheBytes: 1 << 20,
		Random: func(n int) int { return int(id) % n },
	}, Restored{Snapshot: SnapshotMeta{Configuration: Configuration{Voters: voters}}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// perfectWorld delivers everything at once, in order, and writes without delay.
type perfectWorld struct {
	cores map[NodeID]*Core
	queue []Message
	reads []ReadState
}

func newPerfectWorld(t testing.TB, voters ...NodeID) *perfectWorld {
	w := &perfectWorld{cores: map[NodeID]*Core{}}
	for _, id := range voters {
		w.cores[id] = newTestCore(t, id, voters...)
	}
	return w
}

func (w *perfectWorld) carryOut(c *Core, e Effects) {
	w.queue = append(w.queue, e.Send...)
	w.reads = append(w.reads, e.Reads...)
	if !e.Commit.Empty() {
		w.carryOut(c, c.Applied(e.Commit.Last))
	}
	if !e.Persist.Empty() {
		w.queue = append(w.queue, e.Persist.After...)
		w.carryOut(c, c.Persisted(Ack{Incarnation: c.cfg.Incarnation, Sequence: e.Persist.Sequence}))
	}
}

func (w *perfectWorld) settle() {
	for len(w.queue) > 0 {
		batch := w.queue
		w.queue = nil
		for _, m := range batch {
			if c := w.cores[HeaderOf(m).To]; c != nil {
				w.carryOut(c, c.Step(m))
			}
		}
	}
}

func TestThreeServersElectAndReplicate(t *testing.T) {
	w := newPerfectWorld(t, 1, 2, 3)
	one := w.cores[1]
	w.carryOut(one, one.Campaign())
	w.settle()
	if one.Role() != Leader || one.Term() != 1 || one.CommitIndex() != 1 {
		t.Fatalf("after campaigning, server 1 is %v in term %d with commit index %d; want the leader of term 1 with its no-op committed",
			one.Role(), one.Term(), one.CommitIndex())
	}

	p, e, err := one.Propose([]Proposal{{Data: []byte("a")}, {Data: []byte("b")}})
	if err != nil || p.First != 2 || p.Last != 3 {
		t.Fatalf("proposed as %+v, %v; want indexes 2 to 3", p, err)
	}
	w.carryOut(one, e)
	w.settle()
	for range 2 { // the next heartbeat tells the followers
		w.carryOut(one, one.Tick())
		w.settle()
	}
	for id, c := range w.cores {
		if s := c.Status(); s.Commit != 3 || s.Applied != 3 || s.Durable != 3 || s.Leader != 1 {
			t.Errorf("server %d: commit %d, applied %d, durable %d, leader %d; want 3, 3, 3 and 1",
				id, s.Commit, s.Applied, s.Durable, s.Leader)
		}
	}

	e, err = one.ReadIndex(7)
	if err != nil || len(e.Reads) != 0 {
		t.Fatalf("a read was answered with %v, %v before a round confirmed it", e.Reads, err)
	}
	w.carryOut(one, e)
	w.settle()
	if len(w.reads) != 1 || w.reads[0] != (ReadState{ID: 7, Index: 3}) {
		t.Errorf("reads answered: %v; want read 7 at index 3", w.reads)
	}
}
