package raft_test

import (
	"testing"

	"castaway/raft"
)

// Asking for pre-votes, and giving them, changes nobody's term or vote.
func TestC33_PreVoteChangesNeitherTermNorVote(t *testing.T) {
	c := newCluster(t, 3)
	c.campaign(1)
	c.want(c.role(1) == raft.PreCandidate && c.term(1) == 0, "server 1 is %s", c.describe(1))
	c.disks()
	c.deliver(of[*raft.RequestPreVote])
	for _, id := range c.ids {
		h := c.servers[id].core.Status().HardState
		c.want(h == raft.HardState{}, "a pre-vote left server %d with %+v", id, h)
		c.want(len(c.servers[id].disk.pending) == 0, "a pre-vote made server %d write", id)
	}
	c.settle()
	c.want(c.role(1) == raft.Leader && c.term(1) == 1, "granted, server 1 is %s", c.describe(1))
}

// A pre-vote is given to as many as ask, since it is not a vote.
func TestC33_PreVoteIsNotAVote(t *testing.T) {
	c := newCluster(t, 3)
	for _, from := range []raft.NodeID{2, 3} {
		c.step(&raft.RequestPreVote{Header: raft.Header{From: from, To: 1, Term: 1}})
		replies := c.drop(of[*raft.RequestPreVoteReply])
		c.want(len(replies) == 1, "%d answers", len(replies))
		m := replies[0].(*raft.RequestPreVoteReply)
		c.want(m.Granted && m.Term == 1, "%s; want term 1, granted", describe(m))
	}
}

// A server that still hears from a leader refuses a pre-vote, and so does the
// leader itself; after the election timeout, it grants.
func TestC33_RefusedWhileALeaderIsRecent(t *testing.T) {
	c := newCluster(t, 3)
	c.elect(1)
	ask := func(to raft.NodeID) bool {
		c.step(&raft.RequestPreVote{Header: raft.Header{From: 3, To: to, Term: 9}, Last: raft.Position{Term: 1, Index: 1}})
		granted := false
		for _, m := range c.drop(of[*raft.RequestPreVoteReply]) {
			granted = granted || m.(*raft.RequestPreVoteReply).Granted
		}
		return granted
	}
	c.want(!ask(2), "server 2 hears from its leader and grants a pre-vote")
	c.want(!ask(1), "the leader grants a pre-vote")
	c.tick(2, electionTicks-1)
	c.drop(func(raft.Message) bool { return true })
	c.want(!ask(2), "server 2 heard from its leader within the minimum election timeout and grants a pre-vote")
	c.tick(2, 1)
	c.drop(func(raft.Message) bool { return true })
	c.want(ask(2), "server 2 has not heard from its leader for an election timeout and refuses")
}

// The reason for pre-vote: a server that was cut off comes back and disturbs nobody.
func TestC33_RejoiningServerLeavesTheTermUnchanged(t *testing.T) {
	c := newCluster(t, 3)
	c.elect(1)
	c.isolate(3)
	c.pass(20 * timeout)
	c.want(c.term(3) == 1, "alone, server 3 got to term %d", c.term(3))
	c.want(c.role(3) == raft.PreCandidate, "server 3 is %s", c.describe(3))
	p := c.propose(1, "meanwhile")
	c.settle()
	c.heal()
	c.pass(2 * timeout)
	c.want(c.role(1) == raft.Leader && c.term(1) == 1, "the leader was disturbed: %s", c.describe(1))
	c.want(c.role(3) == raft.Follower && c.commit(3) == p.Last, "server 3 does not catch up: %s", c.describe(3))
}

// Without pre-vote, the same server does disturb; this is what the test above
// would see if pre-vote did nothing.
func TestC33_WithoutPreVoteRejoiningRaisesTheTerm(t *testing.T) {
	c := newCluster(t, 3, plain)
	c.elect(1)
	c.isolate(3)
	c.pass(5 * timeout)
	c.want(c.term(3) > 1, "alone, server 3 stays in term %d", c.term(3))
	c.heal()
	c.pass(10 * timeout)
	c.want(c.leader() != raft.None && c.term(c.leader()) > 1, "no leader of a later term")
}

