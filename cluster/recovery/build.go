package recovery

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"castaway/cluster"
	"castaway/cluster/config"
	"castaway/messages"
	"castaway/persistence"
	"castaway/raft"
)

// batchBytes is about how much of the log is copied in one write.
const batchBytes = 1 << 20

// Recover makes the new directory and tells what it did. Its errors are those of
// Survey, and those of a Store that cannot be written. After an error there is no new
// directory.
func Recover(o Options) (report Report, err error) {
	s, err := o.open()
	if err != nil {
		return Report{}, err
	}
	defer func() { err = errors.Join(err, s.offline.Close()) }()
	id, err := newCluster()
	if err != nil {
		return Report{}, err
	}
	if err := s.build(id); err != nil {
		return Report{}, errors.Join(err, os.RemoveAll(o.unfinished()))
	}
	if err := publish(o.unfinished(), o.To); err != nil {
		return Report{}, err
	}
	s.report.NewCluster = fmt.Sprintf("%016x", id)
	return s.report, nil
}

// newCluster draws a cluster's id, which is not zero.
func newCluster() (uint64, error) {
	for {
		var b [8]byte
		if _, err := rand.Read(b[:]); err != nil {
			return 0, fmt.Errorf("recovery: draw an id for the new cluster: %w", err)
		}
		if id := binary.LittleEndian.Uint64(b[:]); id != 0 {
			return id, nil
		}
	}
}

// build makes the new directory under its unfinished name.
func (s *survivor) build(id uint64) error {
	o := s.options
	c := config.Default()
	c.ID, c.DataDir = o.ID, o.unfinished()
	store, err := persistence.OpenBadger(cluster.StoreOptions(id, &c, o.Logger))
	if err != nil {
		return err
	}
	for _, g := range s.offline.Groups() {
		if err := s.copyGroup(store, &g); err != nil {
			return errors.Join(err, store.Close())
		}
	}
	if err := store.Close(); err != nil {
		return err
	}
	if err := s.copySnapshots(id, c.DataDir); err != nil {
		return err
	}
	return cluster.WriteMembership(c.DataDir, c.ID, cluster.Membership{
		Cluster: id,
		Members: []cluster.KnownMember{{ID: o.ID, Info: o.Member}},
	})
}

// configuration is the new cluster's only one.
func (s *survivor) configuration() raft.Configuration {
	id := raft.NodeID(s.options.ID)
	return raft.Configuration{
		Voters:  []raft.NodeID{id},
		Members: []raft.Member{{ID: id, Context: s.options.Member.Encode()}},
		LastID:  id,
	}
}

// copyGroup copies a group's log. The new one starts where the old one does, and ends
// with the new configuration, in a term of its own, for which the new member has
// voted.
func (s *survivor) copyGroup(store persistence.Store, g *persistence.OfflineGroup) error {
	r := s.startOf(g)
	term := r.HardState.Term + 1
	w := &writer{store: store, group: g.Group, data: s.configuration().Encode()}
	hard := raft.HardState{Term: term, Vote: raft.NodeID(s.options.ID)}
	if err := store.Append(g.Group, &raft.Persist{HardState: &hard}); err != nil {
		return err
	}
	if err := store.Compact(g.Group, raft.SnapshotMeta{Last: r.Snapshot.Last, Configuration: s.configuration()}); err != nil {
		return err
	}
	if first := r.Snapshot.Last.Index + 1; first <= r.Last {
		if err := s.offline.Entries(g.Group, first, r.Last, w.take); err != nil {
			return err
		}
	}
	if err := w.take(raft.Entry{Term: term, Index: r.Last + 1, Kind: raft.EntryConfiguration}); err != nil {
		return err
	}
	return w.flush()
}

// copySnapshots writes the survivor's newest snapshot of each group anew, under the new
// cluster's id and configuration.
func (s *survivor) copySnapshots(id uint64, dir string) error {
	to, err := persistence.OpenSnapshots(persistence.SnapshotOptions{Dir: dir, ClusterID: id})
	if err != nil {
		return err
	}
	for _, found := range s.newest {
		if err := s.copySnapshot(to, found); err != nil {
			return fmt.Errorf("recovery: copy %s: %w", found.Path, err)
		}
	}
	return nil
}

func (s *survivor) copySnapshot(to persistence.Snapshots, found persistence.OfflineSnapshot) error {
	payload, err := s.offline.OpenSnapshot(found)
	if err != nil {
		return err
	}
	defer func() { _ = payload.Close() }()
	w, err := to.Create(found.Info.Group, raft.SnapshotMeta{Last: found.Info.Meta.Last, Configuration: s.configuration()})
	if err != nil {
		return err
	}
	defer w.Abort()
	if _, err := io.Copy(w, payload); err != nil {
		return err
	}
	_, err = w.Publish()
	return err
}

// writer gathers entries into writes.
type writer struct {
	store   persistence.Store
	group   raft.GroupID
	data    []byte // the new configuration
	entries []raft.Entry
	size    int
}

// take adds an entry; a configuration becomes the new one.
func (w *writer) take(e raft.Entry) error {
	if e.Kind == raft.EntryConfiguration {
		changed := []raft.Entry{{Term: e.Term, Index: e.Index, Kind: e.Kind, Data: w.data}}
		messages.Seal(changed)
		e = changed[0]
	}
	w.entries, w.size = append(w.entries, e), w.size+e.Size()
	if w.size < batchBytes {
		return nil
	}
	return w.flush()
}

// flush writes what was gathered, durably.
func (w *writer) flush() error {
	err := w.store.Append(w.group, &raft.Persist{Entries: w.entries})
	if err == nil {
		err = w.store.Sync()
	}
	w.entries, w.size = nil, 0
	return err
}

// publish gives the directory its name, durably.
func publish(unfinished, to string) error {
	err := os.Rename(unfinished, to)
	var parent *os.File
	if err == nil {
		parent, err = os.Open(filepath.Dir(filepath.Clean(to)))
	}
	if err == nil {
		err = errors.Join(parent.Sync(), parent.Close())
	}
	if err != nil {
		return fmt.Errorf("recovery: give the new directory its name: %w", err)
	}
	return nil
}
