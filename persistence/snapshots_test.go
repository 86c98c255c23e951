package persistence

import (
	"bytes"
	"errors"
	"io"
	"math/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"castaway/raft"
)

const snapshotCluster = 0xc1

// snapshotStores are all that keep snapshots; each case gets one, and a way to open it
// again after a crash.
func snapshotStores(t *testing.T, f func(t *testing.T, s Snapshots, reopen func() Snapshots)) {
	t.Run("directory", func(t *testing.T) {
		o := SnapshotOptions{Dir: testDir(t), ClusterID: snapshotCluster}
		reopen := func() Snapshots {
			s, err := OpenSnapshots(o)
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		f(t, reopen(), reopen)
	})
	t.Run("memory", func(t *testing.T) {
		s := NewMemorySnapshots(snapshotCluster)
		f(t, s, func() Snapshots { return s })
	})
}

func snapshotMeta(index raft.Index) raft.SnapshotMeta {
	return raft.SnapshotMeta{Last: raft.Position{Term: 3, Index: index}, Configuration: raft.Configuration{Voters: []raft.NodeID{1, 2, 3}}}
}

// payload is compressible in parts.
func payload(bytes int) []byte {
	b := make([]byte, bytes)
	rand.New(rand.NewSource(int64(bytes))).Read(b[:bytes/2])
	return b
}

func mustPublish(t testing.TB, s Snapshots, group raft.GroupID, meta raft.SnapshotMeta, payload []byte) SnapshotInfo {
	t.Helper()
	w, err := s.Create(group, meta)
	if err != nil {
		t.Fatal(err)
	}
	for len(payload) > 0 {
		n := min(len(payload), 10_000)
		if _, err := w.Write(payload[:n]); err != nil {
			t.Fatal(err)
		}
		payload = payload[n:]
	}
	info, err := w.Publish()
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func wantPayload(t *testing.T, s Snapshots, info SnapshotInfo, want []byte) {
	t.Helper()
	r, err := s.Open(info)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("the payload has %d bytes, want %d, or they differ", len(got), len(want))
	}
}

func TestSnapshotsAreReadAsTheyWereWritten(t *testing.T) {
	snapshotStores(t, func(t *testing.T, s Snapshots, reopen func() Snapshots) {
		var want []SnapshotInfo
		for i, size := range []int{0, 1, snapshotBlockBytes, snapshotBlockBytes + 1, 5 * snapshotBlockBytes / 2} {
			want = append(want, mustPublish(t, s, 7, snapshotMeta(raft.Index(i+1)), payload(size)))
		}
		mustPublish(t, s, 8, snapshotMeta(1), []byte("another group's"))
		s = reopen()
		got, err := s.List(7)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("listed (-published +listed):\n%s", d)
		}
		for i, size := range []int{0, 1, snapshotBlockBytes, snapshotBlockBytes + 1, 5 * snapshotBlockBytes / 2} {
			wantPayload(t, s, got[i], payload(size))
		}
		if err := s.Prune(7, 2); err != nil {
			t.Fatal(err)
		}
		if got, _ := s.List(7); len(got) != 2 || got[0].Meta.Last.Index != 4 {
			t.Errorf("after pruning: %v", got)
		}
		if _, err := s.Open(want[0]); !errors.Is(err, ErrUnavailable) {
			t.Errorf("a pruned snapshot opens with %v", err)
		}
		if got, _ := s.List(8); len(got) != 1 {
			t.Errorf("pruning took another group's: %v", got)
		}
	})
}

// TestC27_ASnapshotIsPublishedOrNotThere: what a crash interrupts is not listed.
func TestC27_ASnapshotIsPublishedOrNotThere(t *testing.T) {
	snapshotStores(t, func(t *testing.T, s Snapshots, reopen func() Snapshots) {
		w, err := s.Create(1, snapshotMeta(5))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(payload(3 * snapshotBlockBytes)); err != nil {
			t.Fatal(err)
		}
		s = reopen()
		if got, err := s.List(1); err != nil || len(got) != 0 {
			t.Errorf("an unfinished snapshot is listed: %v, %v", got, err)
		}
		w, err = s.Create(1, snapshotMeta(6))
		if err != nil {
			t.Fatal(err)
		}
		w.Abort()
		mustPublish(t, s, 1, snapshotMeta(7), []byte("whole"))
		if got, err := reopen().List(1); err != nil || len(got) != 1 {
			t.Errorf("listed: %v, %v", got, err)
		}
	})
}

