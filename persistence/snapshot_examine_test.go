package persistence

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"castaway/raft"
)

// harm does something bad to a published file.
type harm interface {
	Damage(info SnapshotInfo, bit int64)
	Truncate(info SnapshotInfo, size int64)
}

// directoryHarm is MemorySnapshots' for files.
type directoryHarm struct {
	t *testing.T
	s *SnapshotDirectory
}

func (h directoryHarm) Damage(info SnapshotInfo, bit int64) {
	path := h.s.path(info.Group, info.Meta.Last)
	b, err := os.ReadFile(path)
	if err == nil {
		b[bit/8] ^= 1 << (bit % 8)
		err = os.WriteFile(path, b, 0o600)
	}
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h directoryHarm) Truncate(info SnapshotInfo, size int64) {
	if err := os.Truncate(h.s.path(info.Group, info.Meta.Last), size); err != nil {
		h.t.Fatal(err)
	}
}

func harmOf(t *testing.T, s Snapshots) harm {
	if d, ok := s.(*SnapshotDirectory); ok {
		return directoryHarm{t, d}
	}
	return s.(harm)
}

// wantListed fails the test unless exactly these are listed.
func wantListed(t *testing.T, s Snapshots, want ...raft.Index) {
	t.Helper()
	list, err := s.List(1)
	if err != nil {
		t.Fatal(err)
	}
	var got []raft.Index
	for i := range list {
		got = append(got, list[i].Meta.Last.Index)
	}
	if len(got) != len(want) || (len(want) == 1 && got[0] != want[0]) {
		t.Errorf("listed: %v, want %v", got, want)
	}
}

// TestC27_AFileThatIsCutShortIsNotListed: wherever it is cut, the one before it is the
// newest good one.
func TestC27_AFileThatIsCutShortIsNotListed(t *testing.T) {
	snapshotStores(t, func(t *testing.T, s Snapshots, _ func() Snapshots) {
		mustPublish(t, s, 1, snapshotMeta(5), []byte("the one before"))
		info := mustPublish(t, s, 1, snapshotMeta(9), payload(2*snapshotBlockBytes))
		for _, left := range []int64{info.Size - 1, info.Size - 8, info.Size - snapshotEndBytes, info.Size / 2, 60, 17, 0} {
			harmOf(t, s).Truncate(info, left)
			wantListed(t, s, 5)
			if err := s.Examine(info); !errors.Is(err, ErrCorrupt) {
				t.Errorf("with %d bytes left, it is examined with %v", left, err)
			}
			info = mustPublish(t, s, 1, snapshotMeta(9), payload(2*snapshotBlockBytes))
		}
	})
}

// A file whose end was overwritten is as bad as one without an end; the end's sum is the
// only part of it that says nothing by itself.
func TestAFileWithADamagedEndIsNotListed(t *testing.T) {
	snapshotStores(t, func(t *testing.T, s Snapshots, _ func() Snapshots) {
		info := mustPublish(t, s, 1, snapshotMeta(9), payload(snapshotBlockBytes))
		for bit := (info.Size - snapshotEndBytes) * 8; bit < (info.Size-8)*8; bit++ {
			harmOf(t, s).Damage(info, bit)
			wantListed(t, s)
			harmOf(t, s).Damage(info, bit)
		}
		wantListed(t, s, 9)
	})
}

// TestADamagedFileIsSetAside: once somebody has looked at all of it, it is nobody's newest
// snapshot any more, and the next one takes its place for good.
func TestADamagedFileIsSetAside(t *testing.T) {
	snapshotStores(t, func(t *testing.T, s Snapshots, reopen func() Snapshots) {
		whole := mustPublish(t, s, 1, snapshotMeta(5), []byte("whole"))
		info := mustPublish(t, s, 1, snapshotMeta(9), payload(2*snapshotBlockBytes))
		if err := errors.Join(s.Examine(whole), s.Examine(info)); err != nil {
			t.Fatal(err)
		}
		harmOf(t, s).Damage(info, info.Size*4)
		if list, _ := s.List(1); len(list) != 2 {
			t.Errorf("listed: %v", list)
		}
		if err := s.Examine(info); !errors.Is(err, ErrCorrupt) {
			t.Errorf("examined with %v", err)
		}
		wantListed(t, s, 5)
		s = reopen()
		wantListed(t, s, 5)
		if err := s.Examine(info); !errors.Is(err, ErrUnavailable) {
			t.Errorf("examined again with %v", err)
		}
		if _, err := s.Read(info, 0, make([]byte, 1)); !errors.Is(err, ErrUnavailable) {
			t.Errorf("read with %v", err)
		}
		again := mustPublish(t, s, 1, snapshotMeta(9), payload(snapshotBlockBytes))
		if err := s.Prune(1, 1); err != nil {
			t.Fatal(err)
		}
		wantListed(t, s, 9)
		wantPayload(t, s, again, payload(snapshotBlockBytes))
		if d, ok := s.(*SnapshotDirectory); ok {
			if files, _ := filepath.Glob(filepath.Join(d.group(1), "*")); len(files) != 1 {
				t.Errorf("left on the disk: %q", files)
			}
		}
	})
}

// Whoever doubts a file that another has replaced meanwhile does that one no harm.
func TestAFileThatTookAnothersPlaceIsNotSetAside(t *testing.T) {
	snapshotStores(t, func(t *testing.T, s Snapshots, _ func() Snapshots) {
		old := mustPublish(t, s, 1, snapshotMeta(9), []byte("old"))
		info := mustPublish(t, s, 1, snapshotMeta(9), []byte("new"))
		if err := s.Examine(old); !errors.Is(err, ErrUnavailable) {
			t.Errorf("examined with %v", err)
		}
		wantPayload(t, s, info, []byte("new"))
	})
}

// TestADamagedFileIsNotListedEvenIfItCannotBeMoved: the disk that damaged it may refuse to
// write as well.
func TestADamagedFileIsNotListedEvenIfItCannotBeMoved(t *testing.T) {
	s := openFailing(t)
	info := mustPublish(t, s, 1, snapshotMeta(9), payload(snapshotBlockBytes))
	directoryHarm{t, s}.Damage(info, info.Size*4)
	// A directory that is in the way of the new name, and not empty.
	blocked := filepath.Join(s.group(1), snapshotName(info.Meta.Last)+snapshotDamaged, "x")
	if err := os.MkdirAll(blocked, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := s.Examine(info); !errors.Is(err, ErrCorrupt) {
		t.Fatalf("examined with %v", err)
	}
	wantListed(t, s)
	again := mustPublish(t, s, 1, snapshotMeta(9), []byte("again"))
	wantListed(t, s, 9)
	wantPayload(t, s, again, []byte("again"))
	if _, err := s.Read(again, 0, make([]byte, 8)); err != nil && !errors.Is(err, io.EOF) {
		t.Error(err)
	}
}

// TestSettingAsideTakesTheFileThatWasRead: while a damaged file was read, a good one was
// published under its name, which stays.
func TestSettingAsideTakesTheFileThatWasRead(t *testing.T) {
	s := openFailing(t)
	info := mustPublish(t, s, 1, snapshotMeta(9), payload(snapshotBlockBytes))
	old, err := s.open(&info)
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	good := mustPublish(t, s, 1, snapshotMeta(9), payload(2*snapshotBlockBytes))
	s.setAside(old, &info)
	if list, err := s.List(1); err != nil || len(list) != 1 || !list[0].Same(&good) {
		t.Fatalf("listed are %v, %v, want the one that was published last", list, err)
	}
	wantPayload(t, s, good, payload(2*snapshotBlockBytes))
}
