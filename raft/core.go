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
	// ErrTooManyUncommitted means that a proposal would exceed
	// Config.MaxUncommittedBytes.
	ErrTooManyUncommitted = errors.New("raft: proposal would exceed MaxUncommittedBytes")
	// ErrTooManyReads means that a read would exceed Config.MaxPendingReads.
	ErrTooManyReads = errors.New("raft: read would exceed MaxPendingReads")
)

// TODO(implementation): the inputs of a Core, each returning Effects
//
//	func New(cfg Config, r Restored) (*Core, error)
//	func (c *Core) Tick() Effects
//	func (c *Core) Step(m Message) Effects                          // any well-typed message, however hostile, is survived
//	func (c *Core) Propose(commands [][]byte) (Proposed, Effects, error) // all or none; Proposed{Term, First, Last}
//	func (c *Core) ReadIndex(id ReadID) (Effects, error)            // leader only; ErrNotReady until the no-op is committed
//	func (c *Core) Campaign() Effects
//	func (c *Core) Persisted(a Ack) Effects
//	func (c *Core) Applied(i Index) Effects                         // lets the cache forget
//	func (c *Core) Fetched(f Fetch, entries []Entry) Effects        // entries nil: could not be read
//
// and observers without effect:
//
//	func (c *Core) Role() Role; Term(); Leader() NodeID; Status() Status; LastIndex(); CommitIndex()
