package raft

// Forgotten is the proof that this server lost what it had acknowledged: its disk
// was replaced, restored from an older copy, or emptied.
type Forgotten struct {
	Leader       NodeID // whose heartbeat proves it
	Term         Term   // the term in which this server acknowledged
	Acknowledged Index  // the leader was told that the log is durable at least up to here
	Last         Index  // here it ends
	Known        Term   // and this is the last term that it remembers
}

// forgets says whether m proves that this server forgot something, and then ends
// its part in the group.
//
// A heartbeat's commit index is at most the leader's match, and that is what this
// very server said, in a reply of the heartbeat's term, to be durable. That reply
// left when term and entries were durable here; and within a term, a follower's log
// never becomes shorter than what it acknowledged, since the leader's log contains
// that and only grows (P5.3). So a heartbeat that names an index beyond the log, or
// any index in a term that this server does not know, tells of a promise that is
// gone, and with it may be votes. Such a server must not go on: a leader could be
// elected with its help who lacks what was committed with its help (C40, C43).
//
// What it does not notice: an older copy that knows the heartbeat's term, and whose
// log is long enough but was replaced later in that term. A heartbeat names no term of
// the entry at its commit index.
//
// The leader's side proves nothing: a rejection below match may just be late.
func (c *Core) forgets(m Message) bool {
	h, ok := m.(*Heartbeat)
	if !ok || h.Term < c.hard.Term || !c.mayLead(h) {
		return false
	}
	if h.Commit <= c.log.last && (h.Term == c.hard.Term || h.Commit == 0) {
		return false
	}
	c.forgotten = true
	if c.Role() != Follower {
		c.becomeFollower(c.hard.Term, None)
	}
	c.out.effects.Forgotten = &Forgotten{
		Leader: h.From, Term: h.Term, Acknowledged: h.Commit, Last: c.log.last, Known: c.hard.Term,
	}
	return true
}

// mayLead says whether, for all that this server knows, the sender leads the
// heartbeat's term: a term has one leader (T3.4).
func (c *Core) mayLead(h *Heartbeat) bool {
	return h.Term > c.hard.Term || c.Leader() == None || c.Leader() == h.From
}
