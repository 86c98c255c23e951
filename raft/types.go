package raft

import "fmt"

// NodeID names a server. Zero is no server.
type NodeID uint64

// None is the NodeID of no server: a vote not given, a leader not known.
const None NodeID = 0

// GroupID names a Raft group; one node may be a member of many groups.
type GroupID uint64

// Term is Raft's logical clock (T3.3). The first term is 1; zero precedes it.
type Term uint64

// Index is a position in the log. The first entry has Index 1; zero precedes it.
type Index uint64

// Incarnation numbers the lives of a server within one process: every restart
// of the actor that owns a Core gives it a larger one.
type Incarnation uint64

// EntryKind says what an Entry is for. Its values are on disk and on the wire.
type EntryKind uint8

const (
	// EntryCommand carries a command for the state machine.
	EntryCommand EntryKind = 1
	// EntryNoOp opens a leader's term (T3.6.2, T6.4); it carries nothing.
	EntryNoOp EntryKind = 2
	// EntryConfiguration carries a Configuration (T4).
	EntryConfiguration EntryKind = 3
	// EntrySession carries what a client session does (T6.3).
	EntrySession EntryKind = 4
)

// Entry is one position of the log. An Entry is never changed once made.
type Entry struct {
	Term  Term
	Index Index
	Kind  EntryKind
	Data  []byte

	// Frame is the entry's encoding for disk and wire, made once by
	// Config.Seal on the leader and carried along by everyone else. The core
	// never looks inside; Data usually aliases it.
	Frame []byte
}

// Size is what the entry counts against limits in bytes.
func (e Entry) Size() int {
	if e.Frame != nil {
		return len(e.Frame)
	}
	return len(e.Data) + entryOverhead
}

// entryOverhead is what an entry without a frame counts beside its data.
const entryOverhead = 24

// Proposal is what a leader is to append.
type Proposal struct {
	Kind EntryKind // EntryCommand, which zero means as well, or EntrySession
	Data []byte
}

// Position names an entry by what Log Matching needs (T3.5): two logs that hold
// the same Position are equal up to it.
type Position struct {
	Term  Term
	Index Index
}

func (p Position) String() string { return fmt.Sprintf("%d@t%d", p.Index, p.Term) }

// AtLeastAsUpToDate says whether a log that ends at p is at least as up-to-date
// as one that ends at q (T3.6.1).
func (p Position) AtLeastAsUpToDate(q Position) bool {
	return p.Term > q.Term || (p.Term == q.Term && p.Index >= q.Index)
}

// HardState is what a server must not forget (T3.8), besides its log.
type HardState struct {
	Term Term
	Vote NodeID
}

// TermStart says that from Index on, until the next TermStart, entries have Term.
// A sorted run of them gives the term of every index in a few words.
type TermStart struct {
	Term  Term
	Index Index
}

// SnapshotMeta says what a snapshot covers (T5.1): every entry up to Last, and
// the configuration as of that index.
type SnapshotMeta struct {
	Last          Position
	Configuration Configuration
}

// Role is what a server currently is.
type Role uint8

// The roles of the paper's Figure 4, and the pre-candidate of T9.6.
const (
	Follower Role = iota
	PreCandidate
	Candidate
	Leader
)

func (r Role) String() string {
	switch r {
	case Follower:
		return "follower"
	case PreCandidate:
		return "precandidate"
	case Candidate:
		return "candidate"
	case Leader:
		return "leader"
	default:
		return fmt.Sprintf("role(%d)", uint8(r))
	}
}
