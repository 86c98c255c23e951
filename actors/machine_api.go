package actors

import "castaway/raft"

// StateMachine is what a group replicates. All its methods are called from one
// actor, one at a time, so it needs no lock. It must be deterministic: equal
// commands in equal order give equal results and equal state on every server.
//
// A panic in it restarts the machine alone: a new one is made, and the log is
// applied to it from the start.
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
