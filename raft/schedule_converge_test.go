package raft_test

import "castaway/raft"

// converge heals a random quorum and leaves the rest broken; it must elect, commit
// and answer. Then the rest heals too, and all must be equal.
func (s *schedule) converge() {
	c := s.c
	c.heal()
	down := (len(c.options.Voters) - 1) / 2
	if s.changed { // who is left may be fewer
		down = 0
	}
	for _, i := range c.rng.Perm(len(c.ids)) {
		id := c.ids[i]
		if down > 0 && c.rng.IntN(2) == 0 {
			down--
			c.isolate(id)
			continue
		}
		if !c.servers[id].up() {
			c.restart(id)
		}
	}
	c.options.manual = false
	s.serves("a quorum is healed")
	for _, id := range c.ids { // who was away may need a snapshot
		if c.servers[id].up() && c.rng.IntN(2) == 0 {
			c.keepTail(id, raft.Index(c.rng.IntN(5)))
		}
	}
	c.heal()
	for _, id := range c.ids {
		if !c.servers[id].up() {
			c.restart(id)
		}
	}
	s.serves("all is healed")
	c.pass(timeout)
	equal := c.passUntil(electionBound*timeout, func() bool {
		leader := c.leader()
		if leader == raft.None {
			return false
		}
		cfg := c.servers[leader].core.Status().Configuration
		for _, id := range c.ids {
			if cfg.IsMember(id) && (c.log(id) != c.log(leader) || c.commit(id) != c.commit(leader) || c.servers[id].committed != c.commit(leader)) {
				return false
			}
		}
		return true
	})
	c.want(equal, "all is healed, and the logs still differ")
	c.want(len(c.observer.asked) == 0, "reads hang: %v", c.observer.asked) // C28
}

// serves passes time until some leader commits a command and answers a read.
func (s *schedule) serves(when string) {
	c := s.c
	var p raft.Proposed
	var asked raft.ReadID
	proposer := raft.None
	done := c.passUntil(electionBound*timeout, func() bool {
		l := c.leader()
		if l == raft.None {
			return false
		}
		if l != proposer || c.term(l) != p.Term {
			var err, err2 error
			p, err = c.tryPropose(l, "serves")
			asked, err2 = c.tryRead(l)
			proposer = raft.None
			if err == nil && err2 == nil {
				proposer = l
			}
			return false
		}
		reads := c.servers[l].reads
		return c.commit(l) >= p.Last && len(reads) > 0 && reads[len(reads)-1].ID == asked
	})
	c.want(done, "%s, and after %d timeouts nobody serves; leader %d", when, electionBound, c.leader())
}
