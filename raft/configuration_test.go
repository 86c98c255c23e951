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
	c := newCluster(t, 3, withLogs(map[raft.NodeID][]raft.Term{1: {1, 1}}))
	c.step(configured(2, raft.Position{Term: 1, Index: 2}, raft.Configuration{Voters: []raft.NodeID{2, 3}}))
	c.disks()
	c.drop(func(raft.Message) bool { return true })
	c.campaign(1)
	c.tick(1, 5*timeout)
	c.want(c.role(1) == raft.Follower && len(c.net.queue) == 0, "removed, it is %s", c.describe(1))
	c.step(&raft.RequestVote{Header: raft.Header{From: 3, To: 1, Term: 7}, Last: raft.Position{Term: 2, Index: 3}})
	c.want(c.servers[1].core.Status().HardState.Vote == 3, "it does not vote: %s", c.describe(1))
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
