package persistence

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/dgraph-io/badger/v4"

	"castaway/raft"
)

var errDisk = errors.New("input/output error")

// TestC40_AFailedCommitIsFinal is an msync that fails once and would succeed the
// second time, which is how the kernel behaves: the pages it could not write are
// clean by then, and lost.
func TestC40_AFailedCommitIsFinal(t *testing.T) {
	o := testOptions(testDir(t))
	s := mustOpen(t, o)
	hard := &raft.HardState{Term: 1}
	if err := errors.Join(s.Append(1, &raft.Persist{HardState: hard, Entries: testEntries(1, 1, 1)}), s.Sync()); err != nil {
		t.Fatal(err)
	}
	commits := 0
	s.commit = func(*badger.Txn, uint64) error { commits++; return errDisk }
	if err := s.Append(1, &raft.Persist{Entries: testEntries(1, 2, 2)}); err != nil {
		t.Fatal(err)
	}
	for name, call := range map[string]func() error{
		"sync":    s.Sync,
		"append":  func() error { return s.Append(2, &raft.Persist{HardState: hard}) },
		"compact": func() error { return s.Compact(1, raft.SnapshotMeta{Last: raft.Position{Term: 1, Index: 1}}) },
		"load":    func() error { _, err := s.Load(1, 0); return err },
		"entries": func() error { _, err := s.Entries(1, 1, 1, 1); return err },
	} {
		if name != "sync" && s.failure() == nil {
			mustFailWith(t, s.Sync(), ErrFailed, errDisk)
		}
		mustFailWith(t, call(), ErrFailed, errDisk)
	}
	if commits != 1 {
		t.Fatalf("%d commits were tried, want 1", commits)
	}
	// Closing writes nothing either, and keeps others out until the process ends.
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenBadger(o); !errors.Is(err, ErrLocked) {
		t.Fatalf("open after a failure: %v, want ErrLocked", err)
	}
	t.Cleanup(func() { s.db.Close(); os.RemoveAll(s.scratch) })
}

func mustFailWith(t testing.TB, err error, wants ...error) {
	t.Helper()
	for _, want := range wants {
		if !errors.Is(err, want) {
			t.Fatalf("got error %v, want one that is %v", err, want)
		}
	}
}

// TestC40_WhatBadgerOnlyLogsIsFinal is a flush in the background that fails: Badger
// logs it and tries again for ever.
func TestC40_WhatBadgerOnlyLogsIsFinal(t *testing.T) {
	s := mustOpen(t, testOptions(testDir(t)))
	l := &badgerLog{logger: s.options.Logger, onError: s.fail}
	l.Errorf("error flushing memtable to disk: %v, retrying", errDisk)
	mustFailWith(t, s.Append(1, &raft.Persist{HardState: &raft.HardState{Term: 1}}), ErrFailed)
	mustFailWith(t, s.Sync(), ErrFailed)
	if err := s.db.Close(); err != nil {
		t.Fatal(err)
	}
	os.RemoveAll(s.scratch)
}

// TestC40_AFaultyStoreFailsForGood shows the wrapper to keep the same rule.
func TestC40_AFaultyStoreFailsForGood(t *testing.T) {
	for _, operation := range []Operation{OperationAppend, OperationSync} {
		memory := NewMemory()
		f := NewFaulty(memory, FailAt(operation, 2, errDisk))
		hard := &raft.HardState{Term: 1}
		write := func(first raft.Index) error {
			return errors.Join(f.Append(1, &raft.Persist{HardState: hard, Entries: testEntries(1, first, first)}), f.Sync())
		}
		if err := write(1); err != nil {
			t.Fatal(err)
		}
		mustFailWith(t, write(2), ErrFailed, errDisk)
		mustFailWith(t, write(2), ErrFailed, errDisk)
		_, err := f.Load(1, 0)
		mustFailWith(t, err, ErrFailed)
		if r, err := memory.Crash(0).Load(1, 0); err != nil || r.Last != 1 {
			t.Fatalf("after a failed %s the disk holds %d entries, error %v; want 1", operation, r.Last, err)
		}
	}
}

