package actors

import (
	"slices"
	"time"

	"castaway/messages"
	"castaway/raft"
)

// A ledger holds what a server owes: every request that it took from its inbox
// and has not passed on to the machine or answered. It belongs to the server
// alone, but outlives it, so that the next server can answer for the last one.
type ledger struct {
	// batch is being proposed: nothing has been done for it.
	batch []*waiter
	// pending was proposed here, in this server's term as a leader, and has not
	// been committed; in the order of the log.
	pending []block
	// reads wait for the confirmation of leadership, in the order asked.
	reads []readBatch
	// askedHere are reads of followers that wait to be asked for.
	askedHere []remoteRead
	// forwarded and forwardedReads are with the leader.
	forwarded      []forwardBatch
	forwardedReads []forwardRead
	// changes and transfers wait for what the core says of them.
	changes   []pendingChange
	transfers []chan error
}

// block is a run of proposals of one term: waiters[i] waits for index first+i.
type block struct {
	first   raft.Index
	term    raft.Term
	waiters []*waiter
}

func (b *block) last() raft.Index { return b.first + raft.Index(len(b.waiters)) - 1 }

// readBatch is one ReadIndex of the core: readers are here, remote elsewhere.
type readBatch struct {
	id      raft.ReadID
	readers []*waiter
	remote  []remoteRead
	asked   time.Time
}

// remoteRead is a follower's question.
type remoteRead struct {
	from        raft.NodeID
	incarnation uint64
	id          uint64
}

// forwardBatch is with the leader: waiters[i], unless nil, has number first+i.
type forwardBatch struct {
	leader  raft.NodeID
	first   uint64
	left    int
	waiters []*waiter
	sent    time.Time
}

// forwardRead is a batch of reads for which the leader was asked for an index.
type forwardRead struct {
	leader  raft.NodeID
	id      uint64
	readers []*waiter
	sent    time.Time
}

// abandon answers for a server that is gone: proposals with err, whose outcome is
// unknown; what was not yet proposed was not done. Reads go back to the inbox, to
// be asked again, or answered if that is closed.
func (l *ledger) abandon(b *board, err *Error) {
	l.abandonChanges(err)
	notDone := *err
	notDone.Indeterminate = false
	failAll(l.batch, &notDone)
	for _, p := range l.pending {
		failAll(p.waiters, err)
	}
	for _, f := range l.forwarded {
		for _, w := range f.waiters {
			if w != nil {
				w.fail(err)
			}
		}
	}
	for _, r := range l.reads {
		b.server.returnReads(r.readers)
	}
	for _, r := range l.forwardedReads {
		b.server.returnReads(r.readers)
	}
	*l = ledger{}
}

// empty says that nothing is owed.
func (l *ledger) empty() bool {
	return len(l.batch)+len(l.pending)+len(l.reads)+len(l.askedHere)+len(l.forwarded)+len(l.forwardedReads) == 0
}

// settle takes out the pending proposals up to last, which have been committed.
func (l *ledger) settle(last raft.Index) []block {
	n := 0
	for n < len(l.pending) && l.pending[n].last() <= last {
		n++
	}
	settled := slices.Clone(l.pending[:n])
	l.pending = slices.Delete(l.pending, 0, n)
	if len(l.pending) > 0 && l.pending[0].first <= last {
		p := &l.pending[0]
		k := int(last - p.first + 1)
		settled = append(settled, block{first: p.first, term: p.term, waiters: p.waiters[:k]})
		p.first, p.waiters = last+1, p.waiters[k:]
	}
	return settled
}

// takeRead takes the batch with this id out.
func (l *ledger) takeRead(id raft.ReadID) (readBatch, bool) {
	for i, r := range l.reads {
		if r.id == id {
			l.reads = slices.Delete(l.reads, i, i+1)
			return r, true
		}
	}
	return readBatch{}, false
}

func (l *ledger) takeForwardedRead(leader raft.NodeID, id uint64) (forwardRead, bool) {
	for i, r := range l.forwardedReads {
		if r.leader == leader && r.id == id {
			l.forwardedReads = slices.Delete(l.forwardedReads, i, i+1)
			return r, true
		}
	}
	return forwardRead{}, false
}

// proposed and confirming count, for the status.
func (l *ledger) proposed() (n int) {
	for _, p := range l.pending {
		n += len(p.waiters)
	}
	return n
}

func (l *ledger) withLeader() (n int) {
	for _, f := range l.forwarded {
		n += f.left
	}
	return n
}

func (l *ledger) confirming() (n int) {
	for _, r := range l.reads {
		n += len(r.readers)
	}
	for _, r := range l.forwardedReads {
		n += len(r.readers)
	}
	return n
}

// envelope makes an envelope of this node's that is not the core's.
func (b *board) envelope(to raft.NodeID) *messages.Envelope {
	return &messages.Envelope{
		ClusterId: b.host.cfg.ClusterID, Group: uint64(b.cfg.Group),
		From: uint64(b.host.cfg.ID), To: uint64(to),
	}
}
