package raft_test

import (
	"fmt"
	"testing"

	"castaway/raft"
)

// Figure 8: an entry of an earlier term on a majority is not committed by counting.
// (a) S1 leads term 2 and brings entry 2 to S2 alone. (b) S5 leads term 3 and writes
// another entry 2. (c) S1 leads term 4 and brings its old entry 2 to S3: a majority
// has it. (d) S5 may still win and overwrite it everywhere; (e) unless S1 has
// committed an entry of term 4 first.
func TestC05_Figure8(t *testing.T) {
	for _, committed := range []bool{false, true} {
		t.Run(fmt.Sprintf("entry of term 4 replicated %v", committed), func(t *testing.T) {
			c := newCluster(t, 5, plain, withLogs(map[raft.NodeID][]raft.Term{
				1: {1, 2}, 2: {1, 2}, 3: {1}, 4: {1}, 5: {1, 3},
			}))
			for _, id := range c.ids { // everyone has been through term 3
				c.servers[id].disk.hard.Term = 3
				c.crash(id, 0)
				c.restart(id)
			}
			c.isolate(5)
			c.isolate(4)
			c.campaign(1)
			c.disks()
			c.deliver(of[*raft.RequestVote])
			c.disks()
			c.deliver(of[*raft.RequestVoteReply])
			c.want(c.role(1) == raft.Leader && c.term(1) == 4, "S1 is %s", c.describe(1))
			figure8ReachesS3(c)
			c.want(c.log(3) == "[1 2]", "S3 holds %s", c.log(3))
			c.want(c.commit(1) < 2, "S1 counts replicas of an entry of term 2 and commits %d", c.commit(1))
			if committed {
				c.pass(2 * heartbeatTicks)
				c.want(c.commit(1) == 3, "S1 has entry 3 of term 4 on a majority and commits %d", c.commit(1))
			}
			c.drop(func(raft.Message) bool { return true })
			c.heal()
			c.isolate(1)
			for range 3 { // its first term may be the one in which S2 and S3 voted for S1
				c.tick(5, timeout)
				c.settle()
			}
			c.want((c.role(5) == raft.Leader) == !committed, "S5 is %s", c.describe(5))
		})
	}
}

// figure8ReachesS3 brings S1's entry of term 2, and nothing after it, to S2 and S3,
// and their answers back.
func figure8ReachesS3(c *cluster) {
	for range 20 {
		c.disks()
		for n := len(c.net.queue); n > 0; n-- {
			e := c.net.take(0)
			if m, ok := e.Message.(*raft.AppendEntries); ok {
				if m.Previous.Term == 4 {
					continue
				}
				old := *m
				for len(old.Entries) > 0 && old.Entries[len(old.Entries)-1].Term == 4 {
					old.Entries = old.Entries[:len(old.Entries)-1]
				}
				e.Message = &old
			}
			c.arrive(e)
		}
	}
}

// A new leader commits what its predecessor left, together with its own no-op.
func TestC06_NewLeaderCommitsWhatItInherits(t *testing.T) {
	c := newCluster(t, 3, plain, withLogs(map[raft.NodeID][]raft.Term{1: {1, 2, 2}, 2: {1, 2}, 3: {1}}))
	c.elect(1)
	c.want(c.commit(1) == 4, "commits up to %d; want its no-op at 4 and all before", c.commit(1))
	c.pass(heartbeatTicks)
	for _, id := range c.ids {
		c.want(c.log(id) == "[1 2 2 3]" && c.commit(id) == 4, "server %d is %s", id, c.describe(id))
	}
}

// A committed entry is in every later leader's log, whoever wins: each server in turn
// tries to win without those that have the entry.
func TestC06_LeaderCompleteness(t *testing.T) {
	c := newCluster(t, 5)
	c.elect(1)
	c.split([]raft.NodeID{1, 2, 3}, []raft.NodeID{4, 5})
	p := c.propose(1, "committed")
	c.settle()
	c.want(c.commit(1) == p.Last, "not committed")
	c.heal()
	c.isolate(1)
	for _, id := range []raft.NodeID{4, 5} {
		c.tick(id, timeout)
		c.settle()
		c.want(c.role(id) != raft.Leader, "server %d wins without entry %d", id, p.Last)
	}
	c.want(c.passUntil(10*timeout, func() bool { return c.leader() != raft.None && c.leader() != 1 }), "nobody wins")
	c.pass(timeout)
	for _, id := range c.ids[1:] {
		c.want(c.commit(id) > p.Last, "server %d is %s", id, c.describe(id)) // the observer compares what they apply
	}
}

