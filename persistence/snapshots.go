package persistence

import (
	"io"

	"castaway/raft"
)

// SnapshotInfo names one snapshot file: two that are equal hold equal bytes.
type SnapshotInfo struct {
	Group raft.GroupID
	Meta  raft.SnapshotMeta
	Size  int64  // of the file, in bytes
	Sum   uint64 // of all its bytes
}

// Same says whether both name one file.
func (i *SnapshotInfo) Same(other *SnapshotInfo) bool {
	return i.Group == other.Group && i.Meta.Last == other.Meta.Last && i.Size == other.Size && i.Sum == other.Sum
}

// Snapshots holds a node's snapshot files. It is safe for concurrent use; of one group
// at most one is written, and one received, at a time.
//
// A snapshot is published or not there (C27): what a crash or an error interrupts is
// never listed. What is damaged is never given out: not by Open, which reads and
// verifies everything first, and not by a receiver's Publish.
//
// ErrNoSpace is in every error of a write that would not leave room on the disk, and
// ErrCorrupt in that of a file whose bytes are not what was written. An error harms
// nothing but what it was about.
type Snapshots interface {
	// Create begins a snapshot. One that was begun before and not published is gone.
	Create(group raft.GroupID, meta raft.SnapshotMeta) (SnapshotWriter, error)
	// List gives the group's published snapshots, newest last. Of each it reads what it
	// begins and ends with: one that is cut short is not listed, nor one whose beginning
	// or end is damaged. What is between is Open's and Examine's to find out.
	List(group raft.GroupID) ([]SnapshotInfo, error)
	// Open gives the payload, after all of the file was verified.
	Open(info SnapshotInfo) (io.ReadCloser, error)
	// Examine reads all of a published file. If it is damaged, the error Is ErrCorrupt,
	// and it is set aside: not listed any more, and gone once Prune finds another one.
	// ErrUnavailable means that this file is not there.
	Examine(info SnapshotInfo) error
	// Read reads bytes of the file from offset on, as a transfer sends them; fewer than
	// len(p) only at its end, where the error is io.EOF. They are not verified.
	// ErrUnavailable means that the file is gone.
	Read(info SnapshotInfo, offset int64, p []byte) (int, error)
	// Receive takes another node's snapshot file. What came of this very file before is
	// kept, also across a restart, as far as it is whole; what came of others goes.
	Receive(info SnapshotInfo) (SnapshotReceiver, error)
	// Pin keeps a file from being pruned until release is called.
	Pin(info SnapshotInfo) (release func())
	// Prune removes all but the newest keep ones of a group, and those that are pinned.
	// If one is left, it removes those that were set aside, too.
	Prune(group raft.GroupID, keep int) error
}

// SnapshotWriter writes the payload of a snapshot. One of Publish and Abort ends it.
type SnapshotWriter interface {
	io.Writer
	// Publish makes the snapshot durable, and then there.
	Publish() (SnapshotInfo, error)
	// Abort takes everything back; after Publish it does nothing.
	Abort()
}

// SnapshotReceiver takes the bytes of a snapshot file in order. One of Publish, Abort
// and Close ends it.
type SnapshotReceiver interface {
	// Offset is how many bytes are there: where the next ones belong.
	Offset() int64
	// Write takes the bytes from offset on, which must be Offset. ErrInvalid means that
	// they are others, or more than the file has.
	Write(offset int64, p []byte) error
	// Publish verifies the whole file, makes it durable, and then there; what it gives
	// has the configuration that the file holds. If the file is not what it should be,
	// everything that came is gone, and the error Is ErrCorrupt. It is gone too if it
	// could not be made durable: a sync that failed is never tried again (C40).
	Publish() (SnapshotInfo, error)
	// Abort takes everything back.
	Abort()
	// Close keeps what came for another Receive.
	Close() error
}
