package actors

import (
	"errors"
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"castaway/messages"
	"castaway/persistence"
	"castaway/raft"
)

// The log's messages. A server's come in the order in which it sent them.
type (
	// open asks for what is on the disk, for a server of this incarnation. What it
	// writes from then on is taken; what older ones wrote is on disk by then.
	open struct {
		quiet
		incarnation raft.Incarnation
	}
	// persist asks for one atomic write; after leaves once that is durable.
	persist struct {
		quiet
		incarnation raft.Incarnation
		write       raft.Persist
		after       []*messages.Envelope
	}
	// fetch asks for entries that the core no longer holds.
	fetch struct {
		quiet
		incarnation raft.Incarnation
		fetch       raft.Fetch
	}
	// flush comes from the log actor itself, behind what waited when the first
	// persist of a batch came.
	flush struct{ quiet }
	// askSpace asks for a spaceReport.
	askSpace struct{ quiet }
)

// The log's answers to the server.
type (
	opened struct {
		quiet
		incarnation raft.Incarnation
		restored    raft.Restored
		snapshot    raft.Index // of the newest published snapshot
	}
	persisted struct {
		quiet
		ack raft.Ack
	}
	fetched struct {
		quiet
		incarnation raft.Incarnation
		fetch       raft.Fetch
		entries     []raft.Entry
	}
	spaceReport struct {
		quiet
		space persistence.Space
	}
	// logFailed says that the store is closed for good (C40).
	logFailed struct {
		quiet
		err error
	}
	// logLost says that the log actor panicked, and what it had not written is gone.
	logLost struct{ quiet }
)

// logActor is the only one that writes the group's log, and the only one that
// waits for the disk. While it waits, writes gather in its mailbox; then they all
// go with one sync.
//
// Always true: what it acknowledges, and what it lets go out, rests on a sync
// that succeeded after the write. A store that failed once is never asked to
// write again, and nothing is acknowledged any more (C40).
type logActor struct {
	*board
	self        *actor.PID
	incarnation raft.Incarnation // zero until opened: nothing is taken
	asked       raft.Incarnation // the last that asked to open
	batch       []persist        // not yet durable, in the order of Sequence
	appended    int              // of batch, how many the store has taken
	dirty       bool             // something was appended since the last sync
	flushing    bool             // a flush is in the mailbox
	failed      error
	full        bool // the last append or sync found no space
	retry       Timer
}

func newLog(b *board) *logActor {
	b.persists.Store(0)
	return &logActor{board: b}
}

// Receive implements actor.Actor.
func (l *logActor) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		l.self = ctx.Self()
	case open:
		l.open(m)
	case *persist:
		l.gather(m)
	case flush:
		l.flushing = false
		l.flush()
	case fetch:
		l.fetch(m)
	case askSpace:
		l.report()
	case condemn:
		l.condemn(m.why)
	case *actor.Restarting, *actor.Stopping:
		if l.retry != nil {
			l.retry.Stop()
		}
	}
}

// open makes everything before it durable, so that what the new server finds is
// what it may rest its word on, and reads it. Without space for that it is tried
// again, unless another server has asked since.
func (l *logActor) open(o open) {
	if o.incarnation < l.asked {
		return
	}
	l.asked, l.incarnation = o.incarnation, 0
	if l.failed == nil && len(l.batch) > 0 {
		l.flush()
	}
	l.drop()
	if l.failed != nil {
		l.send(l.pids.server, logFailed{err: l.failed})
		return
	}
	if err := l.host.cfg.Store.Sync(); err != nil {
		l.notOpened("sync", err, o)
		return
	}
	l.dirty = false
	restored, snapshot, err := l.load()
	if err != nil {
		l.notOpened("load", err, o)
		return
	}
	l.incarnation = o.incarnation
	l.report()
	l.send(l.pids.server, opened{incarnation: o.incarnation, restored: restored, snapshot: snapshot})
}

