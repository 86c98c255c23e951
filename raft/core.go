package raft

import "errors"

// Config is everything that a Core is told about its world. New validates it.
type Config struct {
	ID          NodeID
	Incarnation Incarnation

	// ElectionTicks is the minimum election timeout, in ticks; each timeout is
	// drawn anew from [ElectionTicks, 2*ElectionTicks) (T3.4, T9.3).
	ElectionTicks int
	// HeartbeatTicks is the time between heartbeats, in ticks; ElectionTicks must
	// be at least three times as much.
	HeartbeatTicks int
	// PreVote asks before campaigning (T9.6). It may differ between servers.
	PreVote bool
	// CheckQuorum makes a leader step down that did not hear from a quorum within
	// an election timeout, and makes servers ignore RequestVote while they hear
	// from a leader (T4.2.3, T6.2). It may differ between servers.
	CheckQuorum bool

	// MaxMessageBytes bounds the entries in one AppendEntries, by Entry.Size; a
	// single larger entry still travels, alone.
	MaxMessageBytes int
	// MaxInflightMessages and MaxInflightBytes bound what is on its way to one
	// follower unacknowledged (T10.2.2).
	MaxInflightMessages int
	MaxInflightBytes    int
	// MaxUncommittedBytes bounds what a leader accepts beyond its commit index.
	MaxUncommittedBytes int
	// MaxEntryBytes bounds the Data of one proposal.
	MaxEntryBytes int
	// MaxPendingReads bounds the reads that wait for confirmation.
	MaxPendingReads int
	// CacheBytes bounds the applied and durable entries that are kept in memory
	// for followers that lag.
	CacheBytes int
	// CatchUpRounds is how many rounds a learner has to come close, before one that is
	// to be promoted is given up (T4.2.1); 10 if zero.
	CatchUpRounds int
	// CatchUpTicks is for how many ticks a learner that is to be promoted may come no
	// closer before it is given up: one that was never started, or whose disk is full.
	// While a snapshot is on its way they are not counted. 45,000 if zero, 15 minutes of
	// 20 ms; else at least ElectionTicks.
	CatchUpTicks int

	// LeaseNanos, unless zero, is how long a leader's lease lasts (T6.4.1, see
	// Core.LeaseIndex). It must be less than PromiseNanos, by as much as the clocks of
	// any two servers may go at different rates. PromiseNanos is for how long who hears
	// from a leader helps no other into leadership: about ElectionTicks. Both must be
	// the same on all servers.
	LeaseNanos   uint64
	PromiseNanos uint64

	// Random gives a number in [0, n); n is at least 1. It is the only source of
	// randomness.
	Random func(n int) int
	// Seal gives new entries their Frame, in place, before they are seen by anyone.
	// Nil leaves entries without.
	Seal func([]Entry)
	// Trace, unless nil, is told of every step (see TraceEvent).
	Trace func(TraceEvent)
}

// Restored is what a server finds on its disk when it starts; the zero value, but
// for the Configuration, is a new server.
type Restored struct {
	HardState HardState
	// Snapshot is what the log starts after; the zero value when it starts at 1.
	// Its Configuration is the one to start from.
	Snapshot SnapshotMeta
	// Terms gives the term of every entry after Snapshot, sorted by index.
	Terms []TermStart
	// Last is the last index of the log; Snapshot.Last.Index when it is empty.
	Last Index
	// Tail holds the newest entries that are to be kept in memory, contiguous and
	// ending at Last; it may be empty, since the rest can be fetched.
	Tail []Entry
	// Configurations holds every EntryConfiguration of the log, sorted by index.
	Configurations []Entry
	// Applied, unless zero, is known to be committed and to be in the machine, at
	// least Snapshot.Last.Index and at most Last: what is handed over begins after it.
	Applied Index
}

// Errors of the inputs. A proposal or read that fails with one of these has
// definitely not happened.
var (
	// ErrNotLeader means that only the leader can do this.
	ErrNotLeader = errors.New("raft: not the leader")
	// ErrNotReady means that the leader has not yet committed an entry of its
	// term (T6.4), so that it cannot answer yet.
	ErrNotReady = errors.New("raft: leader has not yet committed an entry of its term")
	// ErrEntryTooLarge means that a proposal exceeds Config.MaxEntryBytes.
	ErrEntryTooLarge = errors.New("raft: proposal exceeds MaxEntryBytes")
	// ErrEntryKind means that a proposal is of a kind that only the core makes.
	ErrEntryKind = errors.New("raft: proposal is neither a command nor a session's")
	// ErrTooManyUncommitted means that a proposal would exceed
	// Config.MaxUncommittedBytes.
	ErrTooManyUncommitted = errors.New("raft: proposal would exceed MaxUncommittedBytes")
	// ErrTooManyReads means that a read would exceed Config.MaxPendingReads.
	ErrTooManyReads = errors.New("raft: read would exceed MaxPendingReads")
)

// Proposed says where proposals were appended: [First, Last] in Term. They may
// still be lost; whether they were committed shows when Commit reaches them with
// an entry of this Term there.
type Proposed struct {
	Term        Term
	First, Last Index
}

