package raft_test

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"

	"castaway/raft"
)

var schedules = flag.Int("schedules", 1200, "how many random schedules TestRandomSchedules runs")

// schedule is one random run: a safety phase, in which everything that can go wrong
// does, and a liveness phase, in which what is healed must converge.
type schedule struct {
	c      *cluster
	seed   uint64
	weight [events]int // how often each event happens in this run
	total  int
	sent   []raft.Message // some messages, to be replayed later
	acks   map[raft.NodeID][]raft.Ack
	// changed: members came or went.
	changed bool
}

// The events of the safety phase.
const (
	deliver = iota
	lose
	duplicate
	replay
	tick
	jump
	syncOne
	acknowledge
	staleAck
	apply
	fetch
	failFetch
	propose
	read
	campaign
	changeMembers
	handOver
	crash
	restart
	cutOne
	healAll
	takeSnapshot
	compactLog
	sendSnapshot
	loseSnapshot
	lateSnapshot
	events
)

// usual is how often each event happens; every run changes some of them.
var usual = [events]int{
	deliver: 400, lose: 20, duplicate: 20, replay: 5, tick: 120, jump: 1, syncOne: 120, acknowledge: 80,
	staleAck: 4, apply: 40, fetch: 40, failFetch: 4, propose: 40, read: 15, campaign: 2, changeMembers: 8, handOver: 2, crash: 3,
	restart: 12, cutOne: 6, healAll: 4, takeSnapshot: 20, compactLog: 20, sendSnapshot: 20, loseSnapshot: 4,
	lateSnapshot: 15,
}

// violation is how a broken rule ends a run.
type violation string

func newSchedule(t testing.TB, seed uint64, verbose bool) *schedule {
	rng := rand.New(rand.NewPCG(seed, 1))
	n := []int{1, 2, 3, 3, 3, 4, 5, 5}[rng.IntN(8)]
	preVote, checkQuorum := rng.IntN(4), rng.IntN(4)
	small, cache := rng.IntN(2) == 0, rng.IntN(3)*200
	s := &schedule{seed: seed, weight: usual, acks: map[raft.NodeID][]raft.Ack{}}
	for range 4 {
		s.weight[rng.IntN(events)] *= 1 + rng.IntN(4)
	}
	for _, w := range s.weight {
		s.total += w
	}
	s.c = newCluster(t, n, withSeed(seed), withManualDisks, func(o *options) {
		o.verbose, o.frozen = verbose, seed%16 == 0
		o.tail = func() int { return rng.IntN(20) }
		o.applied = func(most raft.Index) raft.Index { return raft.Index(rng.IntN(int(most) + 1)) }
		if n >= 4 && seed%3 == 0 { // the last server only listens (C23)
			for id := range raft.NodeID(n - 1) {
				o.Voters = append(o.Voters, id+1)
			}
			o.Learners = []raft.NodeID{raft.NodeID(n)}
		}
		if seed%4 == 1 { // some are no members yet
			o.Voters, o.Learners = nil, nil
			for id := range raft.NodeID(1 + rng.IntN(n)) {
				o.Voters = append(o.Voters, id+1)
			}
		}
		o.violated = func(text string) { panic(violation(text)) }
	}, withConfig(func(cfg *raft.Config) {
		// 0: off; 1: on some servers; else on.
		cfg.PreVote = preVote > 1 || (preVote == 1 && cfg.ID%2 == 0)
		cfg.CheckQuorum = checkQuorum > 1 || (checkQuorum == 1 && cfg.ID%2 == 1)
		cfg.CacheBytes, cfg.CatchUpTicks = cache, 20*timeout
		if small {
			cfg.MaxMessageBytes, cfg.MaxInflightMessages, cfg.MaxInflightBytes = 60, 3, 150
			cfg.MaxPendingReads, cfg.MaxUncommittedBytes = 3, 2000
		}
	}))
	return s
}

// run gives the transcript, when verbose, and what was broken.
func (s *schedule) run(steps int) (transcript, broken string) {
	defer func() {
		if r := recover(); r != nil {
			broken = fmt.Sprint(r)
			if _, ok := r.(violation); !ok {
				broken = "panic: " + broken
			}
		}
		transcript = strings.Join(s.c.lines, "\n")
	}()
	for range steps {
		s.event()
	}
	s.converge()
	return "", ""
}

func (s *schedule) event() {
	n := s.c.rng.IntN(s.total)
	for e, w := range s.weight {
		if n -= w; n < 0 {
			s.happen(e)
			return
		}
	}
}

func (s *schedule) happen(event int) {
	c := s.c
	id := c.ids[c.rng.IntN(len(c.ids))]
	switch event {
	case deliver, lose, duplicate:
		s.message(event)
	case replay:
		if len(s.sent) > 0 {
			c.step(s.sent[c.rng.IntN(len(s.sent))])
		}
	case tick:
		// Each server's clock has a rate of its own, which differ by up to four.
		c.tick(id, 1+c.rng.IntN(1+int(id)%4))
	case jump:
		c.tick(id, c.rng.IntN(10*timeout))
	case syncOne:
		c.sync(id, 1+c.rng.IntN(3))
	case acknowledge, staleAck, apply, fetch, failFetch:
		s.owner(event, id)
	case propose, read, campaign:
		s.client(event, id)
	case changeMembers, handOver:
		s.operator(event, id)
	case takeSnapshot, compactLog, sendSnapshot, loseSnapshot, lateSnapshot:
		s.snapshots(event, id)
	case crash:
		if c.servers[id].up() {
			s.acks[id] = append(s.acks[id], c.servers[id].acks...)
			c.servers[id].acks = nil
			c.crash(id, c.rng.IntN(1+len(c.servers[id].disk.pending)))
		}
	case restart:
		if !c.servers[id].up() {
			c.restart(id)
		}
	case cutOne:
		c.sever(id, c.ids[c.rng.IntN(len(c.ids))])
		if c.rng.IntN(4) == 0 {
			c.isolate(id)
		}
	case healAll:
		c.heal()
	}
}

