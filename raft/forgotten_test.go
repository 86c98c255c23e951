package raft_test

import (
	"reflect"
	"slices"
	"testing"

	"castaway/raft"
)

// forgetful puts disks into servers that know less than what they acknowledged.
func forgetful(o *options) { o.forgetful = true }

// copyOf is a backup.
func (d *disk) copyOf() *disk {
	return &disk{hard: d.hard, log: slices.Clone(d.log), view: slices.Clone(d.log)}
}

// replace starts a server from another disk; what it announced is forgotten, too.
func (c *cluster) replace(id raft.NodeID, d *disk) {
	c.t.Helper()
	c.crash(id, 0)
	c.servers[id].disk = d
	delete(c.observer.terms, id)
	c.restart(id)
}

// heartbeat lets the leader's next heartbeat arrive at id.
func (c *cluster) heartbeat(leader, id raft.NodeID) {
	c.t.Helper()
	c.tick(leader, heartbeatTicks)
	c.deliver(func(m raft.Message) bool {
		h, ok := m.(*raft.Heartbeat)
		return ok && h.To == id
	})
}

// silent gives a server every reason to speak, and wants to hear nothing.
func (c *cluster) silent(id raft.NodeID) {
	c.t.Helper()
	before := c.servers[id].core.Status()
	c.drop(func(raft.Message) bool { return true })
	c.tick(id, 5*timeout)
	c.campaign(id)
	for _, m := range []raft.Message{
		&raft.RequestPreVote{Header: raft.Header{From: 3, To: id, Term: 99}, Last: raft.Position{Term: 98, Index: 99}},
		&raft.RequestVote{Header: raft.Header{From: 3, To: id, Term: 99}, Last: raft.Position{Term: 98, Index: 99}},
		&raft.AppendEntries{Header: raft.Header{From: 1, To: id, Term: 99}},
		&raft.Heartbeat{Header: raft.Header{From: 1, To: id, Term: 99}},
	} {
		c.step(m)
	}
	c.disks()
	_, err := c.tryPropose(id, "x")
	after := c.servers[id].core.Status()
	c.want(err != nil && len(c.net.queue) == 0 && reflect.DeepEqual(before, after),
		"it forgot what it acknowledged, and yet goes on: %s, %d messages", c.describe(id), len(c.net.queue))
}

// TestC43 puts an older copy of its disk into a follower, or an empty one. The first
// heartbeat of the leader to whom it acknowledged more is enough: it takes no further
// part.
func TestC43_AServerThatForgotWhatItAcknowledgedStops(t *testing.T) {
	for name, old := range map[string]func(backup *disk) *disk{
		"an older copy": func(backup *disk) *disk { return backup },
		"an empty disk": func(*disk) *disk { return &disk{} },
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t, 3, forgetful)
			c.elect(1)
			c.propose(1, "a")
			c.settle()
			backup := c.servers[2].disk.copyOf()
			c.propose(1, "b", "c")
			c.settle()
			c.heartbeat(1, 2)
			c.want(c.servers[2].forgotten == nil, "it forgot nothing yet: %+v", c.servers[2].forgotten)

			disk := old(backup)
			c.replace(2, disk)
			c.heartbeat(1, 2)
			want := &raft.Forgotten{Leader: 1, Term: 1, Acknowledged: 4, Last: last(disk.log).Index, Known: disk.hard.Term}
			c.want(reflect.DeepEqual(c.servers[2].forgotten, want), "it says %+v, want %+v", c.servers[2].forgotten, want)
			c.silent(2)
		})
	}
}

// The log is as long as before, but of another term: what it acknowledged is gone
// all the same, and to commit up to the leader's index would commit the wrong entries.
func TestC43_ALogOfAnOlderTermIsNotTakenForTheAcknowledgedOne(t *testing.T) {
	c := newCluster(t, 3, forgetful, withLogs(map[raft.NodeID][]raft.Term{1: {1}, 2: {1, 1, 1, 1}, 3: {1}}))
	backup := c.servers[2].disk.copyOf()
	c.split([]raft.NodeID{1, 3}, []raft.NodeID{2})
	c.elect(1)
	c.propose(1, "b")
	c.heal()
	c.pass(3 * heartbeatTicks)
	c.want(c.log(2) == c.log(1), "server 2 has %s, the leader %s", c.log(2), c.log(1))
	c.replace(2, backup)
	c.heartbeat(1, 2)
	c.want(c.servers[2].forgotten != nil && c.commit(2) == 0, "it goes on: %s", c.describe(2))
	c.silent(2)
}

// What proves nothing is of no effect: a heartbeat of an older term, of a second
// leader of this one, one that names nothing, and one that nobody would send.
func TestC43_WhatProvesNothing(t *testing.T) {
	c := newCluster(t, 3, withLogs(map[raft.NodeID][]raft.Term{1: {1}, 2: {1, 2}, 3: {1}}))
	c.step(appendTo(1, 2, raft.Position{Term: 1, Index: 1}))
	c.disks()
	for _, h := range []*raft.Heartbeat{
		{Header: raft.Header{From: 3, To: 1, Term: 1}, Commit: 9},
		{Header: raft.Header{From: 3, To: 1, Term: 2}, Commit: 9},
		{Header: raft.Header{From: 2, To: 1, Term: 2}},
		{Header: raft.Header{From: 2, To: 1, Term: 2}, Commit: 1 << 62},
		{Header: raft.Header{From: 3, To: 1, Term: 3}},
	} {
		c.step(h)
	}
	c.want(c.servers[1].core.Leader() == 3 && c.term(1) == 3, "it does not go on: %s", c.describe(1))
}
