package persistence_test

import (
	"errors"
	"fmt"
	"io"
	"os"

	"castaway/persistence"
	"castaway/raft"
)

// A snapshot is there once it is published, also after a restart, and is read only after
// all of it was verified.
func ExampleOpenSnapshots() {
	dir, err := os.MkdirTemp("", "castaway-example-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	options := persistence.SnapshotOptions{Dir: dir, ClusterID: 42}
	snapshots, err := persistence.OpenSnapshots(options)
	if err != nil {
		panic(err)
	}

	// Take one of group 7, as of entry 120.
	w, err := snapshots.Create(7, raft.SnapshotMeta{
		Last: raft.Position{Term: 3, Index: 120}, Configuration: raft.Configuration{Voters: []raft.NodeID{1, 2, 3}},
	})
	if err != nil {
		panic(err)
	}
	defer w.Abort() // does nothing once it is published
	if _, err := io.WriteString(w, "a ship, two sails"); err != nil {
		panic(err)
	}
	if _, err := w.Publish(); err != nil {
		panic(err)
	}

	// Read the newest one, as a server does that starts.
	if snapshots, err = persistence.OpenSnapshots(options); err != nil {
		panic(err)
	}
	list, err := snapshots.List(7)
	if err != nil {
		panic(err)
	}
	newest := list[len(list)-1]
	payload, err := snapshots.Open(newest)
	if err != nil {
		panic(err)
	}
	state, err := io.ReadAll(payload)
	if err := errors.Join(err, payload.Close()); err != nil {
		panic(err)
	}
	fmt.Printf("up to %s: %s\n", newest.Meta.Last, state)
	// Output: up to 120@t3: a ship, two sails
}
