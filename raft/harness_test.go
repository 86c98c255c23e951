package raft_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"castaway/raft"
)

// The cluster of these tests: Cores in memory, a network of inspectable messages,
// disks whose writes become durable when the test says so, and an observer that
// sees everything and checks the paper's safety properties after every event.
// Nothing in it has a clock or a goroutine; equal seeds give equal traces.

const (
	electionTicks  = 10
	heartbeatTicks = 2
	// timeout is the largest randomized election timeout: every bound on time
	// below is a multiple of it.
	timeout = 2 * electionTicks
)

type server struct {
	id          raft.NodeID
	core        *raft.Core // nil while down
	incarnation raft.Incarnation
	config      raft.Config
	disk        *disk
	acks        []raft.Ack   // durable, but the core was not yet told
	fetches     []raft.Fetch // asked for, not yet answered
	fetched     int
	requests    []raft.SnapshotRequest // not yet carried out
	installed   int
	traced      bool
	last        raft.TraceEvent

	committed raft.Index // end of the last Span of this incarnation
	reported  raft.Index // what the core was last told is applied
	reads     []raft.ReadState
	aborted   []raft.ReadID
	roles     []raft.RoleChange
	forgotten *raft.Forgotten
}

func (s *server) up() bool { return s.core != nil }

type cluster struct {
	t        testing.TB
	ids      []raft.NodeID
	servers  map[raft.NodeID]*server
	net      network
	observer *observer
	rng      *rand.Rand
	options  options

	lines []string // the transcript, when options.verbose
	reads raft.ReadID
}

type options struct {
	seed      uint64
	servers   int
	configure func(c *raft.Config)
	configuration
	disks map[raft.NodeID]*disk
	// manual disks make nothing durable until the test says so.
	manual  bool
	verbose bool
	// forgetful disks lose what was durable: the test puts other ones in their place.
	forgetful bool
	// frozen checks that what was emitted is never changed again; it is slow.
	frozen bool
	// tail bounds the entries that a restarted server finds in memory.
	tail func() int
	// applied says how much of what the newest snapshot holds a restarted server says
	// is applied; nil: all of it.
	applied func(most raft.Index) raft.Index
	// violated is told of a broken rule; nil ends the test.
	violated func(text string)
}

type configuration struct{ raft.Configuration }

type option func(*options)

func withSeed(seed uint64) option { return func(o *options) { o.seed = seed } }

// withConfig changes every server's Config.
func withConfig(f func(c *raft.Config)) option { return func(o *options) { o.configure = f } }

// withLogs starts the cluster from disks that hold these logs, a term an entry,
// as the paper draws them; the terms are the servers' current terms too.
func withLogs(logs map[raft.NodeID][]raft.Term) option {
	return func(o *options) {
		o.disks = map[raft.NodeID]*disk{}
		for id, terms := range logs {
			o.disks[id] = diskWithLog(terms)
		}
	}
}

func withManualDisks(o *options) { o.manual = true }

// plain is Raft of the paper's Figure 2, without pre-vote and check-quorum.
func plain(o *options) {
	o.configure = func(c *raft.Config) { c.PreVote, c.CheckQuorum = false, false }
}

func newCluster(t testing.TB, n int, opts ...option) *cluster {
	t.Helper()
	o := options{servers: n, seed: 1, verbose: true, tail: func() int { return 1 << 30 }}
	for _, opt := range opts {
		opt(&o)
	}
	c := &cluster{
		t: t, servers: map[raft.NodeID]*server{}, options: o,
		rng: rand.New(rand.NewPCG(o.seed, 0)),
	}
	for i := 1; i <= n; i++ {
		c.ids = append(c.ids, raft.NodeID(i))
	}
	if len(o.Voters) == 0 {
		c.options.Voters = c.ids
	}
	c.observer = newObserver(c)
	for _, id := range c.ids {
		s := &server{id: id, disk: &disk{}}
		if d := o.disks[id]; d != nil {
			s.disk = d
			c.observer.adopt(d)
		}
		s.disk.covered = c.observer.covered
		c.servers[id] = s
	}
	for _, id := range c.ids {
		c.restart(id)
	}
	return c
}

