package raft

// candidate asks for votes in a term of its own (P5.2). Whoever loses waits for
// its timeout, and then asks again, first with a pre-vote where that is on.
type candidate struct {
	timer timer
	votes ballots
}

func (k *candidate) kind() Role          { return Candidate }
func (k *candidate) leader(*Core) NodeID { return None }

func (k *candidate) tick(c *Core) {
	if k.timer.tick() {
		c.campaign()
	}
}

func (k *candidate) step(c *Core, m Message) {
	switch m := m.(type) {
	case *AppendEntries, *Heartbeat, *InstallSnapshot:
		c.followInstead(m)
	case *RequestVoteReply:
		k.votes.record(m.From, m.Granted)
		k.count(c)
	}
}

// persisted counts the candidate's own vote, which is a promise like any other and
// so does not count before it is durable (T3.8).
func (k *candidate) persisted(c *Core) {
	if c.disk.holds(c.hard) {
		k.votes.record(c.cfg.ID, true)
		k.count(c)
	}
}

// count makes the winner leader. Without its own vote on disk nobody wins, even
// where others would suffice: a leader's term is always durable, so that what it
// sends need not wait (rule 1).
func (k *candidate) count(c *Core) {
	if k.votes.granted(c.cfg.ID) && k.votes.won(c.configuration()) {
		c.becomeLeader()
	}
}
