package storetest

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"castaway/messages"
	"castaway/persistence"
	"castaway/raft"
)

// Disk is an empty place where a store can live, die, and live again.
type Disk struct {
	// Open makes the store; it is called once.
	Open func() persistence.Store
	// Crash ends a store's life without a further sync, and gives the next one. Of
	// what was not synced, a store whose crashes can be steered keeps the first
	// keep operations.
	Crash func(s persistence.Store, keep int) persistence.Store
	// Refusal ends a store's life in the same way, and gives the error of the next
	// one: of its start, or of loading group 1.
	Refusal func(s persistence.Store) error
	// MaxData bounds the data of random entries.
	MaxData int
}

// Run puts a store through the whole suite. disk is called for each test, with
// that test.
func Run(t *testing.T, disk func(t testing.TB) Disk) {
	t.Run("AnUnknownGroupIsEmpty", func(t *testing.T) { unknownGroup(t, disk(t)) })
	t.Run("TestC08_WhatIsSyncedSurvives", func(t *testing.T) { syncedSurvives(t, disk(t)) })
	t.Run("TestC09_ATermIsDurableNoLaterThanItsEntries", func(t *testing.T) { termBeforeEntries(t, disk(t)) })
	t.Run("TestC01_TheTermNeverFalls", func(t *testing.T) { termNeverFalls(t, disk(t)) })
	t.Run("TestC02_AVoteIsNotTakenBack", func(t *testing.T) { voteStays(t, disk(t)) })
	t.Run("ATruncationCutsABatchInTwo", func(t *testing.T) { truncation(t, disk(t)) })
	t.Run("CompactionKeepsWhatFollows", func(t *testing.T) { compaction(t, disk(t)) })
	t.Run("TestC25_AForeignSnapshotReplacesTheLog", func(t *testing.T) { foreignSnapshot(t, disk(t)) })
	t.Run("AppendedEntriesAreReadBeforeTheyAreSynced", func(t *testing.T) { readUnsynced(t, disk(t)) })
	t.Run("TestC43_ACondemnedStoreIsRefusedForGood", func(t *testing.T) { condemned(t, disk(t)) })
	t.Run("AClosedStoreFails", func(t *testing.T) { closed(t, disk(t)) })
	t.Run("LikeTheModel", func(t *testing.T) {
		rapid.Check(t, func(rt *rapid.T) { check(rt, disk(t)) })
	})
}

// entry makes a sealed command.
func entry(term raft.Term, index raft.Index) raft.Entry {
	e := []raft.Entry{{Term: term, Index: index, Kind: raft.EntryCommand, Data: []byte{byte(term), byte(index)}}}
	messages.Seal(e)
	return e[0]
}

// Entries makes sealed commands [first, last] of one term.
func Entries(term raft.Term, first, last raft.Index) []raft.Entry {
	var entries []raft.Entry
	for i := first; i <= last; i++ {
		entries = append(entries, entry(term, i))
	}
	return entries
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func mustFail(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got error %v, want one that is %v", err, want)
	}
}

func load(t testing.TB, s persistence.Store, group raft.GroupID) raft.Restored {
	t.Helper()
	r, err := s.Load(group, 1<<30)
	must(t, err)
	return r
}

func same(t testing.TB, what string, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		t.Fatalf("%s (-want +got):\n%s", what, d)
	}
}

func unknownGroup(t testing.TB, disk Disk) {
	s := disk.Open()
	defer s.Close()
	same(t, "an unknown group", raft.Restored{}, load(t, s, 7))
	_, err := s.Entries(7, 1, 1, 1)
	mustFail(t, err, persistence.ErrUnavailable)
}

func syncedSurvives(t testing.TB, disk Disk) {
	s := disk.Open()
	hard := raft.HardState{Term: 3, Vote: 2}
	must(t, s.Append(1, &raft.Persist{HardState: &hard, Entries: Entries(3, 1, 10)}))
	must(t, s.Append(2, &raft.Persist{HardState: &raft.HardState{Term: 9}}))
	must(t, s.Sync())
	s = disk.Crash(s, 0)
	defer func() { s.Close() }()
	want := raft.Restored{
		HardState: hard, Last: 10, Terms: []raft.TermStart{{Term: 3, Index: 1}}, Tail: Entries(3, 1, 10),
	}
	same(t, "the first group", want, load(t, s, 1))
	same(t, "the second group", raft.HardState{Term: 9}, load(t, s, 2).HardState)

	// What comes after is lost as a whole, and does no harm.
	must(t, s.Append(1, &raft.Persist{HardState: &raft.HardState{Term: 4}, TruncateFrom: 5, Entries: Entries(4, 5, 6)}))
	s = disk.Crash(s, 0)
	same(t, "the first group after losing a write", want, load(t, s, 1))
}

