package raft_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"castaway/raft"
)

func (c *cluster) progress(leader, follower raft.NodeID) raft.ProgressStatus {
	for _, p := range c.servers[leader].core.Status().Progress {
		if p.ID == follower {
			return p
		}
	}
	c.broken("leader %d knows nothing of %d", leader, follower)
	return raft.ProgressStatus{}
}

// A leader sends on without waiting for answers, up to its window in messages.
func TestT10_2_2_WindowInMessages(t *testing.T) {
	c := newCluster(t, 3, withConfig(func(cfg *raft.Config) { cfg.MaxInflightMessages = 4 }))
	c.elect(1)
	for i := range 10 {
		c.propose(1, fmt.Sprint("x", i))
	}
	sent := c.drop(between(1, 2))
	c.want(len(sent) == 4, "%d messages in flight; the limit is 4", len(sent))
	p := c.progress(1, 2)
	c.want(p.State == "replicate" && p.InflightCount == 4 && p.Next == 6, "progress %+v", p)
	c.step(sent[0])
	c.disks()
	c.deliver(between(2, 1))
	c.want(len(c.drop(between(1, 2))) == 1, "one answer makes room for one message")
}

// And up to its window in bytes.
func TestT10_2_2_WindowInBytes(t *testing.T) {
	c := newCluster(t, 3, withConfig(func(cfg *raft.Config) {
		cfg.MaxInflightMessages, cfg.MaxMessageBytes, cfg.MaxInflightBytes = 100, 400, 1000
	}))
	c.elect(1)
	for range 20 {
		c.propose(1, strings.Repeat("x", 176)) // 200 bytes as an entry
	}
	bytes := 0
	for _, m := range c.drop(between(1, 2)) {
		for _, e := range m.(*raft.AppendEntries).Entries {
			bytes += e.Size()
		}
	}
	c.want(bytes > 600 && bytes <= 1000, "%d bytes in flight; the limit is 1000", bytes)
	c.want(c.progress(1, 2).InflightBytes == bytes, "believes that %d bytes are in flight", c.progress(1, 2).InflightBytes)
}

// A message holds as many entries as fit, and one that does not fit travels alone.
func TestT10_2_2_Batching(t *testing.T) {
	c := newCluster(t, 3, withConfig(func(cfg *raft.Config) {
		cfg.MaxMessageBytes, cfg.MaxEntryBytes = 100, 400
	}))
	c.elect(1)
	big := strings.Repeat("x", 300)
	c.propose(1, "a", "b", "c", "d", "e", big, "f")
	c.deliver(between(1, 2))
	for n := 0; len(c.net.queue) > 0; n++ {
		for _, e := range c.net.queue {
			if m, ok := e.Message.(*raft.AppendEntries); ok {
				size := 0
				for _, entry := range m.Entries {
					size += entry.Size()
				}
				c.want(size <= 100 || len(m.Entries) == 1, "%s has %d bytes; the limit is 100", describe(m), size)
			}
		}
		c.disks()
		for n := len(c.net.queue); n > 0; n-- {
			c.arrive(c.net.take(0))
		}
	}
	c.pass(heartbeatTicks)
	c.want(c.log(2) == c.log(1) && c.commit(2) == 8, "server 2 is %s", c.describe(2))
}

// A follower that does not answer is probed by heartbeat, not flooded.
func TestT10_2_2_ProbeDoesNotFlood(t *testing.T) {
	c := newCluster(t, 5)
	c.elect(1)
	c.isolate(5)
	for i := range 50 {
		c.propose(1, fmt.Sprint("x", i))
		c.settle()
	}
	sent := 0
	for range 5 * timeout {
		c.tick(1, 1)
		for _, e := range c.net.queue {
			if m, ok := e.Message.(*raft.AppendEntries); ok && m.To == 5 && len(m.Entries) > 0 {
				sent++
			}
		}
		c.settle()
	}
	c.want(sent <= 5*timeout/heartbeatTicks, "%d messages with entries to a follower that is gone for %d ticks", sent, 5*timeout)
	c.heal()
	c.pass(timeout)
	c.want(c.log(5) == c.log(1), "server 5 is %s", c.describe(5))
}