// load reads the log, and first carries an install to its end that a crash cut short: a
// snapshot that came from a leader is published, and the log does not hold its position.
func (l *logActor) load() (r raft.Restored, snapshot raft.Index, err error) {
	r, err = l.host.cfg.Store.Load(l.cfg.Group, l.cfg.Limits.CacheBytes)
	if err != nil || l.host.cfg.Snapshots == nil {
		return r, 0, err
	}
	list, err := l.host.cfg.Snapshots.List(l.cfg.Group)
	if err != nil || len(list) == 0 {
		return r, 0, err
	}
	meta := list[len(list)-1].Meta
	if meta.Last.Term > r.HardState.Term {
		return r, 0, nil // of a term that this server has not come to, it will be offered again
	}
	if !persistence.Holds(&r, meta.Last) {
		if err := l.host.cfg.Store.Compact(l.cfg.Group, meta); err != nil {
			return r, 0, err
		}
		r, err = l.host.cfg.Store.Load(l.cfg.Group, l.cfg.Limits.CacheBytes)
	}
	return r, meta.Last.Index, err
}

func (l *logActor) notOpened(what string, err error, o open) {
	if errors.Is(err, persistence.ErrNoSpace) {
		l.report()
		l.later(o)
		return
	}
	l.fail(what, err)
}

// drop forgets what could not be written for want of space; its server is gone.
func (l *logActor) drop() {
	l.persists.Add(-int64(len(l.batch)))
	clear(l.batch)
	l.batch, l.appended, l.full = l.batch[:0], 0, false
}

func (l *logActor) gather(p *persist) {
	if l.failed != nil || p.incarnation != l.incarnation {
		return
	}
	if n := len(l.batch); l.full && n > l.appended && !p.writes() && !l.batch[n-1].writes() {
		// While there is no space, replies gather with nothing to write. The newest
		// stands for all: any reply may be lost.
		l.batch[n-1] = *p
		return
	}
	l.batch = append(l.batch, *p)
	l.persists.Add(1)
	if !l.flushing && !l.full {
		l.flushing = true
		l.send(l.self, flush{})
	}
}

// writes says whether there is anything to write; else it only has its place in the
// order.
func (p *persist) writes() bool {
	w := &p.write
	return w.HardState != nil || w.Compact != nil || w.TruncateFrom != 0 || len(w.Entries) > 0
}

// flush appends what has gathered, syncs once, and then says so. No space is not
// final, for the store goes on: nothing is acknowledged, and it is tried again.
func (l *logActor) flush() {
	if l.failed != nil {
		return
	}
	if err := l.append(); err != nil {
		l.fail("append", err)
		return
	}
	if l.appended == 0 {
		return
	}
	if l.dirty {
		err := l.host.cfg.Store.Sync()
		if errors.Is(err, persistence.ErrNoSpace) {
			l.noSpace()
			return
		}
		if err != nil {
			l.fail("sync", err)
			return
		}
		l.dirty = false
	}
	l.acknowledge(l.batch[:l.appended])
	rest := copy(l.batch, l.batch[l.appended:])
	clear(l.batch[rest:])
	l.batch, l.appended = l.batch[:rest], 0
}

// append gives the batch to the store, as far as there is space.
func (l *logActor) append() error {
	l.full = false
	for l.appended < len(l.batch) {
		if p := &l.batch[l.appended]; p.writes() {
			err := l.write(&p.write)
			if errors.Is(err, persistence.ErrNoSpace) {
				l.noSpace()
				return nil
			}
			if err != nil {
				return err
			}
			l.dirty = true
		}
		l.appended++
	}
	return nil
}

// write appends p. While entries are replaced, and after it, the machine can see
// that they were.
func (l *logActor) write(p *raft.Persist) error {
	if p.TruncateFrom != 0 || p.Compact != nil {
		l.rewrites.Add(1)
		defer l.rewrites.Add(1) // also if the store panics
	}
	if p.Compact != nil {
		return l.compact(p)
	}
	return l.host.cfg.Store.Append(l.cfg.Group, p)
}

