package raft_test

import (
	"fmt"
	"testing"

	"castaway/raft"
)

// Nothing that rests on a write leaves before that write is durable; the observer
// checks each message that leaves. Here: that it does leave then, and not later.
func TestC08_RepliesLeaveOnceDurable(t *testing.T) {
	reply := map[string]func(raft.Message) bool{
		"vote": of[*raft.RequestVoteReply], "append": of[*raft.AppendEntriesReply],
	}
	for name, m := range map[string]raft.Message{
		"vote":   &raft.RequestVote{Header: raft.Header{From: 2, To: 1, Term: 3}},
		"append": appendTo(1, 3, raft.Position{}, 1, 3),
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t, 3, plain, withManualDisks)
			c.step(m)
			c.settle()
			c.want(len(c.drop(reply[name])) == 0, "the answer to %s left before the write", describe(m))
			c.sync(1, 1<<30)
			c.want(len(c.drop(reply[name])) == 1, "the write is durable, and the answer to %s did not leave", describe(m))
		})
	}
}

// A repeated request cannot get an early answer out of a write that is still under
// way.
func TestC08_ARepeatedRequestWaitsForTheSameWrite(t *testing.T) {
	for _, m := range []raft.Message{
		&raft.RequestVote{Header: raft.Header{From: 2, To: 1, Term: 3}},
		appendTo(1, 3, raft.Position{}, 1, 3),
		appendTo(1, 3, raft.Position{Term: 1, Index: 1}, 3),
		&raft.Heartbeat{Header: raft.Header{From: 2, To: 1, Term: 3}},
	} {
		c := newCluster(t, 3, plain, withManualDisks)
		c.step(appendTo(1, 3, raft.Position{}, 1))
		for range 3 {
			c.step(m)
		}
		for _, e := range c.net.queue {
			c.want(of[*raft.TermNotice](e.Message), "%s left while nothing is durable", describe(e.Message))
		}
		c.sync(1, 1<<30) // the observer checks what leaves now
		c.want(len(c.net.queue) > 0, "nothing left after the write")
	}
}

// Crash at every write boundary of a busy follower, keeping every prefix of what was
// not synced: each reply that left has its record, and the cluster goes on.
func TestC08_CrashAtEveryWriteBoundary(t *testing.T) {
	for boundary := range 12 {
		for keep := range 3 {
			c := newCluster(t, 3, plain, withSeed(uint64(boundary)))
			c.elect(1)
			c.options.manual = true
			for i := range 6 {
				c.propose(1, fmt.Sprint("x", i))
				c.deliver(between(1, 2))
				if i == 3 {
					c.step(&raft.RequestVote{Header: raft.Header{From: 3, To: 2, Term: 5}, Last: raft.Position{Term: 5, Index: 99}})
				}
			}
			c.sync(2, boundary)
			c.crash(2, keep)
			c.restart(2) // the observer compares with what it announced
			c.options.manual = false
			c.want(c.passUntil(10*timeout, func() bool {
				l := c.leader()
				return l != raft.None && c.commit(l) == c.servers[l].core.LastIndex() && c.commit(2) == c.commit(l)
			}), "boundary %d, keep %d: server 2 is %s", boundary, keep, c.describe(2))
		}
	}
}

// What a leader had not made durable it may lose, but never what it has committed.
func TestC08_LeaderLosesItsOwnUnsyncedTail(t *testing.T) {
	c := newCluster(t, 3)
	c.elect(1)
	c.pass(heartbeatTicks)
	c.options.manual = true
	p := c.propose(1, "committed by the followers")
	c.settle()
	c.sync(2, 1)
	c.sync(3, 1)
	c.settle()
	c.want(c.commit(1) == p.Last, "not committed")
	c.crash(1, 0)
	c.options.manual = false
	c.restart(1)
	c.want(c.log(1) == "[1]", "the leader comes back with %s", c.log(1))
	c.pass(3 * timeout)
	c.want(c.leader() > 1 || c.commit(c.leader()) >= p.Last, "leader %d lost entry %d", c.leader(), p.Last)
	c.want(c.commit(1) >= p.Last, "server 1 is %s", c.describe(1))
}

// A term is written no later than the entries of that term, whatever prefix of the
// writes survives.
func TestC09_TermNoLaterThanItsEntries(t *testing.T) {
	for keep := range 8 {
		c := newCluster(t, 3, plain, withManualDisks)
		c.step(appendTo(1, 2, raft.Position{}, 1, 2))
		c.step(appendTo(1, 5, raft.Position{Term: 2, Index: 2}, 5, 5))
		c.step(appendTo(1, 7, raft.Position{Term: 5, Index: 3}, 7))
		c.crash(1, keep)
		end := last(c.servers[1].disk.log)
		c.want(c.servers[1].disk.hard.Term >= end.Term, "keep %d: log up to %s, term %d", keep, end, c.servers[1].disk.hard.Term)
		c.restart(1)
	}
	// The same for a leader's own entries.
	c := newCluster(t, 1, plain, withManualDisks)
	c.campaign(1)
	for len(c.servers[1].disk.pending) > 0 {
		c.sync(1, 1)
		c.acknowledge(1)
	}
	c.want(c.role(1) == raft.Leader && c.servers[1].disk.hard.Term == 1, "%s", c.describe(1))
}