// A pinned snapshot is being sent: it is not taken away meanwhile.
func TestAPinnedSnapshotIsNotPruned(t *testing.T) {
	snapshotStores(t, func(t *testing.T, s Snapshots, _ func() Snapshots) {
		old := mustPublish(t, s, 1, snapshotMeta(1), []byte("old"))
		release := s.Pin(old)
		mustPublish(t, s, 1, snapshotMeta(2), []byte("new"))
		if err := s.Prune(1, 1); err != nil {
			t.Fatal(err)
		}
		wantPayload(t, s, old, []byte("old"))
		release()
		release()
		if err := s.Prune(1, 1); err != nil {
			t.Fatal(err)
		}
		if got, _ := s.List(1); len(got) != 1 || got[0].Meta.Last.Index != 2 {
			t.Errorf("after the release: %v", got)
		}
	})
}

// transfer copies a file in chunks, from where the receiver is to until.
func transfer(t *testing.T, from Snapshots, to SnapshotReceiver, info SnapshotInfo, until int64) {
	t.Helper()
	chunk := make([]byte, 30_000)
	for to.Offset() < until {
		n, err := from.Read(info, to.Offset(), chunk[:min(int64(len(chunk)), until-to.Offset())])
		if err != nil && !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		if err := to.Write(to.Offset(), chunk[:n]); err != nil {
			t.Fatal(err)
		}
	}
}

// A transfer goes on behind the last whole block after a crash of the receiver, and
// what comes of it is the file that was sent.
func TestAReceiverGoesOnAfterACrash(t *testing.T) {
	source := NewMemorySnapshots(snapshotCluster)
	info := mustPublish(t, source, 1, snapshotMeta(9), payload(8*snapshotBlockBytes))
	snapshotStores(t, func(t *testing.T, s Snapshots, reopen func() Snapshots) {
		r, err := s.Receive(info)
		if err != nil || r.Offset() != 0 {
			t.Fatalf("begins at %d, %v", r.Offset(), err)
		}
		transfer(t, source, r, info, info.Size/2)
		for _, bad := range []int64{0, r.Offset() - 1, r.Offset() + 1} {
			if err := r.Write(bad, []byte("x")); !errors.Is(err, ErrInvalid) {
				t.Errorf("bytes for %d, where %d is next: %v", bad, r.Offset(), err)
			}
		}
		came := r.Offset()
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		s = reopen()
		if got, _ := s.List(1); len(got) != 0 {
			t.Fatalf("half a snapshot is listed: %v", got)
		}
		if r, err = s.Receive(info); err != nil {
			t.Fatal(err)
		}
		if kept := r.Offset(); kept > came || kept < came-maxSnapshotBlock {
			t.Errorf("%d of %d bytes are kept", kept, came)
		}
		transfer(t, source, r, info, info.Size)
		if err := r.Write(info.Size, []byte("x")); !errors.Is(err, ErrInvalid) {
			t.Errorf("more than all: %v", err)
		}
		got, err := r.Publish()
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(info, got); d != "" {
			t.Errorf("published (-sent +received):\n%s", d)
		}
		wantPayload(t, s, got, payload(8*snapshotBlockBytes))
	})
}

