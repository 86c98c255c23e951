package persistence

import (
	"errors"
	"os"
	"testing"
)

// openFailing opens a directory of snapshots, whose syncs the test may have fail.
func openFailing(t *testing.T) *SnapshotDirectory {
	t.Helper()
	s, err := OpenSnapshots(SnapshotOptions{Dir: testDir(t), ClusterID: snapshotCluster})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestC40_AReceivedFileWhoseSyncFailedIsReceivedAnew: the sync after it would say that all
// is well, and not one byte need be on the disk.
func TestC40_AReceivedFileWhoseSyncFailedIsReceivedAnew(t *testing.T) {
	source := NewMemorySnapshots(snapshotCluster)
	info := mustPublish(t, source, 1, snapshotMeta(9), payload(3*snapshotBlockBytes))
	s := openFailing(t)
	failures := 1
	var synced []os.FileInfo
	s.syncFile = func(f *os.File) error {
		what, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		synced = append(synced, what)
		if failures--; failures >= 0 {
			return errDisk
		}
		return f.Sync()
	}
	r, err := s.Receive(info)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := os.Open(r.(*receivedFile).file.Name()) // so that its number is not given to another
	if err != nil {
		t.Fatal(err)
	}
	defer kept.Close()
	transfer(t, source, r, info, info.Size)
	if _, err := r.Publish(); !errors.Is(err, errDisk) {
		t.Fatalf("published with %v", err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if r, err = s.Receive(info); err != nil || r.Offset() != 0 {
		t.Fatalf("after a sync that failed, it goes on at %d, %v", r.Offset(), err)
	}
	transfer(t, source, r, info, info.Size)
	if _, err := r.Publish(); err != nil {
		t.Fatal(err)
	}
	if len(synced) != 2 || os.SameFile(synced[0], synced[1]) {
		t.Errorf("%d syncs, the second of the file whose first had failed", len(synced))
	}
	wantPayload(t, s, info, payload(3*snapshotBlockBytes))
}
