package raft

// Member is what the members' owner says about one of them. The Context is opaque
// to the core: an address, a name.
type Member struct {
	ID      NodeID
	Context []byte
}
