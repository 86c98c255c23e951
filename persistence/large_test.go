package persistence

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"castaway/raft"
)

// TestLargeEntriesAndAppends writes entries of several parts, and appends of
// several transactions, and reads them all back, before and after a restart.
func TestLargeEntriesAndAppends(t *testing.T) {
	o := testOptions(testDir(t))
	o.MemTableBytes, o.MaxEntryBytes, o.HardFloorBytes = 8<<20, 1<<20, 128<<20
	o.ReserveBytes = o.HardFloorBytes
	s := mustOpen(t, o)
	defer func() { s.Close() }()
	var all []raft.Entry
	for i, size := range []int{1, 900 << 10, partBytes, partBytes - recordHeaderBytes, 3*partBytes - 7, 5, 600 << 10, 700 << 10, 1000 << 10} {
		all = append(all, bigEntry(1, raft.Index(i+1), size)...)
	}
	hard := &raft.HardState{Term: 1}
	for i := range all[:5] {
		if err := s.Append(1, &raft.Persist{HardState: hard, Entries: all[i : i+1]}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Append(1, &raft.Persist{Entries: all[5:]}); err != nil {
		t.Fatal(err)
	}
	if n := len(s.pending); n < 4 {
		t.Fatalf("%d commits are pending; want several", n)
	}
	for range 3 {
		got, err := s.Entries(1, 1, 9, 1<<30)
		if err != nil {
			t.Fatal(err)
		}
		sameEntries(t, all, got)
		if got, err = s.Entries(1, 4, 9, 10); err != nil || len(got) != 1 || got[0].Index != 4 {
			t.Fatalf("one entry: %d, error %v", len(got), err)
		}
		if err := errors.Join(s.Sync(), s.Close()); err != nil {
			t.Fatal(err)
		}
		s = mustOpen(t, o)
	}
	if err := s.Append(1, &raft.Persist{Entries: bigEntry(1, 10, 2<<20)}); !errors.Is(err, ErrTooLarge) {
		t.Fatalf("an entry that is too large: %v", err)
	}
	if err := s.Compact(1, raft.SnapshotMeta{Last: raft.Position{Term: 1, Index: 8}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = mustOpen(t, o)
	if r, err := s.Load(1, 1<<30); err != nil || len(r.Tail) != 1 || r.Tail[0].Index != 9 {
		t.Fatalf("after compaction: %d entries, error %v", len(r.Tail), err)
	}
}

// TestManyMemtables writes, truncates, compacts and restarts until everything has
// been through tables and compactions, with two groups side by side.
func TestManyMemtables(t *testing.T) {
	o := testOptions(testDir(t))
	s := mustOpen(t, o)
	defer func() { s.Close() }()
	want := map[raft.GroupID][]raft.Entry{}
	base := map[raft.GroupID]raft.Index{}
	term := raft.Term(1)
	for round := range 400 {
		for group := raft.GroupID(1); group <= 2; group++ {
			log := want[group]
			p := raft.Persist{}
			if round%20 == 19 {
				term++
				p.TruncateFrom = log[len(log)-2].Index
				log = log[:len(log)-2]
			}
			p.HardState = &raft.HardState{Term: term}
			p.Entries = bigEntry(term, base[group]+raft.Index(len(log))+1, 20<<10)
			want[group] = append(log, p.Entries...)
			if err := s.Append(group, &p); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Sync(); err != nil {
			t.Fatal(err)
		}
		if round%97 == 96 {
			group := raft.GroupID(round%2 + 1)
			log := want[group]
			last := log[len(log)/2]
			if err := s.Compact(group, raft.SnapshotMeta{Last: raft.Position{Term: last.Term, Index: last.Index}}); err != nil {
				t.Fatal(err)
			}
			want[group], base[group] = log[len(log)/2+1:], last.Index
		}
		if round%60 == 59 {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = mustOpen(t, o)
			for group, log := range want {
				r, err := s.Load(group, 1<<30)
				if err != nil {
					t.Fatal(err)
				}
				sameEntries(t, log, r.Tail)
			}
		}
	}
}

// TestDroppedSpaceComesBack drops nearly all of a log and goes on writing as much
// again: what was dropped leaves the disk.
func TestDroppedSpaceComesBack(t *testing.T) {
	o := testOptions(testDir(t))
	s := mustOpen(t, o)
	defer s.Close()
	var i raft.Index
	grow := func(n raft.Index) {
		for end := i + n; i < end; {
			i++
			p := raft.Persist{HardState: &raft.HardState{Term: 1}, Entries: bigEntry(1, i, 50<<10)}
			if err := errors.Join(s.Append(1, &p), s.Sync()); err != nil {
				t.Fatal(err)
			}
		}
	}
	const entries = 1200 // 60 MB
	grow(entries)
	for range 4 {
		if err := s.Compact(1, raft.SnapshotMeta{Last: raft.Position{Term: 1, Index: i - 10}}); err != nil {
			t.Fatal(err)
		}
		grow(entries / 4)
	}
	if err := s.Compact(1, raft.SnapshotMeta{Last: raft.Position{Term: 1, Index: i - 10}}); err != nil {
		t.Fatal(err)
	}
	grow(200) // 10 MB, so that the memtables with the deletions are written out
	deadline := time.Now().Add(20 * time.Second)
	for size := tableBytes(t, o); size > 40<<20; size = tableBytes(t, o) {
		if time.Now().After(deadline) {
			t.Fatalf("tables take %d MB", size>>20)
		}
		grow(20)
	}
}

func tableBytes(t testing.TB, o Options) int64 {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(o.Dir, logDirectory, "*.sst"))
	if err != nil {
		t.Fatal(err)
	}
	var size int64
	for _, path := range paths {
		size += fileSize(path)
	}
	return size
}
