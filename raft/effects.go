package raft

import "slices"

// Effects is what an input asks its Core's owner to do. The order between the
// fields is free, except where a field's comment says otherwise.
type Effects struct {
	Persist Persist     // to the log, when not Empty
	Send    []Message   // may leave now
	Commit  Span        // newly committed, for the machine, when not Empty
	Reads   []ReadState // may be answered once applied; in the order asked
	Aborted []ReadID    // reads whose leadership was not confirmed: ask again
	Fetch   []Fetch     // entries that are no longer in memory, to be read from the log
	Role    *RoleChange // nil unless role, term or leader changed
	// Snapshots are to be sent to followers.
	Snapshots []SnapshotRequest
	// Install, unless nil, replaces the machine's state by the published snapshot that
	// this says, before any later Commit. What was committed before is in it.
	Install *SnapshotMeta
	// Configuration, unless nil, is the one in force, which has changed or is newly
	// committed.
	Configuration *ConfigurationState
	// GaveUp are learners that never caught up; they are being removed.
	GaveUp []NodeID
	// Removed, unless nil, says that this server is no member any more.
	Removed *Removed
	// Transfer, unless nil, says how a transfer of leadership ended.
	Transfer *TransferResult
	// Forgotten, unless nil, ends the core: it drops every further input. Its owner
	// must not make another from the same disk.
	Forgotten *Forgotten
}

// Persist is one atomic write. Persists are carried out in the order of Sequence,
// and one that is durable implies all before it; several may be made durable by
// one sync.
type Persist struct {
	Sequence  uint64     // 1, 2, 3 … within an incarnation; zero when Empty
	HardState *HardState // nil when unchanged
	// Compact, unless nil, makes the log start after this position, before it is
	// truncated or appended to, and after the hard state is written, whose term may
	// be the position's. Entries behind it stay if the log on disk holds the position;
	// otherwise all of them go (C25).
	Compact *SnapshotMeta
	// TruncateFrom, unless zero, drops the entries from this index on before
	// Entries are appended.
	TruncateFrom Index
	Entries      []Entry
	// After may leave once this Persist is durable. There may be nothing else in a
	// Persist: then it is durable as soon as all before it are.
	After []Message
}

// Empty says that there is nothing to write and nothing to wait for.
func (p *Persist) Empty() bool { return p.Sequence == 0 }

// Ack acknowledges that the Persist with this Sequence, and all before it, are
// durable.
type Ack struct {
	Incarnation Incarnation
	Sequence    uint64
}

// Span is a run of committed entries [First, Last]. Entries holds all of them,
// or is nil where the core no longer has them in memory: then they are durable in
// the log, and the machine reads them there.
type Span struct {
	First, Last Index
	Entries     []Entry
}

// Empty says that nothing was committed.
func (s *Span) Empty() bool { return s.Last == 0 }

// ReadID names a read, or a batch of reads; its owner chooses it.
type ReadID uint64

// ReadState says that the read ID is linearizable once Index is applied (T6.4).
type ReadState struct {
	ID    ReadID
	Index Index
}

// Fetch asks for entries [First, Last] of the log, at most MaxBytes of them but at
// least one, to be handed to Core.Fetched for To. A core asks for at most one Fetch
// per follower at a time.
type Fetch struct {
	To       NodeID
	Term     Term
	First    Index
	Last     Index
	MaxBytes int
}

// RoleChange says what the server has become.
type RoleChange struct {
	Role   Role
	Term   Term
	Leader NodeID // None when unknown
}

// output is what one input has brought about so far. Persist, Commit and Role are
// worked out from the state once the input is done.
type output struct {
	effects Effects
	after   []Message
}

// observed is what effects, invariants and trace compare with.
type observed struct {
	role   Role
	hard   HardState
	leader NodeID
	commit Index
	trace  TraceState

	configuration configurationMark
}

// begin notes the state before an input.
func (c *Core) begin() {
	c.before = observed{role: c.role.kind(), hard: c.hard, leader: c.role.leader(c), commit: c.commit, configuration: c.configurationMark()}
	if c.cfg.Trace != nil {
		c.before.trace = c.traceState()
	}
}

// finish turns what has changed since begin into effects.
func (c *Core) finish(input string, m Message) Effects {
	c.emitPersist()
	c.emitCommit()
	c.emitRole()
	c.emitConfiguration()
	e := c.out.effects
	c.out = output{}
	c.checkInvariants()
	if c.cfg.Trace != nil {
		c.trace(input, m, e)
	}
	return e
}

// emitPersist asks for one write with all that is new: hard state and entries
// together (rule 1), and with it the messages that rest on it. Messages that rest on
// earlier writes alone, still on their way, go with an otherwise empty one.
func (c *Core) emitPersist() {
	d := &c.disk
	fresh := d.last < c.log.last
	if d.written == c.hard && d.truncated == 0 && d.compact == nil && !fresh && len(c.out.after) == 0 {
		return
	}
	p := &c.out.effects.Persist
	p.Compact, p.TruncateFrom, p.After = d.compact, d.truncated, c.out.after
	if d.written != c.hard {
		hard := c.hard
		p.HardState = &hard
	}
	if fresh {
		p.Entries = c.log.slice(d.last+1, c.log.last)
	}
	p.Sequence = d.emit(c.hard, c.log.last)
}

// emitCommit hands over what was committed. A span that starts before the tail must
// be readable in the log, so it ends where the log is durable; the rest follows with
// the acknowledgement of the write that is under way.
func (c *Core) emitCommit() {
	if c.emitted == c.commit {
		return
	}
	span := Span{First: c.emitted + 1, Last: c.commit}
	span.Entries = c.log.slice(span.First, span.Last)
	if span.Entries == nil {
		span.Last = min(span.Last, c.disk.durable)
		if span.Last < span.First {
			return
		}
	}
	c.out.effects.Commit = span
	c.emitted = span.Last
}

func (c *Core) emitRole() {
	now := RoleChange{Role: c.role.kind(), Term: c.hard.Term, Leader: c.role.leader(c)}
	if now != (RoleChange{Role: c.before.role, Term: c.before.hard.Term, Leader: c.before.leader}) {
		changed := now // only this copy costs an allocation
		c.out.effects.Role = &changed
	}
}

// to is the header of a message of the current term.
func (c *Core) to(id NodeID) Header {
	return Header{From: c.cfg.ID, To: id, Term: c.hard.Term}
}

// send lets a message leave: now if the current term and vote are durable, and else
// with the write that makes them so (rule 2). So no message is ever of a term that
// its sender could still forget.
func (c *Core) send(m Message) { c.sendWhenDurable(m, 0) }

// expectToSend makes room for n messages at once.
func (c *Core) expectToSend(n int) {
	c.out.effects.Send = slices.Grow(c.out.effects.Send, n)
}

// sendWhenDurable is send for a message that also rests on the log up to index.
func (c *Core) sendWhenDurable(m Message, index Index) {
	if c.disk.holds(c.hard) && index <= c.disk.durable {
		c.out.effects.Send = append(c.out.effects.Send, m)
	} else {
		c.out.after = append(c.out.after, m)
	}
}
