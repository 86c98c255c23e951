package raft

// Status is a copy of what a Core knows, for people and for metrics.
type Status struct {
	ID            NodeID
	Incarnation   Incarnation
	Role          Role
	HardState     HardState
	Leader        NodeID
	First         Index // the first index that the log still holds
	Last          Position
	Commit        Index
	Applied       Index
	Durable       Index // up to here the own log is known to be on disk
	Configuration Configuration
	Uncommitted   int // bytes beyond Commit, on a leader
	PendingReads  int
	Progress      []ProgressStatus // of the others, on a leader; sorted by ID
}

// ProgressStatus is what a leader knows of one follower.
type ProgressStatus struct {
	ID             NodeID
	State          string // "probe", "replicate", "fetch"
	Match          Index
	Next           Index
	InflightCount  int
	InflightBytes  int
	RecentlyActive bool
}
