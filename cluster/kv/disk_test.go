package kv

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"castaway/actors"
	"castaway/persistence"
	"castaway/raft"
)

func commit(t *testing.T, m *Disk, applied raft.Index, side ...actors.Pair) {
	t.Helper()
	if err := m.Commit(applied, side); err != nil {
		t.Fatal(err)
	}
}

func shut(t *testing.T, m *Disk) {
	t.Helper()
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
}

func wantEmpty(t *testing.T, why string, m *Disk, applied raft.Index, side []actors.Pair) {
	t.Helper()
	if applied != 0 || len(side) != 0 || m.StateHash() != New().StateHash() || m.items.get([]byte("k")) != nil {
		t.Errorf("%s: it opens at entry %d with %d pairs and %+v; want an empty machine", why, applied, len(side), m.store.figures)
	}
}

// TestC11_AppliedIndexPairsAndDataAreOneWrite: what is opened is what was committed,
// long pairs and deleted ones included, and nothing that was only applied.
func TestC11_AppliedIndexPairsAndDataAreOneWrite(t *testing.T) {
	dir := t.TempDir()
	m, applied, side := openedDisk(t, dir)
	wantEmpty(t, "at first", m, applied, side)
	long := bytes.Repeat([]byte("long "), partBytes/2)
	write(t, &m.Machine, "k", "v")
	commit(t, m, 5, actors.Pair{Key: []byte("a"), Value: []byte("1")}, actors.Pair{Key: []byte("b"), Value: long}, actors.Pair{Key: []byte("c"), Value: long})
	commit(t, m, 6, actors.Pair{Key: []byte("a")}, actors.Pair{Key: []byte("c"), Value: []byte{}})
	hash := m.StateHash()
	write(t, &m.Machine, "k", "not committed")
	shut(t, m)

	m, applied, side = openedDisk(t, dir)
	defer shut(t, m)
	if applied != 6 || m.StateHash() != hash || string(m.items.get([]byte("k")).kv.Value) != "v" {
		t.Errorf("opened at entry %d with hash %x, want 6 and %x", applied, m.StateHash(), hash)
	}
	if len(side) != 2 || !bytes.Equal(side[0].Value, long) || string(side[1].Key) != "c" || len(side[1].Value) != 0 {
		t.Errorf("opened with %d pairs", len(side))
	}
}

// TestC11_ATornCommitIsNoState: a commit of several transactions, the last of which is
// missing, leaves a machine that is made anew.
func TestC11_ATornCommitIsNoState(t *testing.T) {
	dir := t.TempDir()
	m, _, _ := openedDisk(t, dir)
	write(t, &m.Machine, "k", "v")
	commit(t, m, 5)
	torn := newBatch(m.disk.db, m.disk.last+1)
	torn.put(recordItem, []byte("k"), []byte("half of it"), 0)
	if err := torn.done(); err != nil {
		t.Fatal(err)
	}
	shut(t, m)
	m, applied, side := openedDisk(t, dir)
	defer shut(t, m)
	wantEmpty(t, "after a torn commit", m, applied, side)
}

// A restore that was interrupted, before the Commit or in the middle of the payload,
// leaves an empty machine, as does a system that went down with the state open.
func TestAnInterruptedRestoreLeavesNothing(t *testing.T) {
	s, err := filled(t, 100).Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	payload := written(t, s)
	for _, size := range []int{len(payload), len(payload) / 2, 0} {
		dir := t.TempDir()
		m, _, _ := openedDisk(t, dir)
		write(t, &m.Machine, "k", "v")
		commit(t, m, 5, actors.Pair{Key: []byte("a"), Value: []byte("1")})
		if err := m.Restore(bytes.NewReader(payload[:size])); (err != nil) != (size < len(payload)) {
			t.Fatal(err)
		}
		shut(t, m)
		m, applied, side := openedDisk(t, dir)
		wantEmpty(t, fmt.Sprint("after a restore from ", size, " bytes"), m, applied, side)
		shut(t, m)
	}
}