// config is what a server is configured with; every option of the test comes last.
func (c *cluster) config(id raft.NodeID, i raft.Incarnation) raft.Config {
	random := rand.New(rand.NewPCG(c.options.seed, uint64(id)<<32|uint64(i)))
	cfg := raft.Config{
		ID: id, Incarnation: i,
		ElectionTicks: electionTicks, HeartbeatTicks: heartbeatTicks,
		PreVote: true, CheckQuorum: true,
		MaxMessageBytes: 1 << 10, MaxInflightMessages: 8, MaxInflightBytes: 4 << 10,
		MaxUncommittedBytes: 1 << 20, MaxEntryBytes: 1 << 9, MaxPendingReads: 16,
		CacheBytes: 1 << 20,
		Random:     func(n int) int { return random.IntN(n) },
	}
	if c.options.configure != nil {
		c.options.configure(&cfg)
	}
	s := c.servers[id]
	cfg.Trace = func(e raft.TraceEvent) { s.last, s.traced = e, true }
	return cfg
}

// restart makes a new incarnation from what the server's disk kept.
func (c *cluster) restart(id raft.NodeID) {
	s := c.servers[id]
	if s.up() {
		c.broken("test: server %d is already up", id)
	}
	s.incarnation++
	s.config = c.config(id, s.incarnation)
	s.disk.install()
	restored := s.disk.restored(c.options.Configuration, c.options.tail())
	if most := s.disk.published.Last.Index; most > restored.Snapshot.Last.Index {
		restored.Applied = most
		if c.options.applied != nil {
			restored.Applied = c.options.applied(most)
		}
		if restored.Applied < restored.Snapshot.Last.Index {
			restored.Applied = 0
		}
	}
	core, err := raft.New(s.config, restored)
	if err != nil {
		c.broken("server %d does not start from its own disk: %v", id, err)
		return
	}
	s.committed = max(restored.Applied, restored.Snapshot.Last.Index)
	s.core, s.reported = core, s.committed
	s.fetches, s.requests, s.roles, s.forgotten = nil, nil, nil, nil
	c.note("%d starts %s", id, c.describe(id))
	c.observer.restarted(s)
}

// crash loses everything but the disk, of which what was not yet durable is lost
// too, but for the first keep writes.
func (c *cluster) crash(id raft.NodeID, keep int) {
	s := c.servers[id]
	if !s.up() {
		return
	}
	s.core = nil
	s.disk.crash(keep)
	c.observer.crashed(s)
	c.note("%d crashes", id)
}

// broken ends the test, since a rule does not hold.
func (c *cluster) broken(format string, args ...any) {
	c.t.Helper()
	text := fmt.Sprintf(format, args...)
	if c.options.violated != nil {
		c.options.violated(text)
		return
	}
	c.t.Fatalf("%s\nseed %d; what happened:\n%s", text, c.options.seed, c.transcript())
}

func (c *cluster) note(format string, args ...any) {
	if c.options.verbose {
		c.lines = append(c.lines, fmt.Sprintf(format, args...))
	}
}

// transcript is the end of what happened.
func (c *cluster) transcript() string {
	lines := c.lines
	if len(lines) > 120 {
		lines = lines[len(lines)-120:]
	}
	return strings.Join(lines, "\n")
}

// input hands a Core an input and carries out what it asks for.
func (c *cluster) input(id raft.NodeID, f func(core *raft.Core) raft.Effects) {
	c.t.Helper()
	s := c.servers[id]
	if !s.up() {
		return
	}
	s.traced = false
	e := f(s.core)
	c.observer.stepped(s, &e)
	c.carry(s, e)
	c.observer.carried(s)
}