// Bytes that are not what was sent are never published; and what came of another
// snapshot does not stay.
func TestAReceiverPublishesOnlyWhatWasSent(t *testing.T) {
	source := NewMemorySnapshots(snapshotCluster)
	info := mustPublish(t, source, 1, snapshotMeta(9), payload(2*snapshotBlockBytes))
	other := mustPublish(t, source, 1, snapshotMeta(12), payload(snapshotBlockBytes))
	snapshotStores(t, func(t *testing.T, s Snapshots, reopen func() Snapshots) {
		file := make([]byte, info.Size)
		if _, err := source.Read(info, 0, file); err != nil && !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		for _, bit := range []int64{3, 100, info.Size * 4, info.Size*8 - 70, info.Size*8 - 1} {
			r, err := s.Receive(info)
			if err != nil {
				t.Fatal(err)
			}
			bad := bytes.Clone(file)
			bad[bit/8] ^= 1 << (bit % 8)
			if err := r.Write(0, bad); err != nil {
				t.Fatal(err)
			}
			if _, err := r.Publish(); !errors.Is(err, ErrCorrupt) {
				t.Errorf("bit %d was flipped, and published with %v", bit, err)
			}
			if got, _ := s.List(1); len(got) != 0 {
				t.Fatalf("bit %d was flipped, and %v is listed", bit, got)
			}
		}
		r, err := s.Receive(info)
		if err != nil || r.Offset() != 0 {
			t.Fatalf("after damage it goes on at %d, %v", r.Offset(), err)
		}
		transfer(t, source, r, info, info.Size*3/4)
		if r, err = s.Receive(other); err != nil || r.Offset() != 0 {
			t.Errorf("another snapshot begins at %d, %v", r.Offset(), err)
		}
		if r, err = reopen().Receive(info); err != nil || r.Offset() != 0 {
			t.Errorf("the first one goes on at %d, %v", r.Offset(), err)
		}
	})
}

// Every flipped bit of a published file is found before a byte of it is used.
func TestADamagedSnapshotIsNotOpened(t *testing.T) {
	s := NewMemorySnapshots(snapshotCluster)
	info := mustPublish(t, s, 1, snapshotMeta(9), []byte("a short one"))
	for bit := range info.Size * 8 {
		s.Damage(info, bit)
		if _, err := s.Open(info); !errors.Is(err, ErrCorrupt) {
			t.Fatalf("with bit %d flipped it opens with %v", bit, err)
		}
		s.Damage(info, bit)
	}
	wantPayload(t, s, info, []byte("a short one"))
}

func TestSnapshotsLeaveRoomOnTheDisk(t *testing.T) {
	free := uint64(10 << 20)
	o := SnapshotOptions{Dir: testDir(t), ClusterID: snapshotCluster, HardFloorBytes: 1 << 20, FreeBytes: func(string) (uint64, error) { return free, nil }}
	s, err := OpenSnapshots(o)
	if err != nil {
		t.Fatal(err)
	}
	info := mustPublish(t, s, 1, snapshotMeta(1), payload(snapshotBlockBytes))
	r, err := s.Receive(SnapshotInfo{Group: 1, Meta: snapshotMeta(2), Size: 100, Sum: 1})
	if err != nil {
		t.Fatal(err)
	}
	w, err := s.Create(1, snapshotMeta(3))
	if err != nil {
		t.Fatal(err)
	}
	free = o.HardFloorBytes
	if err := r.Write(0, []byte("x")); !errors.Is(err, ErrNoSpace) {
		t.Errorf("received with %v", err)
	}
	if _, err := w.Write(payload(snapshotBlockBytes)); !errors.Is(err, ErrNoSpace) {
		t.Errorf("written with %v", err)
	}
	w.Abort()
	if _, err := s.Create(1, snapshotMeta(3)); !errors.Is(err, ErrNoSpace) {
		t.Errorf("begun with %v", err)
	}
	wantPayload(t, s, info, payload(snapshotBlockBytes))
	if files, _ := filepath.Glob(filepath.Join(o.Dir, "snapshots", "1", "*.writing")); len(files) != 0 {
		t.Errorf("left behind: %v", files)
	}
}

// Files that are no snapshots of this cluster are passed over.
func TestListPassesOverWhatIsNoSnapshot(t *testing.T) {
	o := SnapshotOptions{Dir: testDir(t), ClusterID: 2}
	foreign, err := OpenSnapshots(o)
	if err != nil {
		t.Fatal(err)
	}
	mustPublish(t, foreign, 1, snapshotMeta(1), nil)
	o.ClusterID = snapshotCluster
	s, err := OpenSnapshots(o)
	if err != nil {
		t.Fatal(err)
	}
	info := mustPublish(t, s, 1, snapshotMeta(2), nil)
	if err := os.WriteFile(strings.Replace(s.path(1, info.Meta.Last), "-3.snap", "-4.snap", 1), []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := s.List(1); err != nil || len(got) != 1 || got[0].Meta.Last.Index != 2 {
		t.Errorf("listed: %v, %v", got, err)
	}
}
