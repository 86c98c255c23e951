package raft_test

import (
	"slices"
	"testing"

	"castaway/raft"
)

// joining is a cluster of three voters, led by server 1, in which server 4 is a learner that
// is to be promoted, and is cut off.
func joining(t *testing.T, opts ...option) *cluster {
	t.Helper()
	c := newCluster(t, 4, append([]option{func(o *options) { o.Voters = []raft.NodeID{1, 2, 3} }}, opts...)...)
	c.isolate(4)
	c.elect(1)
	c.settle()
	if err := c.change(1, raft.Change{Kind: raft.ChangeAddVoter, ID: 4, Context: []byte("at 4")}); err != nil {
		t.Fatal(err)
	}
	c.settle()
	c.want(c.configured(1) == "[1 2 3] [] [4]", "it begins as a learner: %s", c.configured(1))
	return c
}

// A learner that is never heard is given up after CatchUpTicks, and not before; nobody
// else notices: the same leader leads in the same term, and commits all the while.
func TestC19_WhoNeverComesIsGivenUp(t *testing.T) {
	const ticks = 5 * timeout
	c := joining(t, func(o *options) { o.configure = func(cfg *raft.Config) { cfg.CatchUpTicks = ticks } })
	term := c.term(1)
	for range ticks - 1 {
		c.propose(1, "x")
		c.pass(1)
	}
	c.want(c.configured(1) == "[1 2 3] [] [4]", "it has its time: %s", c.configured(1))
	c.pass(2)
	c.settle()
	c.want(c.configured(1) == "[1 2 3] [] []", "it had its time: %s", c.configured(1))
	c.want(c.role(1) == raft.Leader && c.term(1) == term && c.commit(1) == c.servers[1].core.Status().Last.Index,
		"the others go on: %s", c.describe(1))
	err := c.change(1, raft.Change{Kind: raft.ChangeAddVoter, ID: 4})
	c.want(err != nil, "its id never comes back")
}

// One that does come, however late within that time, is caught up and votes.
func TestC19_WhoComesLateIsPromoted(t *testing.T) {
	const ticks = 5 * timeout
	c := joining(t, func(o *options) { o.configure = func(cfg *raft.Config) { cfg.CatchUpTicks = ticks } })
	c.pass(ticks - timeout)
	c.heal()
	promoted := c.passUntil(ticks, func() bool { return c.configured(1) == "[1 2 3 4] [] []" })
	c.want(promoted, "it came in time: %s", c.configured(1))
}

// A learner that stands by, and is not to be promoted, has all the time in the world.
func TestC19_ALearnerThatIsToStayOneIsNotGivenUp(t *testing.T) {
	c := newCluster(t, 4, func(o *options) {
		o.Voters, o.Learners = []raft.NodeID{1, 2, 3}, []raft.NodeID{4}
		o.configure = func(cfg *raft.Config) { cfg.CatchUpTicks = timeout }
	})
	c.isolate(4)
	c.elect(1)
	c.pass(10 * timeout)
	c.want(c.configured(1) == "[1 2 3] [] [4]", "it stays: %s", c.configured(1))
}

// What was said of a learner goes with it, also where voters change with it.
func TestC19_NothingIsLeftOfALearnerThatIsRemoved(t *testing.T) {
	for _, also := range [][]raft.Change{nil, {{Kind: raft.ChangeRemove, ID: 3}}} {
		c := joining(t)
		if err := c.change(1, append(also, raft.Change{Kind: raft.ChangeRemove, ID: 4})...); err != nil {
			t.Fatal(err)
		}
		cfg := c.servers[1].core.Status().Configuration
		has := slices.ContainsFunc(cfg.Members, func(m raft.Member) bool { return m.ID == 4 })
		c.want(len(cfg.Learners) == 0 && !has && len(cfg.Promoting) == 0, "it is gone: %+v", cfg)
		c.settle()
	}
}

// One that is sent snapshots and can take none, as with a full disk, is given up too,
// though it is heard all the time; and one is told of once.
func TestC19_WhoRefusesEverySnapshotIsGivenUp(t *testing.T) {
	const ticks = 5 * timeout
	c := joining(t, func(o *options) { o.configure = func(cfg *raft.Config) { cfg.CatchUpTicks = ticks } })
	c.write(1, 5)
	c.keepTail(1, 1)
	c.settle()
	c.heal()
	refused := 0
	for range 4 * ticks {
		c.tickWithoutTransfers()
		for len(c.servers[1].requests) > 0 {
			c.transfer(1, false)
			refused++
		}
	}
	c.want(refused > 2, "it was sent %d snapshots", refused)
	c.want(c.configured(1) == "[1 2 3] [] []", "it had its time: %s", c.configured(1))
}

// One that is sent a snapshot has all the time that takes.
func TestC19_WhoIsBeingSentASnapshotIsNotGivenUp(t *testing.T) {
	c := joining(t, func(o *options) { o.configure = func(cfg *raft.Config) { cfg.CatchUpTicks = timeout } })
	c.write(1, 5)
	c.keepTail(1, 1)
	c.settle()
	c.heal()
	for range 5 * timeout {
		c.tickWithoutTransfers()
	}
	c.want(len(c.servers[1].requests) == 1, "one snapshot is on its way: %d", len(c.servers[1].requests))
	c.want(c.configured(1) == "[1 2 3] [] [4]", "it has its time: %s", c.configured(1))
}