// carry carries out effects. Only what a test can delay is left in queues.
func (c *cluster) carry(s *server, e raft.Effects) {
	if e.Role != nil {
		s.roles = append(s.roles, *e.Role)
		c.note("  %d is now %s", s.id, describeRole(*e.Role))
	}
	if e.Forgotten != nil {
		s.forgotten = e.Forgotten
		c.note("  %d forgot: %+v", s.id, *e.Forgotten)
		if !c.options.forgetful {
			c.broken("server %d believes that its disk forgot something: %+v", s.id, *e.Forgotten)
		}
	}
	if !e.Persist.Empty() {
		if err := s.disk.append(e.Persist); err != "" {
			c.broken("server %d: %s", s.id, err)
		}
	}
	c.observer.decided(s)
	s.fetches = append(s.fetches, e.Fetch...)
	for _, r := range e.Snapshots {
		c.observer.requested(s, r)
		s.requests = append(s.requests, r)
		c.note("  %d: a snapshot is to go to %d, which needs %d", s.id, r.To, r.Next)
	}
	if e.Install != nil {
		s.committed, s.reported = e.Install.Last.Index, e.Install.Last.Index
		s.installed++
		c.note("  %d: the machine is replaced at %s", s.id, e.Install.Last)
	}
	if !e.Commit.Empty() {
		c.observer.committed(s, e.Commit)
		s.committed = e.Commit.Last
	}
	for _, m := range e.Send {
		c.send(s, m)
	}
	for _, r := range e.Reads {
		c.observer.answered(s, r)
		s.reads = append(s.reads, r)
		c.note("  %d: read %d at index %d", s.id, r.ID, r.Index)
	}
	for _, r := range e.Aborted {
		c.observer.abortedRead(s, r)
		s.aborted = append(s.aborted, r)
		c.note("  %d: read %d aborted", s.id, r)
	}
}

// send puts a message on the network; this is where it leaves the server.
func (c *cluster) send(s *server, m raft.Message) {
	c.observer.leaving(s, m)
	c.net.send(m, c.options.frozen)
}

// sync makes a server's first n writes durable and lets go of what waited for
// them; the core hears of it when acknowledge is called.
func (c *cluster) sync(id raft.NodeID, n int) {
	s := c.servers[id]
	for ; n > 0 && len(s.disk.pending) > 0; n-- {
		p := s.disk.complete()
		c.observer.durable(s)
		if !s.up() {
			continue
		}
		c.note("  %d wrote %s", id, describeWrite(p))
		s.acks = append(s.acks, raft.Ack{Incarnation: s.incarnation, Sequence: p.Sequence})
		for _, m := range p.After {
			c.send(s, m)
		}
	}
}

// acknowledge tells a core of everything durable.
func (c *cluster) acknowledge(id raft.NodeID) {
	s := c.servers[id]
	for s.up() && len(s.acks) > 0 {
		a := s.acks[0]
		s.acks = s.acks[1:]
		c.input(id, func(core *raft.Core) raft.Effects { return core.Persisted(a) })
	}
}

// apply tells a core that its machine applied everything it was given.
func (c *cluster) apply(id raft.NodeID) {
	s := c.servers[id]
	if s.up() && s.reported < s.committed {
		s.reported = s.committed
		c.input(id, func(core *raft.Core) raft.Effects { return core.Applied(s.committed) })
	}
}

// fetch answers a core's oldest question for entries; ok says whether the disk
// could be read.
func (c *cluster) fetch(id raft.NodeID, ok bool) {
	s := c.servers[id]
	if !s.up() || len(s.fetches) == 0 {
		return
	}
	f := s.fetches[0]
	s.fetches = s.fetches[1:]
	s.fetched++
	var entries []raft.Entry
	if ok {
		entries = s.disk.read(f.First, f.Last, f.MaxBytes)
	}
	c.note("  %d: fetched %d entries from %d for %d", id, len(entries), f.First, f.To)
	c.input(id, func(core *raft.Core) raft.Effects { return core.Fetched(f, entries) })
}
