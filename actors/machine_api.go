package actors

import (
	"io"

	"castaway/raft"
)

// StateMachine is what a group replicates. All its methods are called from one
// actor, one at a time, so it needs no lock. It must be deterministic: equal
// commands in equal order give equal results and equal state on every server.
//
// A panic in it restarts the machine alone: a new one is made, restored from the
// newest snapshot if there is one, and the log is applied to it from there.
type StateMachine interface {
	// Apply applies commands in order. It returns one result a command, nil where
	// there is nothing to say; results are passed to whoever proposed.
	Apply(commands []Command) (results [][]byte)
	// Query answers a read from the state as of everything applied so far. It may
	// return something that is read later, elsewhere, if that is a stable copy.
	Query(query any) (any, error)
}

// Hasher is a StateMachine that can name its state by a hash; servers that applied
// the same log must give the same.
type Hasher interface {
	StateHash() uint64
}

// Command is a committed entry, as a machine sees it.
type Command struct {
	Index raft.Index
	Term  raft.Term
	Data  []byte // must not be changed or kept beyond Apply without a copy
}

// Snapshotter is a StateMachine whose state can be written down and read back, so
// that the log before it can go.
type Snapshotter interface {
	StateMachine
	// Snapshot gives the state as of the last Apply. It must return at once: what it
	// gives is read later, by another actor, while Apply goes on. An error means that
	// no snapshot is taken this time.
	Snapshot() (Snapshot, error)
	// Restore replaces the state by what Snapshot.Write wrote, here or on another
	// server. After an error the machine is not used any more.
	Restore(r io.Reader) error
}

// Snapshot is a state that stays as it is. Its methods are called by one actor, one
// at a time, which is not the machine's.
type Snapshot interface {
	// Write writes the whole state. Equal states need not give equal bytes.
	Write(w io.Writer) error
	// Release is called once, last, whether Write was called or not.
	Release()
}

// OnDisk is a machine that keeps its state itself, so that a restart need not apply
// again what it has. It keeps the index up to which it is applied, and some pairs
// that belong to the group, in one write with its data: then nothing is applied
// twice, and nothing is left out, whenever it is interrupted (C11).
type OnDisk interface {
	Snapshotter
	// Open gives the index up to which Commit was last called, and all pairs that it
	// was given and that still stand. It is called once, first. Zero is an empty
	// machine, and one whose Restore was interrupted.
	Open() (applied raft.Index, side []Pair, err error)
	// Commit makes all that was applied since the last Commit, the applied index and
	// the pairs one atomic write. It need not be synced: the log still has what a
	// power cut takes. It follows each Apply and each Restore, before any Query or
	// Snapshot and before another Apply; Commit without either moves the index only.
	//
	// From its start on until the Commit after it, a Restore leaves a machine of
	// which Open says zero; Commit then gets all pairs, and those before are gone.
	Commit(applied raft.Index, side []Pair) error
	// Close is called once, last, when the group's actor stops or the machine
	// panicked. Then another may be made on the same data.
	Close() error
}

// Pair is something that belongs to the group and not to the machine, kept with the
// machine's state: a nil Value deletes it. Neither slice may be changed afterwards.
type Pair struct{ Key, Value []byte }
