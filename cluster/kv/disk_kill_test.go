package kv

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"castaway/actors"
	"castaway/raft"
)

// victimDirectory names the directory of a process that is to be killed.
const victimDirectory = "CASTAWAY_KV_VICTIM"

// TestC11_KilledProcess: wherever a process is killed, what opens is the state as of
// one entry, which is the last committed one or the next, and its pair with it.
func TestC11_KilledProcess(t *testing.T) {
	if dir := os.Getenv(victimDirectory); dir != "" {
		runUntilKilled(t, dir)
	}
	dir := t.TempDir()
	expected, at := New(), raft.Index(0)
	random := rand.New(rand.NewPCG(11, uint64(os.Getpid())))
	for round := range 12 {
		reported := killAfter(t, dir, 1+random.IntN(150))
		m, applied, side := openedDisk(t, dir)
		if applied != reported && applied != reported+1 {
			t.Fatalf("round %d: opened at entry %d; %d was the last to be reported", round, applied, reported)
		}
		for ; at < applied; at++ {
			expected.Apply([]actors.Command{commandAt(at + 1)})
		}
		if m.StateHash() != expected.StateHash() || rehash(&m.Machine) != m.StateHash() {
			t.Fatalf("round %d: the state at entry %d is %+v, want %+v", round, applied, m.store.figures, expected.store.figures)
		}
		if len(side) != 1 || binary.LittleEndian.Uint64(side[0].Value) != uint64(applied) {
			t.Fatalf("round %d: the pairs at entry %d are %v", round, applied, side)
		}
		if round%3 == 2 { // the others leave it open, as if killed once more
			shut(t, m)
		} else if err := m.disk.close(); err != nil {
			t.Fatal(err)
		}
	}
}

// commandAt is what is at a place of the log.
func commandAt(index raft.Index) actors.Command {
	random := rand.New(rand.NewPCG(uint64(index), 0))
	key := []byte(fmt.Sprint("key/", random.IntN(200)))
	var data []byte
	var err error
	if random.IntN(8) == 0 {
		data, err = EncodeDeleteRange(&pb.DeleteRangeRequest{Key: key, RangeEnd: []byte("key/5")})
	} else {
		data, err = EncodePut(&pb.PutRequest{Key: key, Value: make([]byte, random.IntN(20_000))})
	}
	if err != nil {
		panic(err)
	}
	return actors.Command{Index: index, Term: 1, Data: data}
}

// killAfter lets a process go on until it has reported so many entries, kills it, and
// gives the last one.
func killAfter(t *testing.T, dir string, entries int) (last raft.Index) {
	t.Helper()
	victim := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestC11_KilledProcess$")
	victim.Env = append(os.Environ(), victimDirectory+"="+dir)
	out, err := victim.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for seen := 0; lines.Scan(); seen++ {
		index, err := strconv.ParseUint(strings.TrimSpace(lines.Text()), 10, 64)
		if err != nil {
			t.Fatalf("the process says %q", lines.Text())
		}
		last = raft.Index(index)
		if seen == entries {
			if err := victim.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = victim.Wait()
	return last
}

// runUntilKilled goes on where it was left, and reports each entry that is committed.
func runUntilKilled(t *testing.T, dir string) {
	m, applied, _ := openedDisk(t, dir)
	for {
		applied++
		m.Apply([]actors.Command{commandAt(applied)})
		side := actors.Pair{Key: []byte("applied"), Value: binary.LittleEndian.AppendUint64(nil, uint64(applied))}
		if err := m.Commit(applied, []actors.Pair{side}); err != nil {
			t.Fatal(err)
		}
		fmt.Println(applied)
	}
}