// TestAFaultyStoreDoesWhatIsPlanned shows errors that pass, lies, and what runs
// before a call.
func TestAFaultyStoreDoesWhatIsPlanned(t *testing.T) {
	memory := NewMemory()
	var seen []Call
	f := NewFaulty(memory, func(c Call) Fault {
		seen = append(seen, c)
		switch {
		case c.Operation == OperationAppend && c.Number == 1:
			return Fault{Err: ErrNoSpace}
		case c.Operation == OperationSync:
			return Fault{Lie: true}
		case c.Operation == OperationEntries:
			return Fault{Before: func() { panic("planned") }}
		}
		return Fault{}
	})
	p := &raft.Persist{HardState: &raft.HardState{Term: 1}, Entries: testEntries(1, 1, 1)}
	mustFailWith(t, f.Append(1, p), ErrNoSpace)
	if err := errors.Join(f.Append(1, p), f.Sync()); err != nil {
		t.Fatal(err)
	}
	if n := memory.Unsynced(); n != 1 {
		t.Fatalf("after a sync that lied, %d operations are unsynced; want 1", n)
	}
	func() {
		defer func() {
			if recover() != "planned" {
				t.Error("no panic")
			}
		}()
		_, _ = f.Entries(1, 1, 1, 1)
	}()
	want := []Call{{OperationAppend, 1, 1}, {OperationAppend, 2, 1}, {OperationSync, 1, 0}, {OperationEntries, 1, 1}}
	if len(seen) != len(want) {
		t.Fatalf("calls: %v", seen)
	}
	for i := range want {
		if seen[i] != want[i] {
			t.Fatalf("call %d was %v, want %v", i, seen[i], want[i])
		}
	}
	f.SetSpace(&Space{Free: 1, Reserve: 2})
	if !f.Space().Low() {
		t.Fatal("space is not low")
	}
	f.SetSpace(nil)
	if f.Space().Low() {
		t.Fatal("space is low")
	}
}

// TestAFullDiskRefusesBeforeItIsFull fills the disk up and makes room again. Badger
// would die of SIGBUS.
func TestAFullDiskRefusesBeforeItIsFull(t *testing.T) {
	o := testOptions(testDir(t))
	free := uint64(1 << 30)
	o.FreeBytes = func(string) (uint64, error) { return free, nil }
	s := mustOpen(t, o)
	defer s.Close()
	hard := &raft.HardState{Term: 1}
	write := func(i raft.Index) error {
		return errors.Join(s.Append(1, &raft.Persist{HardState: hard, Entries: testEntries(1, i, i)}), s.Sync())
	}
	if err := write(1); err != nil || s.Space().Low() {
		t.Fatalf("with room: %v, %+v", err, s.Space())
	}
	free = o.ReserveBytes - 1
	if err := write(2); err != nil || !s.Space().Low() {
		t.Fatalf("below the reserve: %v, %+v", err, s.Space())
	}
	free = o.HardFloorBytes
	mustFailWith(t, s.Append(1, &raft.Persist{Entries: testEntries(1, 3, 3)}), ErrNoSpace)
	// Somebody else takes the room between an append and its sync.
	free = o.ReserveBytes
	if err := s.Append(1, &raft.Persist{Entries: testEntries(1, 3, 3)}); err != nil {
		t.Fatal(err)
	}
	free = o.HardFloorBytes
	mustFailWith(t, s.Sync(), ErrNoSpace)
	if err := s.Compact(1, raft.SnapshotMeta{}); !errors.Is(err, ErrNoSpace) {
		t.Fatalf("compact with something unwritten: %v", err)
	}
	free = 1 << 30
	if err := s.Sync(); err != nil {
		t.Fatal(err)
	}
	if err := write(4); err != nil {
		t.Fatal(err)
	}
	if r, err := s.Load(1, 1<<20); err != nil || r.Last != 4 || len(r.Tail) != 4 {
		t.Fatalf("the log ends at %d, error %v", r.Last, err)
	}
	o.FreeBytes = func(string) (uint64, error) { return 1 << 10, nil }
	o.Dir = filepath.Join(testDir(t), "full")
	if _, err := OpenBadger(o); !errors.Is(err, ErrNoSpace) {
		t.Fatalf("open on a full disk: %v", err)
	}
}

// TestC08_CommitsAreSynced: nothing but this option of Badger's, which is off by
// default, stands between an acknowledgement and a power cut, and no test without
// a power cut could tell.
func TestC08_CommitsAreSynced(t *testing.T) {
	s := mustOpen(t, testOptions(testDir(t)))
	defer s.Close()
	if !s.db.Opts().SyncWrites {
		t.Fatal("badger does not sync its commits")
	}
}
