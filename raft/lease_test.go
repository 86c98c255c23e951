package raft_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"castaway/raft"
)

const (
	tickNanos = 1000
	// driftPercent is by how much a clock may be fast or slow.
	driftPercent = 10
	promiseNanos = electionTicks * tickNanos
	leaseNanos   = promiseNanos * (100 - driftPercent) / (100 + driftPercent)
)

func withLeases(o *options) {
	o.configure = func(c *raft.Config) { c.LeaseNanos, c.PromiseNanos = leaseNanos, promiseNanos }
}

// clock is a server's own, at its own rate, and the ticks that its owner makes of it.
// A paused server gets them when it goes on.
type clock struct {
	percent  uint64
	real     uint64 // × percent / 100 is what it shows
	nextTick uint64
	paused   int // events
}

func (k *clock) shows() uint64 { return k.real * k.percent / 100 }

// leaseRun is a random run of a cluster with leases, whose clocks drift.
type leaseRun struct {
	c      *cluster
	clocks map[raft.NodeID]*clock
	served int
}

func newLeaseRun(t testing.TB, seed uint64, drift int, opts ...option) *leaseRun {
	rng := rand.New(rand.NewPCG(seed, 5))
	n := []int{1, 2, 3, 3, 5}[rng.IntN(5)]
	r := &leaseRun{clocks: map[raft.NodeID]*clock{}}
	r.c = newCluster(t, n, append([]option{withSeed(seed), withLeases, func(o *options) {
		o.verbose = false
		o.violated = func(text string) { panic(violation(text)) }
	}}, opts...)...)
	for _, id := range r.c.ids {
		r.clocks[id] = &clock{percent: uint64(100 - drift + rng.IntN(2*drift+1))}
	}
	return r
}

// run gives what was broken.
func (r *leaseRun) run(steps int) (broken string) {
	defer func() {
		if p := recover(); p != nil {
			broken = fmt.Sprint(p)
		}
	}()
	for range steps {
		r.event()
	}
	return ""
}

func (r *leaseRun) event() {
	c := r.c
	passed := uint64(c.rng.IntN(tickNanos / 2))
	for _, id := range c.ids {
		r.live(id, passed)
	}
	for n := len(c.net.queue); n > 0 && c.rng.IntN(8) > 0; n-- {
		m := c.net.take(c.rng.IntN(min(len(c.net.queue), 4)))
		if r.clocks[raft.HeaderOf(m).To].paused == 0 && c.rng.IntN(40) > 0 {
			c.arrive(m)
		}
	}
	id := c.ids[c.rng.IntN(len(c.ids))]
	switch c.rng.IntN(100) {
	case 0:
		r.clocks[id].paused = c.rng.IntN(8 * electionTicks)
	case 1:
		c.crash(id, 99)
	case 2, 3:
		c.heal()
		if leader := c.leader(); leader != raft.None {
			c.isolate(leader)
		}
	case 4:
		c.heal()
	case 5:
		c.campaign(id)
	case 6, 7, 8, 9:
		for _, id := range c.ids {
			if !c.servers[id].up() {
				c.restart(id)
				k := r.clocks[id]
				k.nextTick = k.shows() + tickNanos
			}
		}
	}
}

// live gives a server its time, and asks it for a read.
func (r *leaseRun) live(id raft.NodeID, passed uint64) {
	c, k, s := r.c, r.clocks[id], r.c.servers[id]
	k.real += passed
	if k.paused > 0 {
		k.paused--
		return
	}
	if !s.up() {
		return
	}
	s.core.Now(k.shows())
	for ; k.shows() >= k.nextTick; k.nextTick += tickNanos { // in bunches, after a pause
		c.input(id, (*raft.Core).Tick)
	}
	c.sync(id, 99)
	c.acknowledge(id)
	c.apply(id)
	if c.role(id) == raft.Leader && c.rng.IntN(8) == 0 {
		_, _ = c.tryPropose(id, "x")
	}
	if index, ok := s.core.LeaseIndex(); ok {
		r.served++
		if int(index) < len(c.observer.commits) {
			c.broken("C32: server %d of term %d serves a read at %d, where %d is committed", id, c.term(id), index, len(c.observer.commits))
		}
	}
}

// C32: with clocks that drift within their bound, processes that are paused, crashes,
// partitions and forced campaigns, no read that rests on a lease is stale.
func TestC32_LeaseReadsAreNeverStale(t *testing.T) {
	served := 0
	for seed := range uint64(400) {
		r := newLeaseRun(t, seed, driftPercent)
		if broken := r.run(1500); broken != "" {
			t.Fatalf("seed %d: %s", seed, broken)
		}
		served += r.served
	}
	if served < 10_000 {
		t.Errorf("only %d reads were served", served)
	}
}

// Beyond the bound there are stale reads, so that the test above would see them.
func TestC32_DriftBeyondTheBoundIsSeen(t *testing.T) {
	for seed := range uint64(400) {
		if newLeaseRun(t, seed, 60).run(1500) != "" {
			return
		}
	}
	t.Error("clocks at rates from 40 to 160 percent, and no read was stale")
}

