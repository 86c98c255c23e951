package raft_test

import (
	"fmt"
	"testing"

	"castaway/raft"
)

// A term that a server has spoken of is a term that it comes back with.
func TestC01_TermNeverGoesBackAcrossRestarts(t *testing.T) {
	c := newCluster(t, 3, plain, withManualDisks)
	request := &raft.RequestVote{Header: raft.Header{From: 2, To: 1, Term: 5}}
	c.step(request)
	c.want(len(c.net.queue) == 0, "the vote left before its term was durable")
	c.crash(1, 0)
	c.restart(1)
	c.want(c.term(1) == 0, "nobody heard of term 5, and the disk did not either")

	c.step(request)
	c.sync(1, 1)
	c.want(len(c.drop(of[*raft.RequestVoteReply])) == 1, "the vote does not leave once it is durable")
	c.crash(1, 0)
	c.restart(1)
	c.want(c.term(1) == 5, "server 1 spoke of term 5 and comes back in term %d", c.term(1))

	for _, m := range everyMessage(raft.Header{From: 2, To: 1, Term: 3}) {
		c.step(m)
		c.want(c.term(1) == 5, "%s takes the term back to %d", describe(m), c.term(1))
	}
}

// A vote is given once a term, whatever happens in between, but may be said again.
func TestC02_OneVoteATerm(t *testing.T) {
	c := newCluster(t, 3, plain)
	ask := func(candidate raft.NodeID) bool {
		c.step(&raft.RequestVote{Header: raft.Header{From: candidate, To: 1, Term: 2}})
		c.disks()
		replies := c.drop(of[*raft.RequestVoteReply])
		c.want(len(replies) == 1, "%d answers to one request", len(replies))
		return replies[0].(*raft.RequestVoteReply).Granted
	}
	c.want(ask(2), "the first to ask is refused")
	c.want(!ask(3), "the second to ask in the same term gets a vote too")
	c.want(ask(2), "the vote is not repeated to the one that has it")
	c.crash(1, 0)
	c.restart(1)
	c.want(!ask(3), "the vote is forgotten in a restart")
	c.want(ask(2), "after a restart, the vote is not repeated to the one that has it")
}

// A candidate votes for itself, so it cannot vote for another.
func TestC02_CandidateKeepsItsOwnVote(t *testing.T) {
	c := newCluster(t, 3, plain)
	c.campaign(1)
	c.disks()
	c.drop(of[*raft.RequestVote])
	c.step(&raft.RequestVote{Header: raft.Header{From: 2, To: 1, Term: 1}, Last: raft.Position{Term: 1, Index: 9}})
	c.disks()
	for _, m := range c.drop(of[*raft.RequestVoteReply]) {
		c.want(!m.(*raft.RequestVoteReply).Granted, "the candidate of term 1 votes for another in term 1")
	}
	c.crash(1, 0)
	c.restart(1)
	c.want(c.servers[1].core.Status().HardState.Vote == 1, "a restart forgets the vote for oneself")
}

// A candidate counts its own vote only once it is durable: a crash right after the
// election would let it vote for another in the same term.
func TestC02_OwnVoteCountsOnceDurable(t *testing.T) {
	c := newCluster(t, 3, plain, withManualDisks)
	c.campaign(1)
	for _, voter := range []raft.NodeID{2} {
		c.step(&raft.RequestVoteReply{Header: raft.Header{From: voter, To: 1, Term: 1}, Granted: true})
	}
	c.want(c.role(1) != raft.Leader, "leader by one vote of three and one that may be forgotten")
	c.sync(1, 1)
	c.acknowledge(1)
	c.step(&raft.RequestVoteReply{Header: raft.Header{From: 2, To: 1, Term: 1}, Granted: true})
	c.want(c.role(1) == raft.Leader, "not leader after two votes of three")
}

// One server's vote counts once, however often it is said.
func TestC02_VotesAreCountedOncePerServer(t *testing.T) {
	c := newCluster(t, 5, plain)
	c.campaign(1)
	c.disks()
	for range 5 {
		c.step(&raft.RequestVoteReply{Header: raft.Header{From: 2, To: 1, Term: 1}, Granted: true})
	}
	c.want(c.role(1) == raft.Candidate, "two of five made a leader")
	c.step(&raft.RequestVoteReply{Header: raft.Header{From: 9, To: 1, Term: 1}, Granted: true})
	c.want(c.role(1) == raft.Candidate, "a server outside the configuration made a leader")
	c.step(&raft.RequestVoteReply{Header: raft.Header{From: 3, To: 1, Term: 1}, Granted: true})
	c.want(c.role(1) == raft.Leader, "three of five made no leader")
}