// Core is one server of one group. It is always true of it that
//
//	base <= applied <= emitted <= commit <= last, and durable <= last
//
// that term and commit never go back, and that within a term the vote, once
// given, stays. A Core is not safe for concurrent use.
type Core struct {
	cfg            Config
	hard           HardState
	log            entryLog
	configurations configurationTable
	disk           disk
	role           role

	commit  Index // committed, as far as this server knows
	emitted Index // up to here, commits were handed to the machine
	applied Index // up to here, the machine says that it has applied

	now     uint64 // real time, as its owner last told
	clocked bool   // it did
	promise promise

	// forgotten: the disk lost what was acknowledged. Then nothing changes any more
	// and nothing leaves: no vote, no campaign, no acknowledgement.
	forgotten bool
	removed   bool // Effects.Removed was told

	out    output
	before observed
}

// New makes a server from what was found on its disk, as a follower that knows no
// leader.
func New(cfg Config, r Restored) (*Core, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	configurations, err := r.validate()
	if err != nil {
		return nil, err
	}
	known := max(r.Applied, r.Snapshot.Last.Index)
	c := &Core{
		cfg:            cfg,
		hard:           r.HardState,
		log:            restoredLog(r),
		configurations: configurations,
		disk:           disk{written: r.HardState, last: r.Last, durable: r.Last},
		commit:         known,
		emitted:        known,
		applied:        known,
	}
	c.role = &follower{timer: c.newTimer()}
	if c.hard.Term > 0 {
		c.makePromise() // as this server may have done
	}
	return c, nil
}

// Tick tells the core that one unit of time has passed. Nothing but timeouts
// depends on it: safety does not (C13).
func (c *Core) Tick() Effects {
	if c.forgotten {
		return Effects{}
	}
	c.begin()
	c.role.tick(c)
	return c.finish("tick", nil)
}

// Step hands over a message from another server. A message that no correct server
// would send is dropped without any change.
func (c *Core) Step(m Message) Effects {
	if c.forgotten {
		return Effects{}
	}
	c.begin()
	c.step(m)
	return c.finish("step", m)
}

// Propose appends proposals to the leader's log, all or none; an error means that
// none was. Their data must not be changed afterwards.
func (c *Core) Propose(proposals []Proposal) (Proposed, Effects, error) {
	l, ok := c.role.(*leader)
	if !ok {
		return Proposed{}, Effects{}, ErrNotLeader
	}
	if err := l.admit(c, proposals); err != nil {
		return Proposed{}, Effects{}, err
	}
	c.begin()
	p := l.propose(c, proposals)
	return p, c.finish("propose", nil), nil
}

// ReadIndex asks for an index that, once applied, makes a read linearizable (T6.4).
// The answer comes in Effects.Reads, now or later, or the id in Effects.Aborted.
func (c *Core) ReadIndex(id ReadID) (Effects, error) {
	l, ok := c.role.(*leader)
	if !ok {
		return Effects{}, ErrNotLeader
	}
	if err := l.admitRead(c); err != nil {
		return Effects{}, err
	}
	c.begin()
	l.read(c, id)
	return c.finish("read", nil), nil
}

// Campaign makes a follower seek leadership at once, as if its election timeout had
// passed. It does nothing on a candidate, a leader, a server without a vote, or one
// that keeps a promise to a leader (see LeaseIndex).
func (c *Core) Campaign() Effects {
	if c.forgotten {
		return Effects{}
	}
	c.begin()
	switch c.role.(type) {
	case *follower, *precandidate:
		if !c.promised() {
			c.campaign()
		}
	}
	return c.finish("campaign", nil)
}

// Persisted acknowledges writes. An acknowledgement of another incarnation, or of
// nothing new, is ignored (C10).
func (c *Core) Persisted(a Ack) Effects {
	if c.forgotten {
		return Effects{}
	}
	c.begin()
	if a.Incarnation == c.cfg.Incarnation && c.disk.acknowledge(a.Sequence) {
		c.role.persisted(c)
		c.log.forget(min(c.applied, c.disk.durable), c.cfg.CacheBytes)
	}
	return c.finish("persisted", nil)
}

// Applied says that the machine has applied everything up to and including i, and
// lets the cache forget it. What was never handed out cannot have been applied, and
// such an i is ignored.
func (c *Core) Applied(i Index) Effects {
	if c.forgotten {
		return Effects{}
	}
	c.begin()
	if i > c.applied && i <= c.emitted {
		c.applied = i
		c.log.forget(min(c.applied, c.disk.durable), c.cfg.CacheBytes)
	}
	return c.finish("applied", nil)
}

// Fetched answers a Fetch with the entries from f.First on, at least one of them;
// none means that they could not be read, and they are asked for again later.
func (c *Core) Fetched(f Fetch, entries []Entry) Effects {
	c.begin()
	if l, ok := c.role.(*leader); ok {
		l.fetched(c, f, entries)
	}
	return c.finish("fetched", nil)
}
