package raft_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"castaway/raft"
)

// A leader that hears from no quorum steps down within an election timeout, and its
// reads end as aborted: neither hanging nor falsely answered.
func TestC28_IsolatedLeaderStepsDown(t *testing.T) {
	c := newCluster(t, 3)
	c.elect(1)
	c.pass(heartbeatTicks)
	c.isolate(1)
	r := c.read(1)
	p := c.propose(1, "indeterminate")
	c.tick(1, electionTicks-heartbeatTicks-1)
	c.want(c.role(1) == raft.Leader, "steps down before an election timeout")
	c.pass(2 * electionTicks)
	c.want(c.role(1) != raft.Leader, "still leads after %d ticks alone", 3*electionTicks)
	c.want(c.servers[1].core.Leader() == raft.None && c.term(1) == 1, "server 1 is %s", c.describe(1))
	c.want(len(c.servers[1].aborted) == 1 && c.servers[1].aborted[0] == r, "aborted %v; want read %d", c.servers[1].aborted, r)
	c.want(len(c.servers[1].reads) == 0, "answered %v", c.servers[1].reads)
	c.want(c.commit(1) < p.Last, "committed alone")
	roles := c.servers[1].roles
	c.want(len(roles) > 0 && roles[len(roles)-1].Role != raft.Leader, "nobody was told: %+v", roles)
	_, err := c.tryPropose(1, "refused")
	c.want(err == raft.ErrNotLeader, "a deposed leader answers a proposal with %v", err)
}

// Any message of a later term deposes a leader, and aborts its reads at once.
func TestC28_DeposedLeaderAbortsItsReads(t *testing.T) {
	c := newCluster(t, 3, plain)
	c.elect(1)
	a, b := c.read(1), c.read(1)
	c.step(&raft.HeartbeatReply{Header: raft.Header{From: 2, To: 1, Term: 9}, Round: 99})
	got := c.servers[1].aborted
	c.want(len(got) == 2 && got[0] == a && got[1] == b, "aborted %v; want %v", got, []raft.ReadID{a, b})
}

// As long as a quorum answers, to whatever, a leader stays.
func TestC28_ContactWithAQuorumKeepsTheLeader(t *testing.T) {
	c := newCluster(t, 5)
	c.elect(1)
	c.isolate(4)
	c.isolate(5)
	c.pass(10 * timeout)
	c.want(c.role(1) == raft.Leader && c.term(1) == 1, "three of five hear each other, and server 1 is %s", c.describe(1))
	c.isolate(3)
	c.pass(2 * timeout)
	c.want(c.role(1) != raft.Leader, "two of five are no quorum")
}

// Contact counts in its term only, and only from members.
func TestC28_StaleAndForeignContactDoesNotCount(t *testing.T) {
	c := newCluster(t, 3)
	c.elect(1)
	c.pass(heartbeatTicks)
	c.isolate(1)
	for range 2 * electionTicks {
		c.tick(1, 1)
		c.step(&raft.HeartbeatReply{Header: raft.Header{From: 7, To: 1, Term: 1}, Round: 1})
		c.step(&raft.AppendEntriesReply{Header: raft.Header{From: 2, To: 1, Term: 0}, Success: true})
	}
	c.want(c.role(1) != raft.Leader, "a stranger and a ghost keep it leading")
}

// Stickiness: who hears from a leader ignores RequestVote, whatever its term, unless
// the leader itself asked for the election.
func TestC37_RequestVoteIsIgnoredWhileALeaderIsHeard(t *testing.T) {
	for _, transfer := range []bool{false, true} {
		for _, id := range []raft.NodeID{1, 2} {
			c := newCluster(t, 3)
			c.elect(1)
			c.pass(heartbeatTicks)
			c.step(&raft.RequestVote{
				Header: raft.Header{From: 3, To: id, Term: 9}, Last: raft.Position{Term: 9, Index: 9}, Transfer: transfer,
			})
			c.want((c.term(id) == 9) == transfer, "transfer %v: server %d is %s", transfer, id, c.describe(id))
		}
	}
}