// Votes of an older election do not count in this one.
func TestC02_VotesOfAnOlderTermDoNotCount(t *testing.T) {
	c := newCluster(t, 3, plain)
	c.campaign(1)
	c.disks()
	c.drop(of[*raft.RequestVote])
	for c.term(1) == 1 {
		c.tick(1, 1)
	}
	c.disks()
	c.want(c.term(1) == 2, "the second campaign is in term %d", c.term(1))
	c.step(&raft.RequestVoteReply{Header: raft.Header{From: 2, To: 1, Term: 1}, Granted: true})
	c.want(c.role(1) == raft.Candidate, "a vote of term 1 made a leader of term 2")
}

// Each timeout is drawn anew from [ElectionTicks, 2*ElectionTicks).
func TestT3_4_TimeoutsAreRandomized(t *testing.T) {
	for _, draw := range []int{0, 3, electionTicks - 1} {
		draws := 0
		c := newCluster(t, 3, withConfig(func(cfg *raft.Config) {
			cfg.PreVote = false
			cfg.Random = func(n int) int {
				draws++
				if n != electionTicks {
					t.Errorf("a timeout is drawn from [0, %d); want [0, %d)", n, electionTicks)
				}
				return draw
			}
		}))
		c.tick(1, electionTicks+draw-1)
		c.want(c.role(1) == raft.Follower, "draw %d: campaigns before its timeout", draw)
		before := draws
		c.tick(1, 1)
		c.want(c.role(1) == raft.Candidate, "draw %d: does not campaign at its timeout", draw)
		c.want(draws > before, "the next timeout is not drawn anew")
		c.tick(1, electionTicks+draw)
		c.want(c.term(1) == 2, "a candidate without an answer campaigns again, in term %d", c.term(1))
	}
}

// Granting a vote puts off one's own campaign; being asked by a server that cannot
// win does not, or such a one could keep everybody else from trying (P5.2).
func TestT3_4_OnlyAGrantedVotePutsOffTheCampaign(t *testing.T) {
	for _, granted := range []bool{true, false} {
		c := newCluster(t, 3, withLogs(map[raft.NodeID][]raft.Term{1: {1, 1}}), withConfig(func(cfg *raft.Config) {
			cfg.PreVote, cfg.CheckQuorum = false, false
			cfg.Random = func(int) int { return 0 }
		}))
		c.tick(1, electionTicks-1)
		m := &raft.RequestVote{Header: raft.Header{From: 2, To: 1, Term: 2}, Last: raft.Position{Term: 1, Index: 1}}
		if granted {
			m.Last.Index = 2
		}
		c.step(m)
		c.want((c.servers[1].core.Status().HardState.Vote == 2) == granted, "test: server 1 is %s", c.describe(1))
		c.tick(1, 1)
		c.want((c.role(1) == raft.Follower) == granted, "granted %v: at its timeout it is %s", granted, c.describe(1))
		c.tick(1, electionTicks-1)
		c.want(c.role(1) == raft.Candidate, "granted %v: a timeout later it is %s", granted, c.describe(1))
	}
}

// A voter compares the last entries' terms first, and only then the lengths.
func TestC04_VoterRefusesALogLessUpToDate(t *testing.T) {
	for _, test := range []struct {
		candidate raft.Position
		granted   bool
	}{
		{raft.Position{Term: 3, Index: 3}, true},
		{raft.Position{Term: 3, Index: 4}, true},
		{raft.Position{Term: 4, Index: 1}, true},
		{raft.Position{Term: 3, Index: 2}, false},
		{raft.Position{Term: 2, Index: 9}, false}, // longer, with a lower last term
		{raft.Position{}, false},
	} {
		t.Run(test.candidate.String(), func(t *testing.T) {
			for _, pre := range []bool{false, true} {
				c := newCluster(t, 3, plain, withLogs(map[raft.NodeID][]raft.Term{1: {1, 2, 3}}))
				h := raft.Header{From: 2, To: 1, Term: 9}
				if pre {
					c.step(&raft.RequestPreVote{Header: h, Last: test.candidate})
				} else {
					c.step(&raft.RequestVote{Header: h, Last: test.candidate})
				}
				c.disks()
				granted := false
				for _, e := range c.net.queue {
					switch m := e.Message.(type) {
					case *raft.RequestVoteReply:
						granted = m.Granted
					case *raft.RequestPreVoteReply:
						granted = m.Granted
					}
				}
				c.want(granted == test.granted, "granted %v (pre-vote %v); want %v", granted, pre, test.granted)
			}
		})
	}
}

