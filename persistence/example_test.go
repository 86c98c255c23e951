package persistence_test

import (
	"errors"
	"fmt"
	"os"

	"castaway/messages"
	"castaway/persistence"
	"castaway/raft"
)

// A write is durable once Sync has returned; then a restart finds it.
func ExampleOpenBadger() {
	dir, err := os.MkdirTemp("", "castaway-example-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	options := persistence.DefaultOptions(dir)
	options.ClusterID, options.ServerID = 42, 1

	store, err := persistence.OpenBadger(options)
	if err != nil {
		panic(err)
	}
	entries := []raft.Entry{{Term: 1, Index: 1, Kind: raft.EntryCommand, Data: []byte("hoist the sail")}}
	messages.Seal(entries)
	write := &raft.Persist{HardState: &raft.HardState{Term: 1, Vote: 1}, Entries: entries}
	if err := errors.Join(store.Append(7, write), store.Sync(), store.Close()); err != nil {
		panic(err)
	}

	store, err = persistence.OpenBadger(options)
	if err != nil {
		panic(err)
	}
	defer store.Close()
	found, err := store.Load(7, 1<<20)
	if err != nil {
		panic(err)
	}
	fmt.Printf("term %d, vote %d, last %d: %s\n", found.HardState.Term, found.HardState.Vote, found.Last, found.Tail[0].Data)
	// Output: term 1, vote 1, last 1: hoist the sail
}

// The memory store forgets in a crash what was not synced.
func ExampleNewMemory() {
	store := persistence.NewMemory()
	for term := raft.Term(1); term <= 3; term++ {
		if err := store.Append(7, &raft.Persist{HardState: &raft.HardState{Term: term}}); err != nil {
			panic(err)
		}
		if term == 1 {
			if err := store.Sync(); err != nil {
				panic(err)
			}
		}
	}
	next := store.Crash(1) // the disk happened to keep one of two writes
	found, err := next.Load(7, 0)
	fmt.Println(found.HardState.Term, err)
	// Output: 2 <nil>
}

// The faulty store fails when it is told to, and then for good.
func ExampleNewFaulty() {
	store := persistence.NewFaulty(persistence.NewMemory(),
		persistence.FailAt(persistence.OperationSync, 2, errors.New("input/output error")))
	fmt.Println(store.Sync())
	fmt.Println(store.Sync())
	fmt.Println(errors.Is(store.Sync(), persistence.ErrFailed))
	// Output:
	// <nil>
	// persistence: the store failed: input/output error
	// true
}