// Entries that are no longer in memory come from the log, one question at a time.
func TestFetch_LaggingFollowerIsFedFromTheLog(t *testing.T) {
	for _, restarted := range []bool{false, true} {
		c := newCluster(t, 3, withConfig(func(cfg *raft.Config) { cfg.CacheBytes = 0 }), func(o *options) {
			o.tail = func() int { return 1 }
		})
		c.elect(1)
		c.isolate(3)
		for i := range 60 {
			c.propose(1, fmt.Sprint("x", i))
			c.settle()
		}
		leader := raft.NodeID(1)
		if restarted { // its tail in memory is one entry
			c.crash(1, 0)
			c.restart(1)
			c.want(c.passUntil(10*timeout, func() bool { return c.leader() != raft.None }), "no leader")
			leader = c.leader()
		}
		c.heal()
		for range 2 * timeout {
			c.tick(leader, 1)
			for n := len(c.net.queue); n > 0; n-- {
				c.arrive(c.net.take(0))
				asked := c.servers[leader].fetches
				c.want(len(asked) <= 1, "%d questions at a time: %+v", len(asked), asked)
			}
			c.settle()
		}
		c.want(restarted || c.servers[1].fetched > 0, "nothing was fetched")
		c.pass(timeout)
		c.want(c.log(3) == c.log(c.leader()), "restarted %v: server 3 is %s", restarted, c.describe(3))
	}
}

// A fetch that fails is asked again; answers that do not fit are ignored.
func TestFetch_FailuresAreAskedAgain(t *testing.T) {
	c := newCluster(t, 3, withConfig(func(cfg *raft.Config) { cfg.CacheBytes = 0 }))
	c.elect(1)
	c.isolate(3)
	for i := range 20 {
		c.propose(1, fmt.Sprint("x", i))
		c.settle()
	}
	c.heal()
	for failed, ticks := 0, 0; failed < 3; ticks++ {
		c.want(ticks < 10*timeout, "it is asked %d times; a failure should be followed by a question", failed)
		c.tick(1, 1)
		for n := len(c.net.queue); n > 0; n-- {
			c.arrive(c.net.take(0))
		}
		for _, id := range c.ids {
			c.sync(id, 1<<30)
			c.acknowledge(id)
		}
		if len(c.servers[1].fetches) > 0 {
			c.propose(1, "meanwhile")
			c.step(&raft.HeartbeatReply{Header: raft.Header{From: 3, To: 1, Term: 1}, Round: 1})
			c.want(len(c.servers[1].fetches) == 1, "a second question while one is open: %+v", c.servers[1].fetches)
			c.fetch(1, false)
			failed++
		}
	}
	strange := raft.Fetch{To: 3, Term: 1, First: 2, Last: 3, MaxBytes: 1}
	for _, entries := range [][]raft.Entry{nil, {{Term: 9, Index: 2}}, {{Term: 1, Index: 9}}} {
		c.input(1, func(core *raft.Core) raft.Effects { return core.Fetched(strange, entries) })
	}
	c.pass(2 * timeout)
	c.want(c.log(3) == c.log(1), "server 3 is %s", c.describe(3))
}

// A machine is referred to the log for what is no longer in memory.
func TestCommit_SpanWithoutEntries(t *testing.T) {
	c := newCluster(t, 1, func(o *options) { o.tail = func() int { return 1 } })
	c.elect(1)
	for i := range 10 {
		c.propose(1, fmt.Sprint("x", i))
		c.settle()
	}
	c.crash(1, 0)
	c.restart(1)
	c.elect(1) // the observer reads the disk where a Span has no entries
	c.want(c.commit(1) == 12, "server 1 is %s", c.describe(1))
}

// A proposal is accepted whole or not at all, and an error says which limit it met.
func TestPropose_Refusals(t *testing.T) {
	c := newCluster(t, 3, withConfig(func(cfg *raft.Config) {
		cfg.MaxEntryBytes, cfg.MaxUncommittedBytes = 10, 200
	}))
	_, err := c.tryPropose(1, "x")
	c.want(errors.Is(err, raft.ErrNotLeader), "a follower answers %v", err)
	c.elect(1)
	c.settle()
	_, err = c.tryPropose(1, "short", "much too long")
	c.want(errors.Is(err, raft.ErrEntryTooLarge), "too large an entry gets %v", err)
	c.want(c.servers[1].core.LastIndex() == 1, "half of a refused batch was appended")
	accepted := 0
	for err = nil; err == nil && accepted < 100; accepted++ {
		_, err = c.tryPropose(1, "x")
	}
	c.want(errors.Is(err, raft.ErrTooManyUncommitted), "after %d proposals: %v", accepted, err)
	c.settle()
	p := c.propose(1, "room again")
	c.settle()
	c.want(c.commit(1) == p.Last && c.servers[1].core.Status().Uncommitted == 0, "server 1 counts %d uncommitted bytes",
		c.servers[1].core.Status().Uncommitted)
}
