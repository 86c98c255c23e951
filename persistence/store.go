package persistence

import (
	"errors"

	"castaway/raft"
)

// Store holds the logs and hard states of a node's groups. It is safe for
// concurrent use; the writes of one group come from one goroutine at a time.
//
// The only sync point is Sync: what was appended before a Sync that returned nil
// survives any crash. Before that, a crash may keep any prefix of the appends
// (each of them whole or not at all), never a later one without an earlier one.
//
// A failed Append, Sync or Compact is final (C40): the store fails every later
// call with the same error, which Is ErrFailed, and must be closed. Three errors
// are not final, since nothing was written: ErrNoSpace, after which the call may
// be repeated once there is room, ErrInvalid and ErrTooLarge.
type Store interface {
	// Load reads what the group left behind, verifying it; a group that the store
	// does not know is the zero Restored. tailBytes bounds Restored.Tail.
	// An error that Is ErrCorrupt means that what was once acknowledged is lost:
	// the server must neither vote nor acknowledge. What was appended before is
	// made durable first, so that everything in Restored is.
	Load(group raft.GroupID, tailBytes int) (raft.Restored, error)
	// Append takes one atomic write: hard state, truncation, entries. p.After is
	// not looked at. It keeps no reference to p's slices after the next Sync.
	// A write that does not fit is refused with ErrInvalid and harms nobody: a
	// term that falls or a vote that changes (C01, C02), entries that do not
	// follow the log, entries of a later term than the hard state's (C09).
	Append(group raft.GroupID, p *raft.Persist) error
	// Sync makes everything appended so far durable.
	Sync() error
	// Entries reads entries [first, last] of the group, at most maxBytes of them
	// by Entry.Size but at least one, whether synced or not. Frames are verified.
	// ErrCompacted means that first is no longer there; ErrUnavailable that an
	// index is beyond the log.
	Entries(group raft.GroupID, first, last raft.Index, maxBytes int) ([]raft.Entry, error)
	// Compact makes the log start after meta.Last and lets go of what was before.
	// Entries behind meta.Last stay only if the log holds that position; otherwise
	// all of it goes (C25). It is durable when Compact returns, and so is all that
	// was appended before; the space comes back in time, not at once.
	Compact(group raft.GroupID, meta raft.SnapshotMeta) error
	// Condemn records for good that the data is not what this server acknowledged,
	// as when an older copy was put in its place. It is durable when Condemn returns:
	// every later call of this store, and the next start on this data, or its first
	// Load, fails with an error that Is ErrCorrupt and gives the reason. The data
	// itself is not touched. A store that failed can be condemned, too.
	Condemn(reason string) error
	// Space says how much room is left on the store's disk; cheap enough to ask
	// before every batch.
	Space() Space
	// Close releases everything; it is not a sync point.
	Close() error
}

// Space is a store's room, in bytes.
type Space struct {
	Free uint64
	// Reserve is what proposals must leave free: below it, a leader refuses them.
	// What was proposed before is still written, by leader and followers, until the
	// store's hard floor (ErrNoSpace).
	Reserve uint64
}

// Low says that nothing new may be proposed.
func (s Space) Low() bool { return s.Free < s.Reserve }

// final says whether an error of a writing call ends the store (C40).
func final(operation Operation, err error) bool {
	switch operation {
	case OperationAppend, OperationSync, OperationCompact:
		return !errors.Is(err, ErrNoSpace) && !errors.Is(err, ErrInvalid) && !errors.Is(err, ErrTooLarge)
	default:
		return false
	}
}

// Errors of a Store.
var (
	// ErrCorrupt means that the store lost or damaged what it had acknowledged.
	ErrCorrupt = errors.New("persistence: acknowledged data is lost or damaged")
	// ErrFailed means that a write or sync failed before; the store is closed to
	// writes for good, since the kernel may have dropped what was not written.
	ErrFailed = errors.New("persistence: the store failed")
	// ErrInvalid means that a write does not fit the log or the hard state, or that
	// no such range can be; nothing was written, and the store goes on.
	ErrInvalid = errors.New("persistence: the call does not fit the log")
	// ErrTooLarge means that one entry is larger than the store was made for.
	ErrTooLarge = errors.New("persistence: the entry exceeds MaxEntryBytes")
	// ErrNoSpace means that the write would not leave room for the store itself.
	ErrNoSpace = errors.New("persistence: no space left above the hard floor")
	// ErrCompacted means that the entries asked for are no longer in the log.
	ErrCompacted = errors.New("persistence: entries are compacted")
	// ErrUnavailable means that the entries asked for are not in the log yet.
	ErrUnavailable = errors.New("persistence: entries are beyond the log")
	// ErrLocked means that another process has the data directory open.
	ErrLocked = errors.New("persistence: the data directory is in use")
	// ErrMismatch means that the data directory belongs to another cluster or server.
	ErrMismatch = errors.New("persistence: the data directory belongs to another server")
	// ErrDirectory means that the data directory cannot be made, read or written as
	// it is; nothing is known to be lost.
	ErrDirectory = errors.New("persistence: the data directory cannot be used")
)