// A pre-candidate with too old a log gets nowhere, and leaves the way free.
func TestC33_PreVoteComparesLogs(t *testing.T) {
	c := newCluster(t, 3, withLogs(map[raft.NodeID][]raft.Term{1: {1}, 2: {1, 2}, 3: {1, 2}}))
	c.crash(1, 0)
	c.servers[1].disk.hard.Term = 2
	c.restart(1)
	c.campaign(1)
	c.settle()
	c.want(c.role(1) == raft.PreCandidate && c.term(2) == 2 && c.term(3) == 2, "server 1 is %s", c.describe(1))
	c.elect(2)
}

// A refusal carries the refuser's own term, from which a pre-candidate learns that
// it is behind; it must not learn terms from a grant, which carries its own.
func TestC33_PreVoteRepliesTeachOnlyRealTerms(t *testing.T) {
	c := newCluster(t, 3)
	c.campaign(1)
	c.step(&raft.RequestPreVoteReply{Header: raft.Header{From: 2, To: 1, Term: 7}})
	c.want(c.term(1) == 7 && c.role(1) == raft.Follower, "refused from term 7, server 1 is %s", c.describe(1))

	c = newCluster(t, 5)
	c.campaign(1)
	c.step(&raft.RequestPreVoteReply{Header: raft.Header{From: 2, To: 1, Term: 1}, Granted: true})
	c.want(c.term(1) == 0 && c.role(1) == raft.PreCandidate, "granted by one of five, server 1 is %s", c.describe(1))
	c.step(&raft.RequestPreVoteReply{Header: raft.Header{From: 2, To: 1, Term: 1}, Granted: true})
	c.want(c.role(1) == raft.PreCandidate, "one server's pre-vote counted twice")
	c.step(&raft.RequestPreVoteReply{Header: raft.Header{From: 3, To: 1, Term: 1}, Granted: true})
	c.want(c.role(1) == raft.Candidate && c.term(1) == 1, "granted by a quorum, server 1 is %s", c.describe(1))
}

// A grant names the term that it is for, so one that answers an earlier question
// does not count in this one.
func TestC33_GrantsForAnEarlierQuestionDoNotCount(t *testing.T) {
	c := newCluster(t, 3, withLogs(map[raft.NodeID][]raft.Term{1: {4}}))
	c.campaign(1)
	for _, asked := range []raft.Term{1, 4, 6} {
		c.step(&raft.RequestPreVoteReply{Header: raft.Header{From: 2, To: 1, Term: asked}, Granted: true})
		c.want(c.role(1) == raft.PreCandidate, "granted for term %d, it is %s", asked, c.describe(1))
	}
	c.step(&raft.RequestPreVoteReply{Header: raft.Header{From: 2, To: 1, Term: 5}, Granted: true})
	c.want(c.role(1) == raft.Candidate, "granted for term 5, it is %s", c.describe(1))
}

// A server with a higher term than the leader's (it campaigned before pre-vote was
// switched on, say) ignores the leader's messages, and stickiness ignores its
// requests. It gets unstuck because messages of a lower term are answered.
func TestC34_ServerWithAHigherTermRejoins(t *testing.T) {
	for _, preVote := range []bool{true, false} {
		c := newCluster(t, 3, withConfig(func(cfg *raft.Config) { cfg.PreVote = preVote }))
		c.elect(1)
		c.crash(3, 0)
		c.servers[3].disk.hard = raft.HardState{Term: 8, Vote: 3}
		c.restart(3)
		p := c.propose(1, "before")
		c.settle()
		recovered := c.passUntil(10*timeout, func() bool {
			l := c.leader()
			return l != raft.None && c.term(l) >= 8 && c.commit(3) >= p.Last
		})
		c.want(recovered, "pre-vote %v: server 3 stays behind: %s", preVote, c.describe(3))
		p = c.propose(c.leader(), "after")
		c.settle()
		c.pass(heartbeatTicks)
		for _, id := range c.ids {
			c.want(c.commit(id) >= p.Last, "pre-vote %v: server %d is %s", preVote, id, c.describe(id))
		}
	}
}

