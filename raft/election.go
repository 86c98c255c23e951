package raft

// timer is an election timeout, drawn anew for each role that waits on one (T3.4).
type timer struct {
	elapsed, timeout int
}

func (c *Core) newTimer() timer {
	n := c.cfg.ElectionTicks
	return timer{timeout: n + c.cfg.Random(n)}
}

// tick says whether the timeout has passed.
func (t *timer) tick() bool {
	t.elapsed++
	return t.elapsed >= t.timeout
}

// ballot is one server's answer.
type ballot struct {
	id      NodeID
	granted bool
}

// ballots are the answers to one question. A server's first answer counts.
type ballots []ballot

func (b *ballots) record(id NodeID, granted bool) {
	for _, v := range *b {
		if v.id == id {
			return
		}
	}
	*b = append(*b, ballot{id, granted})
}

func (b ballots) granted(id NodeID) bool {
	for _, v := range b {
		if v.id == id {
			return v.granted
		}
	}
	return false
}

func (b ballots) won(cfg *Configuration) bool { return cfg.agree(b.granted) }

// campaign starts an election, if this server may win one.
func (c *Core) campaign() {
	switch {
	case !c.mayCampaign() || c.hard.Term+1 >= maxTerm:
		c.become(&follower{timer: c.newTimer()})
	case c.cfg.PreVote:
		c.becomePreCandidate()
	default:
		c.becomeCandidate()
	}
}

// mayCampaign says whether this server's leadership may be needed. That takes a vote in
// the configuration in force or, while that may still be reverted, in one that it may
// be reverted to: its removal may be in no other live log, and then nobody else can win
// the votes to commit or to overwrite it (T4.2.2).
func (c *Core) mayCampaign() bool {
	for _, at := range c.configurations[c.configurations.inForce(c.commit):] {
		if at.configuration.isVoter(c.cfg.ID) {
			return true
		}
	}
	return false
}

// becomePreCandidate asks who would vote for this server in the next term (T9.6).
func (c *Core) becomePreCandidate() {
	p := &precandidate{timer: c.newTimer()}
	c.become(p)
	last := c.log.lastPosition()
	c.configuration().eachVoter(func(id NodeID) {
		if id != c.cfg.ID {
			c.send(&RequestPreVote{Header: Header{From: c.cfg.ID, To: id, Term: c.hard.Term + 1}, Last: last})
		}
	})
	// An intention is no promise, so this one need not be durable.
	p.votes.record(c.cfg.ID, true)
	p.count(c)
}

// becomeCandidate enters a new term and asks for votes in it (P5.2). The requests
// leave once term and vote are durable, since send holds back whatever rests on a
// term that is not.
func (c *Core) becomeCandidate() { c.campaignFor(false) }

// campaignFor says in its requests whether the leader itself asked for the election
// (T3.10).
func (c *Core) campaignFor(transfer bool) {
	c.hard = HardState{Term: c.hard.Term + 1, Vote: c.cfg.ID}
	c.become(&candidate{timer: c.newTimer()})
	last := c.log.lastPosition()
	c.configuration().eachVoter(func(id NodeID) {
		if id != c.cfg.ID {
			c.send(&RequestVote{Header: c.to(id), Last: last, Transfer: transfer})
		}
	})
}

// answerVote gives this term's vote to the first who asks, unless its log is behind
// (T3.4, T3.6.1). Servers outside of the own configuration are no exception (C16).
func (c *Core) answerVote(m *RequestVote) {
	granted := c.mayVote(m.From) && (m.Transfer || !c.promised()) && m.Last.AtLeastAsUpToDate(c.log.lastPosition())
	if granted && c.hard.Vote == None {
		c.hard.Vote = m.From
		if _, ok := c.role.(*precandidate); ok {
			c.becomeFollower(c.hard.Term, None)
		}
		if f, ok := c.role.(*follower); ok {
			f.timer.elapsed = 0
		}
	}
	c.send(&RequestVoteReply{Header: c.to(m.From), Granted: granted})
}

// mayVote says whether the current term's vote could go to id. In a term that has
// its leader a vote would change nothing.
func (c *Core) mayVote(id NodeID) bool {
	return c.hard.Vote == id || (c.hard.Vote == None && c.Leader() == None)
}

// answerPreVote says whether this server would vote for the sender, and changes
// nothing (T9.6, C33).
func (c *Core) answerPreVote(m *RequestPreVote) {
	if m.Term >= c.hard.Term && c.hearsLeader() && (c.cfg.PreVote || c.cfg.CheckQuorum) {
		return
	}
	if c.promised() {
		return
	}
	granted := m.Last.AtLeastAsUpToDate(c.log.lastPosition()) &&
		(m.Term > c.hard.Term || (m.Term == c.hard.Term && c.mayVote(m.From)))
	reply := &RequestPreVoteReply{Header: c.to(m.From), Granted: granted}
	if granted {
		reply.Term = m.Term
	}
	c.send(reply)
}

// hearsLeader says whether a leader was heard within the minimum election timeout
// (T4.2.3). A candidate of either kind has given up on one.
func (c *Core) hearsLeader() bool {
	switch r := c.role.(type) {
	case *leader:
		return true
	case *follower:
		return r.leaderID != None && r.timer.elapsed < c.cfg.ElectionTicks
	default:
		return false
	}
}