func TestC11_WhatASystemThatWentDownLeftIsNotTrusted(t *testing.T) {
	dir := t.TempDir()
	m, _, _ := openedDisk(t, dir)
	write(t, &m.Machine, "k", "v")
	commit(t, m, 5)
	shut(t, m)
	if err := writeLife(dir, "another life of the system"); err != nil {
		t.Fatal(err)
	}
	m, applied, side := openedDisk(t, dir)
	defer shut(t, m)
	wantEmpty(t, "after the system went down", m, applied, side)
}

// One command may change more than Badger takes in a transaction.
func TestADeletionOfEverythingIsOneCommit(t *testing.T) {
	const keys = 30_000
	dir := t.TempDir()
	m, _, _ := openedDisk(t, dir)
	for i := range keys {
		write(t, &m.Machine, fmt.Sprintf("key/%05d", i), "v")
	}
	commit(t, m, keys)
	if r, err := m.delete(&pb.DeleteRangeRequest{Key: []byte{0}, RangeEnd: []byte{0}}); err != nil || r.Deleted != keys {
		t.Fatal(r, err)
	}
	commit(t, m, keys+1)
	shut(t, m)
	m, applied, _ := openedDisk(t, dir)
	defer shut(t, m)
	if r, err := m.read(all); err != nil || r.Count != 0 || applied != keys+1 || m.store.keys != 0 {
		t.Errorf("opened at entry %d with %v (%v)", applied, r, err)
	}
}

// What is overwritten gives its space back, though views are made all the time.
func TestOverwritingDoesNotGrowTheDisk(t *testing.T) {
	dir := t.TempDir()
	m, _, _ := openedDisk(t, dir)
	defer shut(t, m)
	const bound = 120 << 20
	total := 400 << 20
	if testing.Short() { // the race detector takes its time
		total = 200 << 20
	}
	value := bytes.Repeat([]byte("0123456789abcdef"), 4<<10)
	for i := range total / len(value) {
		binary.LittleEndian.PutUint64(value, uint64(i))
		if _, err := m.put(&pb.PutRequest{Key: []byte(fmt.Sprint(i % 100)), Value: value}); err != nil {
			t.Fatal(err)
		}
		commit(t, m, raft.Index(i+1))
		if _, err := m.Query(all); err != nil {
			t.Fatal(err)
		}
	}
	if size := sizeOf(t, dir); size > bound {
		t.Errorf("%d bytes of which 100 values stand take %d on disk, more than %d", total, size, bound)
	}
}

// sizeOf is what a directory takes.
func sizeOf(t testing.TB, dir string) (size int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) { // compacted away
			return nil
		}
		if err != nil {
			return err
		}
		if info, err := e.Info(); err == nil && !e.IsDir() {
			size += info.Size()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return size
}

// TestC11_AFullDiskIsNamedBeforeItIsFull: nothing is written that has no room, and
// what was committed before is there once there is room.
func TestC11_AFullDiskIsNamedBeforeItIsFull(t *testing.T) {
	dir := t.TempDir()
	full := false
	room := func(uint64) error {
		if full {
			return persistence.ErrNoSpace
		}
		return nil
	}
	m := NewDisk(DiskOptions{Dir: dir, MemTableBytes: 8 << 20, Room: room})
	if _, _, err := m.Open(); err != nil {
		t.Fatal(err)
	}
	write(t, &m.Machine, "k", "v")
	commit(t, m, 1)
	full = true
	write(t, &m.Machine, "k", "w")
	for range 2 { // it does not come back by itself
		if err := m.Commit(2, nil); !errors.Is(err, persistence.ErrNoSpace) {
			t.Errorf("commit to a full disk: %v", err)
		}
		full = false
	}
	shut(t, m)
	m, applied, _ := openedDisk(t, dir)
	if got := m.items.get([]byte("k")); applied != 1 || string(got.kv.Value) != "v" {
		t.Errorf("opened at entry %d", applied)
	}
	shut(t, m)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
}