// Every kind of message that a stuck server may get from a leader of a lower term is
// answered with the higher one.
func TestC34_LowerTermsAreAnswered(t *testing.T) {
	for _, preVote := range []bool{true, false} {
		for _, m := range []raft.Message{
			&raft.Heartbeat{Header: raft.Header{From: 2, To: 1, Term: 3}},
			&raft.AppendEntries{Header: raft.Header{From: 2, To: 1, Term: 3}},
			&raft.RequestPreVote{Header: raft.Header{From: 2, To: 1, Term: 3}},
		} {
			c := newCluster(t, 3, withLogs(map[raft.NodeID][]raft.Term{1: {8}}),
				withConfig(func(cfg *raft.Config) { cfg.PreVote = preVote }))
			c.step(m)
			c.disks()
			c.want(len(c.net.queue) == 1, "%s gets %d answers", describe(m), len(c.net.queue))
			h := raft.HeaderOf(c.net.queue[0].Message)
			c.want(h.To == 2 && h.Term == 8, "%s is answered by %s", describe(m), describe(c.net.queue[0].Message))
		}
	}
}

// Answers are not answered: two servers never talk of terms for ever.
func TestC34_AnswersAreNotAnswered(t *testing.T) {
	for _, m := range everyMessage(raft.Header{From: 2, To: 1, Term: 3}) {
		switch m.(type) {
		case *raft.RequestPreVoteReply, *raft.RequestVoteReply, *raft.AppendEntriesReply, *raft.HeartbeatReply, *raft.TermNotice:
			c := newCluster(t, 3, withLogs(map[raft.NodeID][]raft.Term{1: {8}}))
			c.step(m)
			c.disks()
			c.want(len(c.net.queue) == 0, "%s is answered by %v", describe(m), c.net.queue)
		}
	}
}

// Pre-vote and check-quorum are switched on one server at a time, restarting each;
// at every mixture the cluster elects, commits, and replaces a leader that dies.
func TestC35_SwitchedOnOneServerAtATime(t *testing.T) {
	on := map[raft.NodeID]bool{}
	c := newCluster(t, 3, withConfig(func(cfg *raft.Config) {
		cfg.PreVote, cfg.CheckQuorum = on[cfg.ID], on[cfg.ID]
	}))
	works := func() {
		t.Helper()
		c.want(c.passUntil(10*timeout, func() bool { return c.leader() != raft.None }), "with %v: no leader", on)
		p := c.propose(c.leader(), "works")
		c.pass(timeout)
		for _, id := range c.ids {
			c.want(c.commit(id) >= p.Last, "with %v: server %d is %s", on, id, c.describe(id))
		}
	}
	works()
	for _, id := range c.ids {
		c.crash(id, 0)
		on[id] = true
		c.restart(id)
		works()
		dead := c.leader()
		c.isolate(dead)
		c.want(c.passUntil(10*timeout, func() bool { return c.leader() != raft.None && c.leader() != dead }),
			"with %v: nobody replaces leader %d", on, dead)
		c.heal()
		c.pass(2 * timeout)
		works()
	}
}

// In every mixture, everyone can win an election: a server that does not use pre-vote
// answers those that do.
func TestC35_EveryoneCanWinInEveryMixture(t *testing.T) {
	for mixture := range 1 << 6 {
		for _, id := range []raft.NodeID{1, 2, 3} {
			c := newCluster(t, 3, withConfig(func(cfg *raft.Config) {
				cfg.PreVote = mixture>>(cfg.ID-1)&1 != 0
				cfg.CheckQuorum = mixture>>(cfg.ID+2)&1 != 0
			}))
			c.isolate(id%3 + 1)
			c.elect(id)
		}
	}
}

// A pre-candidate does not know a leader: it would send clients to one that is gone.
func TestC36_PreCandidateForgetsTheLeader(t *testing.T) {
	c := newCluster(t, 3)
	c.elect(1)
	c.want(c.servers[2].core.Leader() == 1, "server 2 does not know its leader")
	c.isolate(2)
	c.tick(2, timeout)
	c.want(c.role(2) == raft.PreCandidate, "server 2 is %s", c.describe(2))
	c.want(c.servers[2].core.Leader() == raft.None, "server 2 still sends clients to server 1")
	roles := c.servers[2].roles
	c.want(len(roles) > 0 && roles[len(roles)-1].Leader == raft.None, "nobody was told that the leader is unknown: %+v", roles)
	c.heal()
	c.pass(heartbeatTicks)
	c.want(c.role(2) == raft.Follower && c.servers[2].core.Leader() == 1, "the leader is back, and server 2 is %s", c.describe(2))
}
