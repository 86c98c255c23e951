package actors

import (
	"sync/atomic"
	"time"

	"castaway/raft"
)

// A desk is what the machine works through. Like the ledger it outlives its
// actor, so that the next machine goes on where the last one panicked.
type desk struct {
	// inbox takes serializable reads from clients, and work from the server.
	inbox *inbox
	// bytes counts the entries of the work that has not been applied.
	bytes atomic.Int64
	spans atomic.Int64
	reads atomic.Int64

	// The rest is the machine actor's.

	queue   []*work
	waiting []*work // reads, for their index to be applied
	// reached is the last entry that any machine here has applied: a machine made
	// anew must come as far before it answers reads, so that time never goes back.
	reached raft.Position
	// attempt is the run of indexes being applied; if a new machine finds it set,
	// the last one died of it.
	attempt struct{ first, last raft.Index }
	// careful is where commands are applied one at a time, to find the one that
	// kills.
	careful struct{ first, last raft.Index }
	poison  struct {
		index  raft.Index
		panics int
	}
}

// work is one thing to do: a span to apply, and whom to answer about it, or reads
// to answer once index is applied.
type work struct {
	span raft.Span
	// install, unless nil, is all there is to do: the machine is to be where a published
	// snapshot is.
	install *raft.SnapshotMeta
	// last is the position of span's last entry, if its term is known; then a span
	// without entries may be read from a log that is not yet durable up to there.
	last   raft.Position
	blocks []block
	size   int

	index   raft.Index
	readers []*waiter
	// ready is since when the readers could be answered; zero if they cannot yet.
	ready time.Time
}

// askMachine asks the machine for its part of a Status.
type askMachine struct{ answer chan machineStatus }

type machineStatus struct {
	applied raft.Index
	hash    uint64
	hashed  bool

	sessions     int
	sessionsHash uint64
}

func newDesk(b *board) *desk {
	d := &desk{}
	d.inbox = newInbox(b.cfg.Group, &b.cfg.Limits, b.host.cfg.Clock.Now, func() { b.send(b.pids.machine, wakeup{}) })
	return d
}

// give passes w on to the machine; false if that is gone, and then w stays the
// caller's.
func (d *desk) give(w *work) bool {
	if w.readers != nil {
		d.reads.Add(int64(len(w.readers)))
	} else {
		d.bytes.Add(int64(w.size))
		d.spans.Add(1)
	}
	return d.inbox.pushControl(w) == nil
}

// finished takes w out of the counts.
func (d *desk) finished(w *work) {
	if w.readers != nil {
		d.reads.Add(-int64(len(w.readers)))
	} else {
		d.bytes.Add(-int64(w.size))
		d.spans.Add(-1)
	}
}

// abandon answers everyone at the desk. Proposals are committed, so that their
// outcome depends on the machines of other nodes, or of this node's next life.
func (d *desk) abandon(err *Error) {
	for _, w := range d.queue {
		w.fail(err)
		d.finished(w)
	}
	for _, w := range d.waiting {
		w.fail(err)
		d.finished(w)
	}
	d.queue, d.waiting = nil, nil
}

// fail answers all of w with err, which is about proposals; reads are never
// indeterminate.
func (w *work) fail(err *Error) {
	for _, b := range w.blocks {
		failAll(b.waiters, err)
	}
	readErr := *err
	readErr.Indeterminate = false
	failAll(w.readers, &readErr)
	w.blocks = nil
}

// answerControls answers what was in the inbox of an actor that is gone.
func (b *board) answerControls(controls []any) {
	for _, c := range controls {
		switch c := c.(type) {
		case *work:
			c.fail(b.goodbye(true))
			b.machine.finished(c)
		case *askMachine:
			close(c.answer)
		case *statusRequest:
			close(c.answer)
		case *changeRequest:
			c.answer <- changeAnswer{err: b.goodbye(false)}
		case *transferRequest:
			c.answer <- b.goodbye(false)
		}
	}
}
