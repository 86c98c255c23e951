package raft

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
}

// Persist is one atomic write. Persists are carried out in the order of Sequence,
// and one that is durable implies all before it; several may be made durable by
// one sync.
type Persist struct {
	Sequence  uint64     // 1, 2, 3 … within an incarnation; zero when Empty
	HardState *HardState // nil when unchanged
	// TruncateFrom, unless zero, drops the entries from this index on before
	// Entries are appended.
	TruncateFrom Index
	Entries      []Entry
	// After may leave once this Persist is durable.
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
