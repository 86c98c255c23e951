package actors

import (
	"castaway/raft"
)

// This file is the server's part of snapshots and compaction.

// passOnSnapshot gives a snapshot of the machine its configuration, and to the archive.
func (s *server) passOnSnapshot(t *takenSnapshot) {
	if !t.claim() {
		return
	}
	if s.core != nil {
		if meta, ok := s.core.Meta(t.index); ok {
			t.meta = meta
			s.send(s.pids.archive, archiveSnapshot{taken: t})
			return
		}
	}
	s.letGo(t)
}

// resume goes on where the server before this one was: the machine may not be where the
// log starts, as after a crash in the middle of an install, and the log may still hold
// what a snapshot has made superfluous.
func (s *server) resume(m opened) {
	if s.core == nil {
		return
	}
	if m.restored.Snapshot.Last.Index > 0 {
		meta := m.restored.Snapshot
		s.machine.give(&work{install: &meta})
	}
	s.compactTo = 0
	s.snapshotThere(m.snapshot)
}

// snapshotThere lets go of the log before a published snapshot, but for a tail, which
// spares followers that are a little behind the whole snapshot.
func (s *server) snapshotThere(last raft.Index) {
	if trailing := raft.Index(s.cfg.TrailingEntries); last > trailing {
		s.compactTo = max(s.compactTo, last-trailing)
	}
	s.compact()
}

// compact compacts as far as it is wanted, once all of that is applied and durable. What
// a snapshot on its way to another node needs behind it stays until it is there, so that
// a stream which is slower than the log grows ends at a log that goes on from it (C27).
func (s *server) compact() {
	if s.core == nil || s.compactTo == 0 {
		return
	}
	to := s.compactTo
	if held, found := s.errands.lowest(); found {
		to = min(to, held)
	}
	e, err := s.core.Compact(to)
	if err != nil {
		return // it is tried again soon
	}
	if to == s.compactTo {
		s.compactTo = 0
	}
	s.carryOut(e)
}

// dispatchSnapshots asks for snapshots to be sent.
func (s *server) dispatchSnapshots(requests []raft.SnapshotRequest) {
	for _, r := range requests {
		s.send(s.pids.group, sendSnapshot{to: r.To, term: r.Term, next: r.Next})
	}
}
