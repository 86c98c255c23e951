package actors

import (
	"castaway/persistence"
	"castaway/raft"
)

// Status is what a group on this node is doing, for people and for metrics.
type Status struct {
	Group raft.GroupID
	// Raft is the core's own status; its zero value while there is no core
	// (recovering, halted).
	Raft raft.Status
	// Behaviour is what clients get: "recovering", "follower", "precandidate",
	// "candidate", "leader" or "halted".
	Behaviour string
	Leader    raft.NodeID

	Applied raft.Index
	// StateHash is the machine's hash at index Applied, if HasStateHash.
	StateHash    uint64
	HasStateHash bool
	// Sessions is how many clients' sessions there are at index Applied, and SessionsHash
	// names all that is known of them.
	Sessions     int
	SessionsHash uint64

	Queues   Queues
	Inflight Inflight
	Restarts Restarts
	Space    persistence.Space
	// Snapshots counts those that were taken here, sent and received.
	Snapshots SnapshotStats

	// WaitingFor says, in a sentence, why nothing commits; empty if it does.
	WaitingFor string
	// Halted says why the group has stopped for good; empty if it has not.
	Halted string
}

// Queues holds how much waits, and where.
type Queues struct {
	ServerCommands int // wait to be proposed or forwarded
	ServerReads    int // wait for a confirmation to be asked for
	LogPersists    int // wait for the sync
	MachineSpans   int // committed, to be applied
	MachineBytes   int // of those, held in memory
	MachineReads   int // wait for an index to be applied, or for their turn
}

// Inflight holds how much is being carried out.
type Inflight struct {
	Proposed       int // commands proposed here and not committed
	Forwarded      int // commands with the leader
	ConfirmedReads int // reads that wait for a confirmation
}

// Restarts counts panics per actor since the group was added.
type Restarts struct {
	Server, Log, Machine int
}
