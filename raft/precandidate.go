package raft

// precandidate asks whether an election could succeed before it disturbs anyone
// with a new term (T9.6). Its own term and vote are untouched. It knows no leader
// (C36), so that requests are not passed on in circles.
type precandidate struct {
	timer timer
	votes ballots
}

func (p *precandidate) kind() Role          { return PreCandidate }
func (p *precandidate) leader(*Core) NodeID { return None }
func (p *precandidate) persisted(*Core)     {}

func (p *precandidate) tick(c *Core) {
	if p.timer.tick() {
		c.campaign()
	}
}

func (p *precandidate) step(c *Core, m Message) {
	switch m := m.(type) {
	case *AppendEntries, *Heartbeat, *InstallSnapshot:
		c.followInstead(m)
	case *RequestPreVoteReply:
		// A grant names the term that was asked for; a grant for another term
		// answers an earlier question.
		if m.Granted && m.Term != c.hard.Term+1 {
			return
		}
		p.votes.record(m.From, m.Granted)
		p.count(c)
	}
}

func (p *precandidate) count(c *Core) {
	if p.votes.won(c.configuration()) {
		c.becomeCandidate()
	}
}
