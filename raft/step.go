package raft

// step applies what holds in every role: the term rule of P5.1, here and nowhere
// else, and the answers to requests for votes. The rest is the role's.
func (c *Core) step(m Message) {
	if !c.acceptable(m) || c.forgets(m) {
		return
	}
	h := m.header()
	switch {
	case ofNoTerm(m):
	case h.Term > c.hard.Term:
		if c.ignoresVoteRequest(m) {
			return
		}
		c.becomeFollower(h.Term, None)
	case h.Term < c.hard.Term:
		c.answerOld(m)
		return
	}
	switch m := m.(type) {
	case *RequestPreVote:
		c.answerPreVote(m)
	case *RequestVote:
		c.answerVote(m)
	case *TermNotice: // its term has said it all
	default:
		c.role.step(c, m)
	}
}

// ofNoTerm says whether a message's term is only talked about: a question about a
// possible next term, or the consent to it, changes nobody's term (T9.6).
func ofNoTerm(m Message) bool {
	switch m := m.(type) {
	case *RequestPreVote:
		return true
	case *RequestPreVoteReply:
		return m.Granted
	default:
		return false
	}
}

// ignoresVoteRequest is leader stickiness (T4.2.3): as long as a leader is heard,
// nobody can make this server leave its term, unless that leader asked for it. A
// promise goes further: it holds where the leader is no longer known.
func (c *Core) ignoresVoteRequest(m Message) bool {
	v, ok := m.(*RequestVote)
	return ok && !v.Transfer && (c.promised() || (c.cfg.CheckQuorum && c.hearsLeader()))
}

// answerOld answers a request of an older term with the current one (P5.1), so that
// its sender catches up. Where this server's own requests are ignored because the
// others hear from a leader, this is the only way for it to come unstuck (C34).
func (c *Core) answerOld(m Message) {
	to := c.to(m.header().From)
	switch m.(type) {
	case *RequestVote:
		c.send(&RequestVoteReply{Header: to})
	case *AppendEntries, *Heartbeat, *InstallSnapshot:
		c.send(&TermNotice{Header: to})
	}
}