// An entry is committed by a majority of durable copies, the leader's own not being
// special: its followers alone commit while its disk hangs (T10.2.1).
func TestC38_FollowersAloneCommit(t *testing.T) {
	c := newCluster(t, 3)
	c.elect(1)
	c.options.manual = true
	p := c.propose(1, "x")
	c.settle()
	c.want(len(c.servers[2].disk.pending) == 1, "the leader waits for its own disk before it sends")
	c.want(c.commit(1) < p.Last, "committed with no durable copy")
	c.sync(2, 1)
	c.settle()
	c.want(c.commit(1) < p.Last, "committed with one durable copy of three")
	c.sync(3, 1)
	c.settle()
	c.want(c.commit(1) == p.Last, "two durable copies of three, and not committed")
	c.want(c.servers[1].core.Status().Durable < p.Last, "the leader's own write is not durable, and it says so")
}

// The leader counts itself once its own write is durable, and not before.
func TestC38_LeaderCountsItselfOnceDurable(t *testing.T) {
	c := newCluster(t, 3)
	c.elect(1)
	c.isolate(3)
	c.options.manual = true
	p := c.propose(1, "x")
	c.settle()
	c.sync(2, 1)
	c.settle()
	c.want(c.commit(1) < p.Last, "one durable copy of three, and committed")
	c.sync(1, 1)
	c.want(c.commit(1) < p.Last, "committed before the core was told")
	c.settle()
	c.want(c.commit(1) == p.Last, "two durable copies of three, and not committed")
}

// Followers hear of a commit soon, with nothing else to carry it.
func TestC06_FollowersLearnOfCommits(t *testing.T) {
	c := newCluster(t, 5)
	c.elect(1)
	p := c.propose(1, "x")
	c.settle()
	c.pass(heartbeatTicks)
	for _, id := range c.ids {
		c.want(c.commit(id) == p.Last, "server %d is %s a heartbeat later", id, c.describe(id))
	}
}

// An even number of voters needs more than half.
func TestC06_HalfIsNoMajority(t *testing.T) {
	c := newCluster(t, 4)
	c.elect(1)
	c.split([]raft.NodeID{1, 2}, []raft.NodeID{3, 4})
	p := c.propose(1, "x")
	c.settle()
	c.want(c.commit(1) < p.Last, "two of four committed entry %d", p.Last)
	c.pass(5 * timeout)
	c.want(c.leader() == raft.None, "two of four have leader %d", c.leader())
}

// Two leaders of different terms exist for a while, as clocks stop and jump; only
// the later one commits (T3.9).
func TestC13_SafetyDoesNotDependOnTime(t *testing.T) {
	c := newCluster(t, 3)
	c.elect(1)
	c.isolate(1) // and its clock stands still, so it never learns that it is alone
	old := c.propose(1, "of the old leader")
	for _, id := range []raft.NodeID{2, 3} {
		c.tick(id, 1000*timeout) // theirs jumps
	}
	c.settle()
	for range 10 * timeout {
		c.tick(2, 1)
		c.tick(3, 2)
		c.settle()
	}
	leader := c.leader()
	c.want(c.role(1) == raft.Leader && leader > 1, "test: the old leader is %s, the new one %d", c.describe(1), leader)
	p := c.propose(leader, "of the new leader")
	r := c.read(1)
	c.settle()
	c.want(c.commit(leader) == p.Last && c.commit(1) < old.Last, "the old leader committed up to %d", c.commit(1))
	c.want(len(c.servers[1].reads) == 0, "the old leader answers read %d", r)
	c.heal()
	c.pass(timeout)
	c.want(c.role(1) == raft.Follower && c.log(1) == c.log(leader), "the old leader is %s", c.describe(1))
	c.want(len(c.servers[1].aborted) == 1, "the read of the old leader is left hanging")
}
