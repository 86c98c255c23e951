package actors

import "castaway/raft"

// How the server and those who carry snapshots to other nodes talk to each other.
type (
	// sendSnapshot is a leader's request to the group's actor: the newest published
	// snapshot is to go to a follower that needs entries from next on, which the log
	// no longer has. Whoever carries it ends with one snapshotReported.
	sendSnapshot struct {
		quiet
		to   raft.NodeID
		term raft.Term
		next raft.Index
		// carried is the last index of the snapshot that is on its way for this; the
		// board's lock is around it.
		carried raft.Index
	}
	// snapshotReported tells the server how that went. If ok, the follower holds the
	// snapshot that ends at last, and was given it before this was sent.
	snapshotReported struct {
		quiet
		to   raft.NodeID
		term raft.Term
		last raft.Position
		ok   bool
	}
	// snapshotArrived tells a follower's server that a snapshot is complete, verified
	// and published on its own node. The header is that of the leader who sent it.
	snapshotArrived struct {
		quiet
		header raft.Header
		meta   raft.SnapshotMeta
	}
)