// message does something to a message on its way; mostly an old one, so that they
// overtake each other but do not stay for ever.
func (s *schedule) message(event int) {
	c := s.c
	n := len(c.net.queue)
	if n == 0 {
		return
	}
	i := c.rng.IntN(n)
	if c.rng.IntN(3) > 0 {
		i = c.rng.IntN(min(n, 4))
	}
	if event == duplicate {
		c.net.queue = append(c.net.queue, c.net.queue[i])
		return
	}
	e := c.net.take(i)
	if c.rng.IntN(20) == 0 {
		s.sent = append(s.sent, e.Message)
	}
	if event == deliver {
		c.arrive(e)
	}
}

// owner does what a Core's owner does.
func (s *schedule) owner(event int, id raft.NodeID) {
	c := s.c
	switch event {
	case acknowledge:
		c.acknowledge(id)
	case staleAck: // of an earlier life
		if old := s.acks[id]; len(old) > 0 && c.servers[id].up() {
			a := old[c.rng.IntN(len(old))]
			c.input(id, func(core *raft.Core) raft.Effects { return core.Persisted(a) })
		}
	case apply:
		c.apply(id)
	case fetch:
		c.fetch(id, true)
	case failFetch:
		c.fetch(id, false)
	}
}

// snapshots does what those do who take, send and receive them. One that is late was
// reported before it arrives, and may arrive twice, or never.
func (s *schedule) snapshots(event int, id raft.NodeID) {
	c := s.c
	sv := c.servers[id]
	if !sv.up() {
		return
	}
	switch {
	case event == takeSnapshot:
		c.snapshot(id)
	case event == compactLog:
		most := sv.disk.published.Last.Index
		_ = c.compact(id, most-raft.Index(c.rng.IntN(min(int(most), 4)+1)))
	case len(sv.requests) == 0:
	case event == lateSnapshot:
		r := sv.requests[0]
		sv.requests = sv.requests[1:]
		m := c.offer(id, r)
		for range 1 + c.rng.IntN(2) {
			c.net.send(m, false)
		}
		s.sent = append(s.sent, m)
		c.report(id, r, m, c.rng.IntN(2) == 0)
	default:
		c.transfer(id, event == sendSnapshot)
	}
}

// client does what clients do, mostly to a leader.
func (s *schedule) client(event int, id raft.NodeID) {
	c := s.c
	if leader := c.leader(); leader != raft.None && c.rng.IntN(4) > 0 {
		id = leader
	}
	if !c.servers[id].up() {
		return
	}
	switch event {
	case propose:
		commands := make([]string, 1+c.rng.IntN(3))
		for i := range commands {
			commands[i] = strings.Repeat("x", c.rng.IntN(60)) + fmt.Sprint(c.rng.IntN(1000))
		}
		_, err := c.tryPropose(id, commands...)
		c.want(err == nil || errors.Is(err, raft.ErrNotLeader) || errors.Is(err, raft.ErrTooManyUncommitted) || errors.Is(err, raft.ErrTransferring), "%v", err)
	case read:
		_, err := c.tryRead(id)
		c.want(err == nil || errors.Is(err, raft.ErrNotLeader) || errors.Is(err, raft.ErrNotReady) ||
			errors.Is(err, raft.ErrTooManyReads), "%v", err)
	case campaign:
		c.campaign(id)
	}
}

// Thousands of random schedules: crashes that keep any prefix of what was not
// synced, lost, doubled, late and replayed messages, one-way partitions, clocks at
// different rates that jump (C13), slow disks, late and stale acknowledgements
// (C10), failed reads of the log, members that come and go, and transfers. The observer checks every event.
func TestRandomSchedules(t *testing.T) {
	t.Parallel()
	const shards = 8
	var changed atomic.Int64 // runs in which members came or went
	t.Cleanup(func() {
		if n := changed.Load(); n < int64(*schedules/10) {
			t.Errorf("members came or went in %d of %d runs: they show little of that", n, *schedules)
		}
	})
	for shard := range shards {
		t.Run(fmt.Sprint(shard), func(t *testing.T) {
			t.Parallel()
			for seed := shard; seed < *schedules; seed += shards {
				if tryScheduleSeed(t, uint64(seed)) {
					changed.Add(1)
				}
			}
		})
	}
}

func tryScheduleSeed(t *testing.T, seed uint64) (changed bool) {
	t.Helper()
	const steps = 1500
	s := newSchedule(t, seed, false)
	_, broken := s.run(steps)
	if broken == "" {
		return s.changed
	}
	// Once more, with the transcript: equal seeds give equal runs.
	text, again := newSchedule(t, seed, true).run(steps)
	if lines := strings.Split(text, "\n"); len(lines) > 80 {
		text = strings.Join(lines[len(lines)-80:], "\n")
	}
	t.Fatalf("seed %d: %s\nagain: %s\n%s", seed, broken, again, text)
	return false
}

// Equal seeds give equal traces, and different ones different traces.
func TestDeterminism(t *testing.T) {
	seen := map[string]uint64{}
	for seed := range uint64(20) {
		first, _ := newSchedule(t, seed, true).run(800)
		for range 3 {
			if again, _ := newSchedule(t, seed, true).run(800); again != first {
				t.Fatalf("seed %d gives two traces", seed)
			}
		}
		if other, ok := seen[first]; ok {
			t.Fatalf("seeds %d and %d give one trace", other, seed)
		}
		seen[first] = seed
	}
}