func termBeforeEntries(t testing.TB, disk Disk) {
	s := disk.Open()
	defer s.Close()
	must(t, s.Append(1, &raft.Persist{HardState: &raft.HardState{Term: 2}, Entries: Entries(2, 1, 2)}))
	mustFail(t, s.Append(1, &raft.Persist{Entries: Entries(3, 3, 3)}), persistence.ErrInvalid)
	must(t, s.Append(1, &raft.Persist{HardState: &raft.HardState{Term: 3}, Entries: Entries(3, 3, 3)}))
	mustFail(t, s.Compact(1, raft.SnapshotMeta{Last: raft.Position{Term: 4, Index: 9}}), persistence.ErrInvalid)
	same(t, "terms", []raft.TermStart{{Term: 2, Index: 1}, {Term: 3, Index: 3}}, load(t, s, 1).Terms)
}

func termNeverFalls(t testing.TB, disk Disk) {
	s := disk.Open()
	must(t, s.Append(1, &raft.Persist{HardState: &raft.HardState{Term: 5, Vote: 1}}))
	must(t, s.Sync())
	s = disk.Crash(s, 0)
	defer s.Close()
	mustFail(t, s.Append(1, &raft.Persist{HardState: &raft.HardState{Term: 4}}), persistence.ErrInvalid)
	same(t, "hard state", raft.HardState{Term: 5, Vote: 1}, load(t, s, 1).HardState)
}

func voteStays(t testing.TB, disk Disk) {
	s := disk.Open()
	must(t, s.Append(1, &raft.Persist{HardState: &raft.HardState{Term: 5}}))
	must(t, s.Append(1, &raft.Persist{HardState: &raft.HardState{Term: 5, Vote: 2}}))
	must(t, s.Sync())
	s = disk.Crash(s, 0)
	defer s.Close()
	for _, vote := range []raft.NodeID{raft.None, 3} {
		mustFail(t, s.Append(1, &raft.Persist{HardState: &raft.HardState{Term: 5, Vote: vote}}), persistence.ErrInvalid)
	}
	must(t, s.Append(1, &raft.Persist{HardState: &raft.HardState{Term: 6, Vote: 3}}))
	same(t, "hard state", raft.HardState{Term: 6, Vote: 3}, load(t, s, 1).HardState)
}

func truncation(t testing.TB, disk Disk) {
	s := disk.Open()
	must(t, s.Append(1, &raft.Persist{HardState: &raft.HardState{Term: 1}, Entries: Entries(1, 1, 10)}))
	must(t, s.Sync())
	must(t, s.Append(1, &raft.Persist{Entries: Entries(1, 11, 20)}))
	must(t, s.Sync())
	must(t, s.Append(1, &raft.Persist{HardState: &raft.HardState{Term: 2}, TruncateFrom: 6, Entries: Entries(2, 6, 8)}))
	want := slices.Concat(Entries(1, 1, 5), Entries(2, 6, 8))
	for range 3 {
		got, err := s.Entries(1, 1, 8, 1<<30)
		must(t, err)
		same(t, "entries", want, got)
		_, err = s.Entries(1, 8, 9, 1<<30)
		mustFail(t, err, persistence.ErrUnavailable)
		must(t, s.Sync())
		s = disk.Crash(s, 0)
	}
	same(t, "terms", []raft.TermStart{{Term: 1, Index: 1}, {Term: 2, Index: 6}}, load(t, s, 1).Terms)
	must(t, s.Append(1, &raft.Persist{TruncateFrom: 1}))
	must(t, s.Sync())
	s = disk.Crash(s, 0)
	defer s.Close()
	same(t, "nothing but the term", raft.Restored{HardState: raft.HardState{Term: 2}}, load(t, s, 1))
}

