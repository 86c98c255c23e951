package persistence

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestC27_ASnapshotWhoseNameIsNotDurableIsNotThere: the log before it would be let go of,
// and a power cut would take the snapshot. Once its names can be synced it is taken anew.
func TestC27_ASnapshotWhoseNameIsNotDurableIsNotThere(t *testing.T) {
	source := NewMemorySnapshots(snapshotCluster)
	sent := mustPublish(t, source, 1, snapshotMeta(9), payload(3*snapshotBlockBytes))
	publish := map[string]func(s *SnapshotDirectory) (SnapshotInfo, error){
		"written": func(s *SnapshotDirectory) (SnapshotInfo, error) {
			w, err := s.Create(1, snapshotMeta(9))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write(payload(3 * snapshotBlockBytes)); err != nil {
				t.Fatal(err)
			}
			return w.Publish()
		},
		"received": func(s *SnapshotDirectory) (SnapshotInfo, error) {
			r, err := s.Receive(sent)
			if err != nil {
				t.Fatal(err)
			}
			transfer(t, source, r, sent, sent.Size)
			return r.Publish()
		},
	}
	for name, publish := range publish {
		t.Run(name, func(t *testing.T) {
			s := openFailing(t)
			if err := s.makeGroup(1); err != nil {
				t.Fatal(err)
			}
			s.syncNames = func(string) error {
				if list, err := s.List(1); err != nil || len(list) != 0 {
					t.Errorf("before its name is durable, listed: %v, %v", list, err)
				}
				return errDisk
			}
			if _, err := publish(s); !errors.Is(err, errDisk) {
				t.Fatalf("published with %v", err)
			}
			again, err := OpenSnapshots(SnapshotOptions{Dir: filepath.Dir(s.dir), ClusterID: snapshotCluster})
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range []*SnapshotDirectory{s, again} {
				if list, err := s.List(1); err != nil || len(list) != 0 {
					t.Errorf("after the sync of its name failed, listed: %v, %v", list, err)
				}
			}
			s.syncNames = syncDirectory
			info, err := publish(s)
			if err != nil {
				t.Fatal(err)
			}
			if list, err := s.List(1); err != nil || len(list) != 1 || !list[0].Same(&info) {
				t.Errorf("taken anew, listed: %v, %v", list, err)
			}
			wantPayload(t, s, info, payload(3*snapshotBlockBytes))
		})
	}
}

// TestAReplacedSnapshotOutlivesAFailedSync: its name was durable before, and it may be the
// only one whose log is gone.
func TestAReplacedSnapshotOutlivesAFailedSync(t *testing.T) {
	s := openFailing(t)
	mustPublish(t, s, 1, snapshotMeta(9), []byte("the first"))
	w, err := s.Create(1, snapshotMeta(9))
	if err != nil {
		t.Fatal(err)
	}
	s.syncNames = func(string) error { return errDisk }
	if _, err := w.Write([]byte("the second")); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Publish(); !errors.Is(err, errDisk) {
		t.Fatalf("published with %v", err)
	}
	list, err := s.List(1)
	if err != nil || len(list) != 1 {
		t.Fatalf("listed: %v, %v", list, err)
	}
	wantPayload(t, s, list[0], []byte("the second"))
}

// TestC27_NamesFoundAtTheStartAreMadeDurable: a process may have died between a rename and
// its sync. What cannot be made durable is not given to anyone.
func TestC27_NamesFoundAtTheStartAreMadeDurable(t *testing.T) {
	first := openFailing(t)
	mustPublish(t, first, 1, snapshotMeta(9), []byte("one"))
	mustPublish(t, first, 7, snapshotMeta(9), []byte("another"))
	o := SnapshotOptions{Dir: filepath.Dir(first.dir), ClusterID: snapshotCluster}
	var synced []string
	if _, err := openSnapshots(o, func(dir string) error { synced = append(synced, dir); return syncDirectory(dir) }); err != nil {
		t.Fatal(err)
	}
	if want := []string{o.Dir, first.dir, first.group(1), first.group(7)}; !slices.Equal(synced, want) {
		t.Errorf("synced %q, want %q", synced, want)
	}
	_, err := openSnapshots(o, func(dir string) error {
		if dir == first.group(7) {
			return errDisk
		}
		return nil
	})
	if !errors.Is(err, errDisk) {
		t.Errorf("opened with %v", err)
	}
}

// TestAGroupsDirectoryIsSyncedUntilItSucceeds: the name of a directory is as needed as
// those in it.
func TestAGroupsDirectoryIsSyncedUntilItSucceeds(t *testing.T) {
	s := openFailing(t)
	var synced []string
	s.syncNames = func(dir string) error {
		if synced = append(synced, dir); len(synced) == 1 {
			return errDisk
		}
		return nil
	}
	if _, err := s.Create(1, snapshotMeta(9)); !errors.Is(err, errDisk) {
		t.Fatalf("begun with %v", err)
	}
	w, err := s.Create(1, snapshotMeta(9))
	if err != nil {
		t.Fatal(err)
	}
	w.Abort()
	if want := []string{s.dir, s.dir}; !slices.Equal(synced, want) {
		t.Errorf("synced %q, want %q", synced, want)
	}
	if _, err := os.Stat(s.group(1)); err != nil {
		t.Error(err)
	}
}
