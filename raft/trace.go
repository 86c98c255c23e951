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

func (c *Core) traceState() TraceState {
	return TraceState{
		Role:      c.role.kind(),
		HardState: c.hard,
		Leader:    c.role.leader(c),
		Commit:    c.commit,
		Durable:   c.disk.durable,
		Last:      c.log.lastPosition(),
	}
}

func (c *Core) trace(input string, m Message, e Effects) {
	c.cfg.Trace(TraceEvent{
		Node:    c.cfg.ID,
		Input:   input,
		Before:  c.before.trace,
		Message: m,
		After:   c.traceState(),
		Effects: &e,
	})
}
