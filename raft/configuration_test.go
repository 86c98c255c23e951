package raft_test

import (
	"fmt"
	"testing"

	"castaway/raft"
)

// configured makes an AppendEntries that carries a configuration.
func configured(leaderTerm raft.Term, previous raft.Position, cfg raft.Configuration) *raft.AppendEntries {
	m := appendTo(1, leaderTerm, previous, leaderTerm)
	m.Entries[0].Kind, m.Entries[0].Data = raft.EntryConfiguration, cfg.Encode()
	return m
}

// A configuration is in force as soon as it is appended, and no longer once it is
// truncated; a restart finds the same (T4.1).
func TestC15_ConfigurationFollowsTheLog(t *testing.T) {
	c := newCluster(t, 3, withLogs(map[raft.NodeID][]raft.Term{1: {1, 1}}))
	others := raft.Configuration{Voters: []raft.NodeID{2, 3}, Learners: []raft.NodeID{1}}
	voters := func() string { return fmt.Sprint(c.servers[1].core.Status().Configuration.Voters) }
	c.step(configured(2, raft.Position{Term: 1, Index: 2}, others))
	c.want(voters() == "[2 3]", "appended, and the voters are %s", voters())
	c.disks()
	c.crash(1, 0)
	c.restart(1)
	c.want(voters() == "[2 3]", "restarted, and the voters are %s", voters())
	c.step(appendTo(1, 3, raft.Position{Term: 1, Index: 2}, 3))
	c.want(voters() == "[1 2 3]", "truncated, and the voters are %s", voters())
}

// Who has no vote does not campaign, by timeout or by order, but still votes for
// those who do (C16): its configuration may be behind.
func TestC16_WithoutAVoteNoCampaign(t *testing.T) {
	c := newCluster(t, 4, func(o *options) { o.Voters, o.Learners = []raft.NodeID{1, 2, 3}, []raft.NodeID{4} })
	c.elect(1)
	if err := c.change(1, raft.Change{Kind: raft.ChangeRemove, ID: 3}); err != nil {
		t.Fatal(err)
	}
	c.pass(timeout)
	c.want(c.configured(3) == "[1 2] [] [4]", "3 does not hear of its removal: %s", c.configured(3))
	c.isolate(1)
	for _, id := range []raft.NodeID{3, 4} {
		c.campaign(id)
		c.tick(id, 5*timeout)
		c.want(c.role(id) == raft.Follower && len(c.net.queue) == 0, "without a vote, %d is %s", id, c.describe(id))
		last := c.servers[id].core.Status().Last
		c.step(&raft.RequestVote{Header: raft.Header{From: 2, To: id, Term: 7}, Last: last})
		c.want(c.servers[id].core.Status().HardState.Vote == 2, "%d does not vote: %s", id, c.describe(id))
	}
}

// A removal that only the removed server's log holds is carried through by that server:
// one voter is dead, and the others cannot win the old majority, which takes the vote of
// the removed one, whose log is longer.
func TestC21_TheRemovedServerLeadsOnceMoreWhereOnlyItCan(t *testing.T) {
	c := newCluster(t, 4, func(o *options) { o.Voters, o.Learners = []raft.NodeID{1, 2, 3}, []raft.NodeID{4} })
	c.elect(1)
	c.pass(timeout)
	err := c.change(1, raft.Change{Kind: raft.ChangePromote, ID: 4}, raft.Change{Kind: raft.ChangeRemove, ID: 1})
	if err != nil {
		t.Fatal(err)
	}
	for c.configured(1) != "[2 3 4] [] []" {
		c.disks()
		c.want(len(c.net.queue) > 0, "the joint configuration is never left")
		c.arrive(c.net.take(0))
	}
	c.disks()
	c.drop(func(raft.Message) bool { return true }) // what leaves it reaches nobody
	for id := range raft.NodeID(4) {
		c.crash(id+1, 0)
	}
	for _, id := range []raft.NodeID{1, 2, 4} {
		c.restart(id)
	}
	c.want(c.configured(1) == "[2 3 4] [] []" && c.configured(2) == "[2 3 4] [1 2 3] []", "another story: %s, %s", c.configured(1), c.configured(2))
	through := c.passUntil(electionBound*timeout, func() bool {
		l := c.leader()
		return (l == 2 || l == 4) && c.configured(l) == "[2 3 4] [] []"
	})
	c.want(through, "a majority of the old and of the new voters lives, and nobody leads: %s", c.describe(1))
}

// A term has one leader; who claims to be another is not believed.
func TestElectionSafety_ASecondLeaderOfATermIsNotBelieved(t *testing.T) {
	c := newCluster(t, 3)
	c.step(appendTo(1, 1, raft.Position{}, 1))
	c.disks()
	c.drop(func(raft.Message) bool { return true })
	impostor := appendTo(1, 1, raft.Position{Term: 1, Index: 1}, 1)
	impostor.From = 3
	for _, m := range []raft.Message{impostor, &raft.Heartbeat{Header: impostor.Header, Round: 1}} {
		c.step(m)
		c.disks()
		c.want(c.servers[1].core.Leader() == 2 && c.log(1) == "[1]" && len(c.net.queue) == 0, "%s is believed: %s", describe(m), c.describe(1))
	}
}

// A committed change that the machine has not come to yet counts already: a server that
// campaigns needs the votes of the new configuration, and those of the old do not help it
// (C18). Configurations count from when they are appended, so that no server ever
// campaigns by one that it knows to be over.
func TestC18_AChangeCountsBeforeItIsApplied(t *testing.T) {
	c := newCluster(t, 4, plain)
	c.elect(1)
	c.settle()
	disks := func() { // and no machine of server 2's
		for _, id := range c.ids {
			c.sync(id, 1<<30)
			c.acknowledge(id)
		}
	}
	if err := c.change(1, raft.Change{Kind: raft.ChangeRemove, ID: 4}); err != nil {
		t.Fatal(err)
	}
	for steps := 0; c.configured(2) != "[1 2 3] [] []" || c.commit(2) < c.servers[2].core.Status().Last.Index; steps++ {
		c.want(steps < 1000, "the change is never committed: %s", c.describe(1))
		disks()
		if len(c.net.queue) == 0 {
			c.tick(1, heartbeatTicks)
			continue
		}
		c.arrive(c.net.take(0))
	}
	st := c.servers[2].core.Status()
	c.want(st.Applied < st.ConfigurationIndex && st.ConfigurationIndex <= st.Commit, "the change is committed and not applied: %s", c.describe(2))
	c.isolate(1)
	c.campaign(2)
	disks()
	c.deliver(func(m raft.Message) bool { r, ok := m.(*raft.RequestVote); return ok && r.To == 4 })
	disks()
	c.deliver(func(m raft.Message) bool { r, ok := m.(*raft.RequestVoteReply); return ok && r.From == 4 })
	c.want(c.role(2) == raft.Candidate, "who is out has no vote: %s", c.describe(2))
	c.settle()
	c.want(c.role(2) == raft.Leader, "two of the three that are left are enough: %s", c.describe(2))
}