func compaction(t testing.TB, disk Disk) {
	s := disk.Open()
	must(t, s.Append(1, &raft.Persist{HardState: &raft.HardState{Term: 1}, Entries: Entries(1, 1, 10)}))
	must(t, s.Sync())
	must(t, s.Append(1, &raft.Persist{Entries: Entries(1, 11, 20)}))
	meta := raft.SnapshotMeta{
		Last:          raft.Position{Term: 1, Index: 15},
		Configuration: raft.Configuration{Voters: []raft.NodeID{1, 2, 300}, OldVoters: []raft.NodeID{1}, Learners: []raft.NodeID{4}},
	}
	must(t, s.Compact(1, meta))
	want := raft.Restored{
		HardState: raft.HardState{Term: 1}, Snapshot: meta, Last: 20,
		Terms: []raft.TermStart{{Term: 1, Index: 16}}, Tail: Entries(1, 16, 20),
	}
	for range 2 {
		same(t, "the log", want, load(t, s, 1))
		_, err := s.Entries(1, 15, 16, 1<<30)
		mustFail(t, err, persistence.ErrCompacted)
		s = disk.Crash(s, 0)
	}
	mustFail(t, s.Compact(1, raft.SnapshotMeta{Last: raft.Position{Term: 1, Index: 14}}), persistence.ErrInvalid)
	mustFail(t, s.Append(1, &raft.Persist{TruncateFrom: 15}), persistence.ErrInvalid)
	meta.Last.Index = 20
	must(t, s.Compact(1, meta))
	s = disk.Crash(s, 0)
	defer s.Close()
	same(t, "an empty log", raft.Restored{HardState: raft.HardState{Term: 1}, Snapshot: meta, Last: 20}, load(t, s, 1))
	must(t, s.Append(1, &raft.Persist{Entries: Entries(1, 21, 21)}))
	same(t, "the next entry", Entries(1, 21, 21), load(t, s, 1).Tail)
}

func foreignSnapshot(t testing.TB, disk Disk) {
	s := disk.Open()
	must(t, s.Append(1, &raft.Persist{HardState: &raft.HardState{Term: 3}, Entries: Entries(1, 1, 10)}))
	meta := raft.SnapshotMeta{Last: raft.Position{Term: 2, Index: 5}}
	must(t, s.Compact(1, meta))
	s = disk.Crash(s, 0)
	defer s.Close()
	same(t, "the log", raft.Restored{HardState: raft.HardState{Term: 3}, Snapshot: meta, Last: 5}, load(t, s, 1))
	must(t, s.Append(1, &raft.Persist{Entries: Entries(3, 6, 7)}))
	same(t, "what follows", Entries(3, 6, 7), load(t, s, 1).Tail)
}

func readUnsynced(t testing.TB, disk Disk) {
	s := disk.Open()
	defer s.Close()
	must(t, s.Append(1, &raft.Persist{HardState: &raft.HardState{Term: 1}, Entries: Entries(1, 1, 4)}))
	must(t, s.Sync())
	must(t, s.Append(1, &raft.Persist{Entries: Entries(1, 5, 8)}))
	got, err := s.Entries(1, 3, 6, 1<<30)
	must(t, err)
	same(t, "entries", Entries(1, 3, 6), got)
	got, err = s.Entries(1, 1, 8, 0)
	must(t, err)
	same(t, "at least one entry", Entries(1, 1, 1), got)
	_, err = s.Entries(1, 0, 3, 1)
	mustFail(t, err, persistence.ErrInvalid)
}

func closed(t testing.TB, disk Disk) {
	s := disk.Open()
	must(t, s.Append(1, &raft.Persist{HardState: &raft.HardState{Term: 1}}))
	must(t, s.Close())
	must(t, s.Close())
	mustFail(t, s.Append(1, &raft.Persist{}), persistence.ErrFailed)
	mustFail(t, s.Sync(), persistence.ErrFailed)
	mustFail(t, s.Compact(1, raft.SnapshotMeta{}), persistence.ErrFailed)
	_, err := s.Load(1, 0)
	mustFail(t, err, persistence.ErrFailed)
	_, err = s.Entries(1, 1, 1, 1)
	mustFail(t, err, persistence.ErrFailed)
}

func condemned(t testing.TB, disk Disk) {
	s := disk.Open()
	must(t, s.Append(1, &raft.Persist{HardState: &raft.HardState{Term: 1}, Entries: Entries(1, 1, 4)}))
	must(t, s.Sync())
	must(t, s.Condemn("the reason"))
	_, err := s.Load(1, 0)
	for what, err := range map[string]error{
		"append":     s.Append(1, &raft.Persist{HardState: &raft.HardState{Term: 2}}),
		"sync":       s.Sync(),
		"load":       err,
		"compact":    s.Compact(1, raft.SnapshotMeta{Last: raft.Position{Term: 1, Index: 2}}),
		"next start": disk.Refusal(s),
	} {
		if !errors.Is(err, persistence.ErrCorrupt) || !strings.Contains(err.Error(), "the reason") {
			t.Errorf("%s: %v, want ErrCorrupt with the reason", what, err)
		}
	}
}