// A longer log with a lower last term loses the election (the same rule, seen from
// the candidate's side).
func TestC04_LongerLogOfALowerTermLoses(t *testing.T) {
	c := newCluster(t, 3, plain, withLogs(map[raft.NodeID][]raft.Term{
		1: {1, 1, 1, 1}, 2: {1, 2}, 3: {1, 2},
	}))
	c.campaign(1)
	c.settle()
	c.want(c.role(1) != raft.Leader, "the longer log won over the later one")
	c.elect(2)
	c.want(c.log(1) == "[1 2 3]", "server 1 keeps %s", c.log(1))
}

// Two candidates share the votes of four servers: nobody leads, and the next
// timeouts, being random, bring one forward.
func TestT3_4_SplitVote(t *testing.T) {
	c := newCluster(t, 4, plain)
	c.campaign(1)
	c.campaign(2)
	c.disks()
	c.deliver(between(1, 3))
	c.deliver(between(2, 4))
	c.settle()
	c.want(c.leader() == raft.None, "server %d leads by two votes of four", c.leader())
	c.want(c.passUntil(10*timeout, func() bool { return c.leader() != raft.None }), "no leader after 10 timeouts")
	c.want(c.term(c.leader()) > 1, "a leader of the split term")
}

// A candidate that hears from the leader of its term follows it.
func TestT3_4_CandidateFollowsTheLeaderOfItsTerm(t *testing.T) {
	for _, m := range []raft.Message{
		&raft.Heartbeat{Header: raft.Header{From: 2, To: 1, Term: 1}, Round: 1},
		&raft.AppendEntries{Header: raft.Header{From: 2, To: 1, Term: 1}},
	} {
		c := newCluster(t, 3, plain)
		c.campaign(1)
		c.disks()
		c.step(m)
		c.want(c.role(1) == raft.Follower && c.servers[1].core.Leader() == 2, "after %s it is %s", describe(m), c.describe(1))
		c.want(c.servers[1].core.Status().HardState.Vote == 1, "following the leader changed the vote")
	}
}

// The term rule (T3.3): whatever a server is, any message of a later term makes it
// a follower of that term; pre-votes alone do not.
func TestT3_3_LaterTermMakesAFollower(t *testing.T) {
	for _, role := range []raft.Role{raft.Follower, raft.PreCandidate, raft.Candidate, raft.Leader} {
		for _, m := range everyMessage(raft.Header{From: 2, To: 1, Term: 7}) {
			t.Run(fmt.Sprintf("%s/%T", role, m), func(t *testing.T) {
				c := clusterWith(t, role)
				before := c.term(1)
				c.step(m)
				switch m.(type) {
				case *raft.RequestPreVote, *raft.RequestPreVoteReply:
					c.want(c.term(1) == before || c.term(1) == 7, "%s brings about term %d", describe(m), c.term(1))
				default:
					c.want(c.term(1) == 7 && c.role(1) == raft.Follower, "after %s it is %s", describe(m), c.describe(1))
				}
			})
		}
	}
}

// clusterWith is a cluster without stickiness in which server 1 has a role.
func clusterWith(t *testing.T, role raft.Role) *cluster {
	t.Helper()
	c := newCluster(t, 3, withConfig(func(cfg *raft.Config) {
		cfg.CheckQuorum, cfg.PreVote = false, role == raft.PreCandidate
	}))
	switch role {
	case raft.PreCandidate, raft.Candidate:
		c.campaign(1)
		c.disks()
	case raft.Leader:
		c.elect(1)
	}
	c.drop(func(raft.Message) bool { return true })
	c.want(c.role(1) == role, "test: server 1 is %s; want %s", c.describe(1), role)
	return c
}

// everyMessage is one message of each type, empty but for its header.
func everyMessage(h raft.Header) []raft.Message {
	return []raft.Message{
		&raft.RequestPreVote{Header: h}, &raft.RequestPreVoteReply{Header: h},
		&raft.RequestVote{Header: h}, &raft.RequestVoteReply{Header: h},
		&raft.AppendEntries{Header: h}, &raft.AppendEntriesReply{Header: h},
		&raft.Heartbeat{Header: h}, &raft.HeartbeatReply{Header: h},
		&raft.TermNotice{Header: h},
	}
}

// A single voter needs nobody, but its disk.
func TestT3_4_SingleVoterElectsItself(t *testing.T) {
	c := newCluster(t, 1)
	c.pass(timeout)
	c.want(c.role(1) == raft.Leader, "server 1 is %s", c.describe(1))
	p := c.propose(1, "alone")
	c.settle()
	c.want(c.commit(1) == p.Last, "committed up to %d; want %d", c.commit(1), p.Last)
	r := c.read(1)
	c.settle()
	c.want(len(c.servers[1].reads) == 1 && c.servers[1].reads[0].ID == r, "the read is not answered")
}
