package actors

import (
	"errors"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"

	"castaway/persistence"
	"castaway/raft"
)

// takenSnapshot is a snapshot of the machine that is not written yet. It is on the board until
// it is, so that there is one at a time, and none is left behind by a crash.
type takenSnapshot struct {
	index    raft.Index
	snapshot Snapshot
	sessions []byte
	meta     raft.SnapshotMeta // once the server has said it
	claimed  atomic.Bool
}

// claim says, to one caller only, that what becomes of the snapshot is for it to decide:
// the server hands it to the archive, or whoever finds it left behind lets go of it.
func (t *takenSnapshot) claim() bool { return t.claimed.CompareAndSwap(false, true) }

// The messages about it.
type (
	// snapshotTaken asks the server what the snapshot's configuration is (C24), and to
	// pass it on.
	snapshotTaken struct {
		quiet
		taken *takenSnapshot
	}
	// archiveSnapshot asks the archive to write it.
	archiveSnapshot struct {
		quiet
		taken *takenSnapshot
	}
	// snapshotWritten tells the server that it is published.
	snapshotWritten struct {
		quiet
		last raft.Position
	}
)

// leaveBehind lets go of a snapshot that nobody has handed to the archive: whoever was
// to do so has died.
func (b *board) leaveBehind() {
	if t := b.archiving.Load(); t != nil && t.claim() {
		b.letGo(t)
	}
}

// letGo forgets a snapshot that will not be written, or is.
func (b *board) letGo(t *takenSnapshot) {
	if b.archiving.CompareAndSwap(t, nil) {
		t.snapshot.Release()
	}
}

// archive writes the machine's snapshots into files, beside the machine, which goes on
// meanwhile (C26).
type archive struct{ *board }

// Receive implements actor.Actor.
func (a *archive) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		if t := a.archiving.Load(); t != nil {
			t.claim()
			a.letGo(t) // the archive before this one died of it, or before it
		}
	case archiveSnapshot:
		if m.taken == a.archiving.Load() {
			a.write(m.taken)
		}
	case *actor.Stopped:
		if t := a.archiving.Load(); t != nil && a.stopping.Load() {
			a.letGo(t)
		}
	}
}

func (a *archive) write(t *takenSnapshot) {
	defer a.letGo(t)
	began := a.host.cfg.Clock.Now()
	info, err := a.publishFile(t)
	a.snapshots.taken(info.Size, a.host.cfg.Clock.Now().Sub(began), err)
	if err != nil {
		a.host.cfg.Logger.Warn("a snapshot was not written; the log stays until the next one is", "node", a.host.cfg.ID, "group", a.cfg.Group,
			"index", t.index, "error", err)
		return
	}
	a.host.cfg.Logger.Debug("a snapshot was written", "node", a.host.cfg.ID, "group", a.cfg.Group, "snapshot", info.Meta.Last.String(), "bytes", info.Size)
	if err := a.host.cfg.Snapshots.Prune(a.cfg.Group, 1); err != nil { // it takes up space, and no more
		a.host.cfg.Logger.Warn("old snapshots could not be removed; that is tried again with the next one", "node", a.host.cfg.ID, "group", a.cfg.Group, "error", err)
	}
	a.send(a.pids.server, snapshotWritten{last: info.Meta.Last})
}

// publishFile writes sessions and state, and publishes them.
func (a *archive) publishFile(t *takenSnapshot) (info persistence.SnapshotInfo, err error) {
	w, err := a.host.cfg.Snapshots.Create(a.cfg.Group, t.meta)
	if err != nil {
		return info, err
	}
	defer w.Abort()
	if err := errors.Join(writeSessions(w, t.sessions), t.snapshot.Write(w)); err != nil {
		return info, err
	}
	return w.Publish()
}
