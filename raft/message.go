package raft

// Message is an RPC or a reply to one; the concrete types below are all there
// are.
type Message interface {
	header() *Header
}

// Header is what every message has. Term is the sender's current term, except in
// a pre-vote, which names the term that the sender would campaign in (T9.6).
type Header struct {
	From, To NodeID
	Term     Term
}

func (h *Header) header() *Header { return h }

// HeaderOf gives a message's header; it must not be changed.
func HeaderOf(m Message) *Header { return m.header() }

// RequestPreVote asks whether the receiver would vote for the sender in
// Header.Term, without anyone changing term or vote (T9.6).
type RequestPreVote struct {
	Header
	Last Position
}

// RequestPreVoteReply answers a RequestPreVote. When Granted, Header.Term is the
// term that was asked for; otherwise it is the receiver's own (C34).
type RequestPreVoteReply struct {
	Header
	Granted bool
}

// RequestVote asks for the receiver's vote in Header.Term (T3.4).
type RequestVote struct {
	Header
	Last Position
	// Transfer says that the leader itself asked for this election, so that
	// leader stickiness must not refuse it (T3.10, T4.2.3).
	Transfer bool
}

// RequestVoteReply answers a RequestVote.
type RequestVoteReply struct {
	Header
	Granted bool
}

// AppendEntries replicates entries (T3.5). Entries follow Previous without a gap.
type AppendEntries struct {
	Header
	Previous Position
	Commit   Index
	Entries  []Entry
}

// AppendEntriesReply answers an AppendEntries.
//
// On success, Match is the index up to which the follower's durable log is known
// to equal the leader's. On rejection, Rejected is the Previous.Index that did
// not match, and Hint bounds where the logs may agree: the follower's last
// position whose term is not above the rejected Previous.Term, so that the leader
// skips whole terms at once (P5.3, end).
type AppendEntriesReply struct {
	Header
	Success  bool
	Match    Index
	Rejected Index
	Hint     Position
}

// Heartbeat keeps followers from campaigning and confirms leadership for reads
// (T6.4). Commit never exceeds what the leader knows the follower to hold.
// Round numbers the leader's heartbeat rounds within its term and is never reused.
type Heartbeat struct {
	Header
	Commit Index
	Round  uint64
}

// HeartbeatReply answers a Heartbeat and carries its Round back.
type HeartbeatReply struct {
	Header
	Round uint64
}

// TermNotice answers a message of an older term from a server that could be stuck
// behind pre-vote and check-quorum (C34); all it says is in its Header.
type TermNotice struct {
	Header
}

// TimeoutNow asks the receiver to campaign at once: the leader hands over to it
// (T3.10).
type TimeoutNow struct {
	Header
}