// compact carries out a write that moves the log's start: after its hard state, whose
// term may be that of the start, and before the rest. What is done of it may be done
// again, as after a lack of space.
func (l *logActor) compact(p *raft.Persist) error {
	store, rest := l.host.cfg.Store, *p
	if p.HardState != nil {
		if err := store.Append(l.cfg.Group, &raft.Persist{HardState: p.HardState}); err != nil {
			return err
		}
	}
	if err := store.Compact(l.cfg.Group, *p.Compact); err != nil {
		return err
	}
	rest.HardState, rest.Compact = nil, nil
	if rest.TruncateFrom == 0 && len(rest.Entries) == 0 {
		return nil
	}
	return store.Append(l.cfg.Group, &rest)
}

func (l *logActor) acknowledge(durable []persist) {
	last := &durable[len(durable)-1]
	count := 0
	for i := range durable {
		count += len(durable[i].after)
	}
	if count > 0 {
		out := last.after
		if count > len(out) {
			out = make([]*messages.Envelope, 0, count)
			for i := range durable {
				out = append(out, durable[i].after...)
			}
		}
		l.send(l.pids.transport, Outbound{Envelopes: out})
	}
	l.persists.Add(-int64(len(durable)))
	l.report()
	l.send(l.pids.server, persisted{ack: raft.Ack{Incarnation: last.incarnation, Sequence: last.write.Sequence}})
}

// noSpace waits for space, and says at once why nothing goes on.
func (l *logActor) noSpace() {
	l.full = true
	l.report()
	l.later(flush{})
}

// later tries again in a tick.
func (l *logActor) later(what any) {
	if l.retry != nil {
		l.retry.Stop()
	}
	self := l.self
	l.retry = l.host.cfg.Clock.AfterFunc(l.cfg.TickInterval, func() { l.send(self, what) })
}

// fail is the end of this log: the kernel may have dropped what it failed to
// write, so that a retry could succeed without having written it.
func (l *logActor) fail(what string, err error) {
	l.failed = fmt.Errorf("the store failed to %s, so this node neither votes nor acknowledges any more: %w", what, err)
	if errors.Is(err, persistence.ErrCorrupt) {
		l.failed = fmt.Errorf("the log on disk is damaged, so this node neither votes nor acknowledges: %w", err)
	}
	l.incarnation = 0
	l.drop()
	l.send(l.pids.server, logFailed{err: l.failed})
	l.send(l.pids.host, storeFailed{log: l.self, err: fmt.Errorf("group %d: %w", l.cfg.Group, l.failed)})
}

func (l *logActor) fetch(f fetch) {
	if f.incarnation != l.incarnation || l.failed != nil {
		return
	}
	// What was not yet appended cannot be asked for: the core still holds it.
	entries, err := l.host.cfg.Store.Entries(l.cfg.Group, f.fetch.First, f.fetch.Last, f.fetch.MaxBytes)
	if errors.Is(err, persistence.ErrCorrupt) || errors.Is(err, persistence.ErrFailed) {
		l.fail("read", err)
		return
	}
	if err != nil {
		l.host.cfg.Logger.Warn("entries could not be read for a follower; they will be asked for again",
			"node", l.host.cfg.ID, "group", l.cfg.Group, "follower", f.fetch.To, "first", f.fetch.First, "error", err)
		entries = nil
	}
	l.send(l.pids.server, fetched{incarnation: f.incarnation, fetch: f.fetch, entries: entries})
}

// report tells the server when the disk's reserve is reached, or free again.
func (l *logActor) report() {
	space := l.host.cfg.Store.Space()
	old := l.space.Swap(&space)
	if old == nil || old.Low() != space.Low() {
		l.send(l.pids.server, spaceReport{space: space})
	}
}