// withLeader is a cluster of three with leases, led by 1 since time zero.
func withLeader(t *testing.T) *cluster {
	c := newCluster(t, 3, withLeases)
	for _, id := range c.ids {
		c.servers[id].core.Now(0)
	}
	c.elect(1)
	c.write(1, 1)
	c.pass(heartbeatTicks)
	return c
}

func (c *cluster) leased(id raft.NodeID, now uint64) bool {
	core := c.servers[id].core
	core.Now(now)
	_, ok := core.LeaseIndex()
	return ok
}

// A lease runs from the moment its round began, by real time: a pause in which no
// tick is counted ends it all the same.
func TestC32_LeaseEndsByRealTime(t *testing.T) {
	c := withLeader(t)
	c.want(c.leased(1, leaseNanos-1), "there is no lease")
	c.want(!c.leased(1, leaseNanos), "the lease outlives a pause")
	c.servers[1].core.Now(0) // time does not go back
	c.want(!c.leased(1, 0), "the lease comes back")
	c.pass(heartbeatTicks)
	c.want(c.leased(1, 0), "heartbeats do not renew it")
	c.want(!c.leased(2, 0), "a follower has a lease")
}

// A round that was not answered renews nothing.
func TestC32_UnansweredRoundsRenewNothing(t *testing.T) {
	c := withLeader(t)
	c.isolate(1)
	c.servers[1].core.Now(leaseNanos - 1)
	c.pass(heartbeatTicks)
	c.want(!c.leased(1, leaseNanos), "it is renewed without a quorum")
}

// Who has promised helps nobody, also after it was told of a later term, and after a
// restart.
func TestC32_PromisesHold(t *testing.T) {
	ask := func(c *cluster) bool {
		h := raft.Header{From: 3, To: 2, Term: c.term(2) + 1}
		before := c.servers[2].disk.hard
		c.step(&raft.RequestVote{Header: raft.Header{From: 3, To: 2, Term: c.term(2)}, Last: raft.Position{Term: 1, Index: 99}})
		c.step(&raft.RequestVote{Header: h, Last: raft.Position{Term: 1, Index: 99}})
		c.step(&raft.RequestPreVote{Header: h, Last: raft.Position{Term: 1, Index: 99}})
		c.sync(2, 99)
		granted := c.drop(func(m raft.Message) bool {
			switch m := m.(type) {
			case *raft.RequestVoteReply:
				return m.Granted
			case *raft.RequestPreVoteReply:
				return m.Granted
			}
			return false
		})
		return len(granted) > 0 || c.servers[2].disk.hard.Vote != before.Vote
	}
	for name, happens := range map[string]func(c *cluster){
		"nothing": func(*cluster) {},
		"a later term": func(c *cluster) {
			c.step(&raft.TermNotice{Header: raft.Header{From: 3, To: 2, Term: 9}})
			c.sync(2, 99)
		},
		"a restart":  func(c *cluster) { c.crash(2, 99); c.restart(2) },
		"a campaign": func(c *cluster) { c.campaign(2) },
	} {
		c := withLeader(t)
		happens(c)
		c.servers[2].core.Now(0)
		if c.role(2) != raft.Follower || ask(c) {
			t.Errorf("%s, and server 2 breaks its promise: %s", name, c.describe(2))
		}
		c.servers[2].core.Now(promiseNanos - 1)
		c.tick(2, 3*timeout)
		if c.role(2) != raft.Follower || ask(c) {
			t.Errorf("%s, and server 2 breaks its promise early: %s", name, c.describe(2))
		}
		c.servers[2].core.Now(promiseNanos)
		if !ask(c) {
			t.Errorf("%s, and server 2 keeps its promise for ever", name)
		}
	}
	c := withLeader(t)
	c.step(&raft.RequestVote{Header: raft.Header{From: 3, To: 2, Term: 2}, Last: raft.Position{Term: 1, Index: 99}, Transfer: true})
	c.want(c.servers[2].core.Status().HardState.Vote == 3, "a leader's own request is refused")
}

// A transfer voids the lease for the rest of the term, also one that was given up: the
// request for an election may still arrive.
func TestC32_TransferVoidsTheLease(t *testing.T) {
	c := withLeader(t)
	c.input(1, func(core *raft.Core) raft.Effects {
		e, err := core.TransferLeadership(2)
		c.want(err == nil, "%v", err)
		return e
	})
	late := c.drop(of[*raft.TimeoutNow])
	c.want(len(late) == 1 && !c.leased(1, 1), "the lease outlives a transfer")
	c.pass(timeout)
	c.want(c.role(1) == raft.Leader && !c.leased(1, 1), "the lease comes back while the request may still arrive")
	c.step(late[0])
	c.settle()
	c.want(c.role(2) == raft.Leader, "server 2 is %s", c.describe(2))
}

// A lease that could outlast a promise is refused.
func TestConfig_Lease(t *testing.T) {
	for _, bad := range [][2]uint64{{promiseNanos, promiseNanos}, {1, 0}} {
		cfg := newCluster(t, 1).config(1, 1)
		cfg.LeaseNanos, cfg.PromiseNanos = bad[0], bad[1]
		if _, err := raft.New(cfg, raft.Restored{Snapshot: raft.SnapshotMeta{Configuration: raft.Configuration{Voters: []raft.NodeID{1}}}}); err == nil {
			t.Errorf("accepts a lease of %d with promises of %d", bad[0], bad[1])
		}
	}
}
