package persistence

import (
	"errors"
	"sync"
	"testing"

	"castaway/raft"
)

// TestGroupsShareTheStore has each group written by a goroutine of its own, read by
// another, and compacted now and then; every Sync covers its own appends.
func TestGroupsShareTheStore(t *testing.T) {
	o := testOptions(testDir(t))
	s := mustOpen(t, o)
	const groups, rounds = 4, 150
	var wait sync.WaitGroup
	for id := raft.GroupID(1); id <= groups; id++ {
		wait.Go(func() {
			for i := raft.Index(1); i <= rounds; i++ {
				p := raft.Persist{HardState: &raft.HardState{Term: 1}, Entries: bigEntry(1, i, 3000)}
				err := errors.Join(s.Append(id, &p), s.Sync())
				if i%50 == 0 {
					err = errors.Join(err, s.Compact(id, raft.SnapshotMeta{Last: raft.Position{Term: 1, Index: i - 10}}))
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
		wait.Go(func() {
			for i := raft.Index(1); i <= rounds; {
				got, err := s.Entries(id, i, i, 1)
				switch {
				case errors.Is(err, ErrCompacted):
					i++
				case errors.Is(err, ErrUnavailable):
				case err != nil || len(got) != 1 || got[0].Index != i:
					t.Errorf("entry %d of group %d: %v, error %v", i, id, got, err)
					return
				default:
					i++
				}
			}
		})
	}
	wait.Wait()
	if s.sequence >= 2*groups*rounds {
		t.Errorf("%d commits for %d appends: syncs are not shared", s.sequence, groups*rounds)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = mustOpen(t, o)
	defer s.Close()
	for id := raft.GroupID(1); id <= groups; id++ {
		r, err := s.Load(id, 1<<30)
		if err != nil || r.Last != rounds || len(r.Tail) != 10 {
			t.Errorf("group %d: last %d, tail %d, error %v", id, r.Last, len(r.Tail), err)
		}
	}
}
