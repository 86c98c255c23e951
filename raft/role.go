package raft

// role is what a server does in one of the four roles. Each implementation holds
// only the state that its role has, so that no other role can see a stale value.
//
// step gets messages of the current term only, apart from granted pre-votes; the
// term rule and everything that is the same in each role are in Core.step.
type role interface {
	kind() Role
	// leader is who this server believes to lead the current term.
	leader(c *Core) NodeID
	tick(c *Core)
	step(c *Core, m Message)
	// persisted is called whenever more has become durable.
	persisted(c *Core)
}

// legalTransitions are the arrows of the paper's Figure 4, with the pre-candidate
// of T9.6 between follower and candidate.
var legalTransitions = [4][4]bool{
	Follower:     {Follower: true, PreCandidate: true, Candidate: true},
	PreCandidate: {Follower: true, PreCandidate: true, Candidate: true},
	Candidate:    {Follower: true, PreCandidate: true, Candidate: true, Leader: true},
	Leader:       {Follower: true},
}

// become is the only place where the role changes.
func (c *Core) become(next role) {
	from, to := c.role.kind(), next.kind()
	invariant(legalTransitions[from][to], "a %v became a %v", from, to)
	if l, ok := c.role.(*leader); ok {
		l.abortReads(c)
		l.endTransfer(c)
	}
	c.role = next
}

// becomeFollower enters a term, or steps down within the current one. A follower
// stays on its election timer meanwhile: only its leader, and granting a vote,
// reset that (P5.2), or a server with an outdated log could put off every
// election by raising terms.
func (c *Core) becomeFollower(term Term, leader NodeID) {
	invariant(term >= c.hard.Term, "term went from %d back to %d", c.hard.Term, term)
	if term > c.hard.Term {
		c.hard = HardState{Term: term}
	}
	next := &follower{leaderID: leader}
	if f, ok := c.role.(*follower); ok {
		next.timer = f.timer
	} else {
		next.timer = c.newTimer()
	}
	c.become(next)
}