// It is no longer ignored once the leader is silent for the minimum timeout.
func TestC37_StickinessEndsWithTheTimeout(t *testing.T) {
	c := newCluster(t, 3)
	c.elect(1)
	c.settle()
	c.tick(2, electionTicks)
	c.drop(func(raft.Message) bool { return true })
	c.step(&raft.RequestVote{Header: raft.Header{From: 3, To: 2, Term: 9}, Last: raft.Position{Term: 9, Index: 9}})
	c.want(c.term(2) == 9, "server 2 is %s", c.describe(2))
}

// A pre-candidate has not voted: two that wait for each other's pre-vote would
// otherwise keep a third from winning.
func TestC37_PreCandidateStillVotes(t *testing.T) {
	c := newCluster(t, 3, withLogs(map[raft.NodeID][]raft.Term{1: {2}}))
	c.campaign(1)
	c.want(c.role(1) == raft.PreCandidate && c.term(1) == 2, "test: server 1 is %s", c.describe(1))
	c.step(&raft.RequestVote{Header: raft.Header{From: 3, To: 1, Term: 2}, Last: raft.Position{Term: 2, Index: 1}})
	c.disks()
	c.want(c.servers[1].core.Status().HardState.Vote == 3 && c.role(1) == raft.Follower, "server 1 is %s", c.describe(1))
}

// quorumConnected says whether more than half of the servers hear each other both
// ways.
func (c *cluster) quorumConnected() bool {
	for set := range 1 << len(c.ids) {
		size, connected := 0, true
		for i, a := range c.ids {
			if set&(1<<i) == 0 {
				continue
			}
			size++
			for k, b := range c.ids {
				if k != i && set&(1<<k) != 0 && c.net.cut[link{a, b}] {
					connected = false
				}
			}
		}
		if connected && 2*size > len(c.ids) {
			return true
		}
	}
	return false
}

// cutLinks cuts the links whose bit is set, of all n*(n-1).
func (c *cluster) cutLinks(set uint64) {
	bit := 0
	for _, a := range c.ids {
		for _, b := range c.ids {
			if a != b {
				if set&(1<<bit) != 0 {
					c.sever(a, b)
				}
				bit++
			}
		}
	}
}

// electionBound is the N of C37, in largest randomized timeouts.
const electionBound = 10

// serves says whether some leader commits a command proposed now, within the bound.
func (c *cluster) serves() bool {
	for range electionBound {
		if c.passUntil(timeout, func() bool { return c.leader() != raft.None }) {
			for _, id := range c.ids {
				if c.role(id) != raft.Leader {
					continue
				}
				p := c.propose(id, "serves")
				t := c.term(id)
				c.pass(heartbeatTicks)
				if c.role(id) == raft.Leader && c.term(id) == t && c.commit(id) >= p.Last {
					return true
				}
			}
		}
	}
	return false
}

// partition runs one set of cut links from an established leader (None: from the
// start).
func partition(t *testing.T, n int, set uint64, leader raft.NodeID) {
	t.Helper()
	c := newCluster(t, n, withSeed(set))
	if leader != raft.None {
		c.elect(leader)
	}
	c.cutLinks(set)
	if c.quorumConnected() {
		c.want(c.serves(), "links %b cut under leader %d: a quorum is fully connected, and nobody serves", set, leader)
	}
	c.heal()
	c.want(c.serves(), "links %b cut under leader %d: healed, and nobody serves", set, leader)
}

// All one-way partitions of three servers, from the start and under each leader:
// wherever two hear each other, one leads and serves within the bound.
func TestC37_AllAsymmetricPartitionsOfThree(t *testing.T) {
	for set := range uint64(1 << 6) {
		for leader := range raft.NodeID(4) {
			partition(t, 3, set, leader)
		}
	}
}

// A sample for four and five servers.
func TestC37_AsymmetricPartitionsOfFourAndFive(t *testing.T) {
	rng := rand.New(rand.NewPCG(37, 0))
	for _, n := range []int{4, 5} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			for range 150 {
				set := rng.Uint64() & rng.Uint64() & (1<<(n*(n-1)) - 1)
				partition(t, n, set, raft.NodeID(rng.IntN(n+1)))
			}
		})
	}
}