// A write completes after its range was truncated and written anew: the late
// acknowledgement says nothing about the new entries (the ABA case: entry 2 of term
// 2 is written, replaced, and written again, with equal index and term).
func TestC10_LateAcknowledgementOfATruncatedWrite(t *testing.T) {
	c := newCluster(t, 3, plain, withManualDisks)
	c.step(appendTo(1, 2, raft.Position{}, 1, 2))                              // write 1: [1 2]
	c.step(appendTo(1, 3, raft.Position{Term: 1, Index: 1}, 3))                // write 2: [1 3]
	again := appendTo(1, 4, raft.Position{Term: 1, Index: 1}, 2)               // write 3: [1 2] again
	c.step(again)                                                              //
	durable := func() raft.Index { return c.servers[1].core.Status().Durable } //
	c.sync(1, 1)
	c.acknowledge(1)
	c.want(durable() <= 1, "write 1 is durable, and entry 2 of write 3 is believed to be")
	c.want(len(c.matches(4)) == 0, "the leader of term 4 was told of a match that may yet be lost")
	c.sync(1, 1)
	c.acknowledge(1)
	c.want(durable() <= 1, "write 2 is durable, and entry 2 of write 3 is believed to be")
	c.step(again)
	c.want(len(c.matches(4)) == 0, "repeated, it is answered before write 3 is durable")
	c.sync(1, 1)
	c.acknowledge(1)
	c.want(durable() == 2, "write 3 is durable, and the core believes %d", durable())
	c.want(len(c.matches(4)) > 0, "write 3 is durable, and nobody is told")
}

// matches takes the successful answers of a term off the network.
func (c *cluster) matches(t raft.Term) []raft.Message {
	return c.drop(func(m raft.Message) bool {
		r, ok := m.(*raft.AppendEntriesReply)
		return ok && r.Success && r.Match >= 2 && r.Term == t
	})
}

// A leader change before an old write completes: the deposed leader's own write of
// its old entries becomes durable late, after they were replaced.
func TestC10_LeaderChangeBeforeAnOldWriteCompletes(t *testing.T) {
	c := newCluster(t, 3)
	c.elect(1)
	c.pass(heartbeatTicks)
	c.isolate(1)
	c.options.manual = true
	c.propose(1, "lost") // its write hangs
	c.options.manual = false
	for range 5 * timeout {
		for _, id := range []raft.NodeID{2, 3} {
			c.tick(id, 1)
			c.sync(id, 1<<30)
		}
		c.options.manual = true
		c.settle()
		c.options.manual = false
	}
	leader := c.leader()
	c.want(leader > 1, "test: leader is %d", leader)
	c.options.manual = true
	c.heal()
	c.tick(leader, heartbeatTicks)
	c.settle()
	c.want(c.role(1) == raft.Follower, "server 1 is %s", c.describe(1))
	c.sync(1, 1) // the old write, at last; the observer checks Durable
	c.settle()
	c.options.manual = false
	c.pass(timeout)
	c.want(c.log(1) == c.log(leader) && c.commit(1) == c.commit(leader), "server 1 is %s", c.describe(1))
}

// Acknowledgements of an earlier life, of the future, and old ones said again are
// worth nothing.
func TestC10_AcknowledgementsThatDoNotFit(t *testing.T) {
	c := newCluster(t, 3, plain, withManualDisks)
	c.step(appendTo(1, 2, raft.Position{}, 1, 2))
	c.crash(1, 0)
	c.restart(1)
	c.step(appendTo(1, 2, raft.Position{}, 1, 2))
	for _, a := range []raft.Ack{
		{Incarnation: 1, Sequence: 1}, {Incarnation: 3, Sequence: 1}, {Incarnation: 0, Sequence: 1},
		{Incarnation: 2, Sequence: 0}, {Incarnation: 2, Sequence: 2}, {Incarnation: 2, Sequence: 1 << 63},
	} {
		c.input(1, func(core *raft.Core) raft.Effects { return core.Persisted(a) })
		c.want(c.servers[1].core.Status().Durable == 0, "%+v is believed", a)
	}
	// One that is said again, when a newer one was heard, changes nothing either: what
	// rested on the newer write may still leave.
	c.sync(1, 1)
	c.acknowledge(1)
	c.step(appendTo(1, 5, raft.Position{Term: 2, Index: 2}, 5))
	c.sync(1, 1)
	c.acknowledge(1)
	c.input(1, func(core *raft.Core) raft.Effects { return core.Persisted(raft.Ack{Incarnation: 2, Sequence: 1}) })
	c.drop(func(raft.Message) bool { return true })
	c.step(&raft.Heartbeat{Header: raft.Header{From: 2, To: 1, Term: 5}, Round: 1})
	c.want(len(c.drop(of[*raft.HeartbeatReply])) == 1, "a heartbeat waits for a write that is durable")
}
