package persistence

import (
	"bufio"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"castaway/messages"
	"castaway/raft"
)

// childMode says what this test binary does when it is run as another process.
const childMode = "CASTAWAY_PERSISTENCE_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childMode) == "writer" {
		if err := writer(os.Args[1]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// writer appends to two groups, with now and then a new term and vote, a
// truncation, a compaction, and prints what is durable as soon as it is.
func writer(dir string) error {
	o := testOptions(dir)
	o.Logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	s, err := OpenBadger(o)
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		group := raft.GroupID(n%2 + 1)
		r, err := s.Load(group, 0)
		if err != nil {
			return err
		}
		hard := r.HardState
		p := raft.Persist{HardState: &hard}
		first := r.Last + 1
		if n%10 < 2 {
			hard = raft.HardState{Term: hard.Term + 1, Vote: raft.NodeID(n%5 + 1)}
			if first > r.Snapshot.Last.Index+3 {
				first -= 3
				p.TruncateFrom = first
			}
		}
		for i := range raft.Index(n%7 + 1) {
			p.Entries = append(p.Entries, raft.Entry{Term: hard.Term, Index: first + i, Kind: raft.EntryCommand, Data: make([]byte, 2000)})
		}
		messages.Seal(p.Entries)
		if err := s.Append(group, &p); err != nil {
			return err
		}
		if err := s.Sync(); err != nil {
			return err
		}
		last := p.Entries[len(p.Entries)-1]
		fmt.Printf("%d %d %d %d %d\n", group, hard.Term, hard.Vote, last.Index, last.Term)
		if n%50 > 47 {
			if err := s.Compact(group, raft.SnapshotMeta{Last: raft.Position{Term: last.Term, Index: last.Index}}); err != nil {
				return err
			}
		}
	}
}

// acknowledged is what a writer said was durable in a group.
type acknowledged struct {
	hard raft.HardState
	last raft.Position
}

// TestC08_WhatAKilledProcessAcknowledgedIsThere kills a writer with -9 at random,
// again and again, on one directory.
func TestC08_WhatAKilledProcessAcknowledgedIsThere(t *testing.T) {
	lives := 12
	if testing.Short() {
		lives = 3
	}
	o := testOptions(testDir(t))
	random := rand.New(rand.NewPCG(1, 1))
	seen := map[raft.GroupID]acknowledged{}
	for range lives {
		live(t, o.Dir, 1+random.IntN(400), seen)
		s := mustOpen(t, o)
		for group, want := range seen {
			r, err := s.Load(group, 1<<30)
			if err != nil {
				t.Fatal(err)
			}
			// One commit may have become durable whose acknowledgement was not seen.
			if r.HardState.Term < want.hard.Term || r.HardState.Term > want.hard.Term+1 {
				t.Fatalf("group %d: term is %d, acknowledged was %d", group, r.HardState.Term, want.hard.Term)
			}
			if r.HardState.Term == want.hard.Term && r.HardState != want.hard {
				t.Fatalf("group %d: hard state is %+v, acknowledged was %+v", group, r.HardState, want.hard)
			}
			if r.HardState == want.hard && r.Last < want.last.Index {
				t.Fatalf("group %d: the log ends at %d, acknowledged was %s", group, r.Last, want.last)
			}
			if int(r.Last-r.Snapshot.Last.Index) != len(r.Tail) {
				t.Fatalf("group %d: %d entries in (%d, %d]", group, len(r.Tail), r.Snapshot.Last.Index, r.Last)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// live runs a writer until it has acknowledged count commits, and kills it.
func live(t *testing.T, dir string, count int, seen map[raft.GroupID]acknowledged) {
	t.Helper()
	c := exe(t, "writer", dir)
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for n := 0; lines.Scan(); n++ {
		if n == count {
			if err := c.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
		var group raft.GroupID
		var a acknowledged
		if k, _ := fmt.Sscan(lines.Text(), &group, &a.hard.Term, &a.hard.Vote, &a.last.Index, &a.last.Term); k == 5 {
			seen[group] = a
		}
	}
	if err := c.Wait(); err == nil || c.ProcessState.Exited() {
		t.Fatalf("the writer ended by itself after %s commits: %v", strconv.Itoa(count), err)
	}
}
