package actors

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"castaway/persistence"
	"castaway/raft"
)

// This file is how the machine's state outlives the machine: where a machine that was
// made anew begins, how it is replaced by a snapshot, and when one is taken.
//
// Always true: machine, sessions and applied are of one index. They change together:
// by entries, or by a snapshot, which is published and so of what is committed.

// begin brings a machine that was made anew as far as it can be without the log: an
// on-disk machine is where it was left, and any other that can be restored is where the
// newest snapshot is.
func (m *machineActor) begin() {
	m.leaveBehind()
	if d, ok := m.machine.(OnDisk); ok && !m.reopenDisk(d) {
		return
	}
	if m.applied == 0 {
		m.restore(1)
	}
}

// reopenDisk takes over what an on-disk machine kept; false if the group had to halt.
func (m *machineActor) reopenDisk(d OnDisk) bool {
	applied, side, err := d.Open()
	var sessions *raft.Sessions
	if err == nil {
		sessions, err = sessionsOf(side)
	}
	if err != nil {
		m.broken(fmt.Errorf("the machine's data cannot be opened: %w", err))
		return false
	}
	m.applied, m.sessions = applied, *sessions
	m.sessions.Track()
	return true
}

// commitDisk makes what was applied one write of an on-disk machine.
func (m *machineActor) commitDisk() {
	d, ok := m.machine.(OnDisk)
	if !ok {
		return
	}
	if err := d.Commit(m.applied, sidePairs(m.sessions.Changes())); err != nil {
		m.broken(fmt.Errorf("the machine's data could not be written: %w", err))
	}
}

// closeDisk lets go of an on-disk machine's data.
func (m *machineActor) closeDisk() {
	if d, ok := m.machine.(OnDisk); ok {
		m.machine = nil
		if err := d.Close(); err != nil {
			m.host.cfg.Logger.Warn("the machine's data was not closed as it should", "node", m.host.cfg.ID, "group", m.cfg.Group, "error", err)
		}
	}
}

// broken halts the group: its machine is of no use any more on this node.
func (m *machineActor) broken(err error) {
	m.halt(err.Error())
	m.send(m.pids.server, poisoned{})
	m.send(m.pids.host, storeFailed{log: m.self, err: fmt.Errorf("group %d: %w", m.cfg.Group, err)})
}

// install is the core's word that the log starts after a snapshot now.
func (m *machineActor) install(meta *raft.SnapshotMeta) bool {
	if m.applied >= meta.Last.Index || m.restore(meta.Last.Index) {
		return true
	}
	if m.halted.Load() == nil {
		m.broken(fmt.Errorf("the log starts after entry %d, and no snapshot reaches there", meta.Last.Index))
	}
	return false
}

// restore replaces the machine's state by the newest published snapshot that ends at
// least there and can be read; false if there is none, or the group had to halt.
func (m *machineActor) restore(least raft.Index) bool {
	machine, ok := m.machine.(Snapshotter)
	if !ok || m.host.cfg.Snapshots == nil {
		return false
	}
	list, err := m.host.cfg.Snapshots.List(m.cfg.Group)
	if err != nil {
		m.broken(fmt.Errorf("the snapshots could not be listed: %w", err))
		return false
	}
	for _, info := range slices.Backward(list) {
		if info.Meta.Last.Index < least || info.Meta.Last.Index <= m.applied {
			return false
		}
		payload, err := m.host.cfg.Snapshots.Open(info)
		if err != nil {
			m.host.cfg.Logger.Error("a snapshot cannot be used; an older one is tried", "node", m.host.cfg.ID, "group", m.cfg.Group,
				"snapshot", info.Meta.Last.String(), "error", err)
			continue
		}
		if err := errors.Join(m.restoreFrom(machine, payload, info), payload.Close()); err != nil {
			m.broken(fmt.Errorf("the machine could not be restored from the snapshot %s: %w", info.Meta.Last, err))
			return false
		}
		return true
	}
	return false
}

func (m *machineActor) restoreFrom(machine Snapshotter, payload io.Reader, info persistence.SnapshotInfo) error {
	sessions, err := readSessions(payload)
	if err != nil {
		return err
	}
	if err := machine.Restore(payload); err != nil {
		return err
	}
	m.sessions, m.applied = *sessions, info.Meta.Last.Index
	if m.applied > m.desk.reached.Index {
		m.desk.reached = info.Meta.Last
	}
	m.since = logSince{}
	if d, ok := machine.(OnDisk); ok {
		m.sessions.Track()
		return d.Commit(m.applied, sidePairs(m.sessions.Pairs()))
	}
	return nil
}

// logSince is what was applied since the last snapshot was taken.
type logSince struct{ entries, bytes int }

func (l *logSince) add(entries []raft.Entry) {
	l.entries += len(entries)
	for i := range entries {
		l.bytes += entries[i].Size()
	}
}

// snapshotWhenDue takes a snapshot once enough was applied since the last one, or when one
// is wanted, unless the last one is still being written. Writing it is the archive's work.
func (m *machineActor) snapshotWhenDue() {
	due := (m.cfg.SnapshotEntries > 0 && m.since.entries >= m.cfg.SnapshotEntries) ||
		(m.cfg.SnapshotBytes > 0 && m.since.bytes >= m.cfg.SnapshotBytes)
	due = due || (m.wanted && m.applied > 0 && m.applied >= m.desk.reached.Index)
	machine, ok := m.machine.(Snapshotter)
	if !due || !ok || m.host.cfg.Snapshots == nil || m.archiving.Load() != nil {
		return
	}
	m.since, m.wanted = logSince{}, false
	snapshot, err := machine.Snapshot()
	if err != nil {
		m.host.cfg.Logger.Warn("no snapshot was taken; the next one will be, when it is due", "node", m.host.cfg.ID, "group", m.cfg.Group, "error", err)
		return
	}
	t := &takenSnapshot{index: m.applied, snapshot: snapshot, sessions: m.sessions.Encode()}
	m.archiving.Store(t)
	m.send(m.pids.server, snapshotTaken{taken: t})
}
