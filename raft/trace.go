package raft

// TraceEvent tells what one input did: enough to check the run against the
// paper's Figure 2 from the outside. It is made only when Config.Trace is set.
type TraceEvent struct {
	Node   NodeID
	Input  string // "tick", "step", "propose", "persisted", …
	Before TraceState
	// Message is what was stepped, if it was a message.
	Message Message
	After   TraceState
	Effects *Effects // must not be changed
}

// TraceState is the part of a server's state that the paper's Figure 2 names.
type TraceState struct {
	Role      Role
	HardState HardState
	Leader    NodeID
	Commit    Index
	Durable   Index
	Last      Position
}
