package cluster_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"castaway/actors"
	"castaway/cluster"
	"castaway/cluster/config"
	"castaway/persistence"
)

func TestANodeWhoseStoreLostWhatItAcknowledgedEndsAndSaysWhatToDo(t *testing.T) {
	c := plan(t, 1)[0]
	n := start(t, c)
	put(t, connect(t, n), "greeting", "a value to be found on the disk")
	put(t, connect(t, n), "another", "behind it")
	stop(t, n)
	damage(t, c.DataDir, []byte("a value to be found on the disk"))

	err := endOf(t, c)
	if !errors.Is(err, persistence.ErrCorrupt) || cluster.ExitCode(err) != cluster.ExitCorrupt {
		t.Fatalf("the node ended with %v (exit code %d), want ErrCorrupt", err, cluster.ExitCode(err))
	}
	if !strings.Contains(err.Error(), "must not vote") {
		t.Errorf("the error does not say what to do: %v", err)
	}
}

// endOf starts a node that must end by itself, and says why it did.
func endOf(t *testing.T, c config.Config) error {
	t.Helper()
	n, err := cluster.Start(t.Context(), cluster.Config{Config: c, Logger: testLogger(t)})
	if err != nil {
		return err
	}
	select {
	case <-n.Done():
		return n.Err()
	case <-time.After(bound):
		t.Fatal("the node goes on as if nothing were wrong")
		return nil
	}
}

// damage flips a bit in the middle of what it finds on the disk.
func damage(t *testing.T, dir string, content []byte) {
	t.Helper()
	found := 0
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		at := bytes.Index(data, content)
		if at < 0 {
			return nil
		}
		found++
		data[at+len(content)/2] ^= 1
		return os.WriteFile(path, data, 0o600)
	})
	if err != nil || found == 0 {
		t.Fatalf("nothing was damaged: %d files, %v", found, err)
	}
}

func TestEveryWayToEndHasItsExitCode(t *testing.T) {
	indeterminate := &actors.Error{Indeterminate: true}
	for err, want := range map[error]int{
		nil:                     cluster.ExitDone,
		errors.New("something"): cluster.ExitNotDone,
		config.ErrInvalid:       cluster.ExitUsage,
		indeterminate:           cluster.ExitIndeterminate,
		persistence.ErrFailed:   cluster.ExitStoreFailed,
		persistence.ErrCorrupt:  cluster.ExitCorrupt,
		actors.ErrBudget:        cluster.ExitRestartBudget,
		persistence.ErrLocked:   cluster.ExitLocked,
		persistence.ErrMismatch: cluster.ExitMismatch,
		cluster.ErrListen:       cluster.ExitListen,
	} {
		if got := cluster.ExitCode(err); got != want {
			t.Errorf("%v ends with %d, want %d", err, got, want)
		}
	}
}

func TestClustersThatWereToldDifferentlyHaveDifferentIDs(t *testing.T) {
	members := []config.Peer{{ID: 1, Address: "127.0.0.1:7001", Client: "127.0.0.1:8001"}, {ID: 2, Address: "127.0.0.1:7002"}}
	id := cluster.ID("fleet", members)
	if id == 0 || id != cluster.ID("fleet", members) {
		t.Fatalf("the id is %x; it must be the same every time, and not 0", id)
	}
	moved := []config.Peer{{ID: 1, Address: "127.0.0.1:7001"}, {ID: 2, Address: "127.0.0.1:7003"}}
	for what, other := range map[string]uint64{
		"name": cluster.ID("armada", members), "address": cluster.ID("fleet", moved), "members": cluster.ID("fleet", members[:1]),
	} {
		if other == id {
			t.Errorf("another %s gives the same id", what)
		}
	}
	members[0].Client = "127.0.0.1:9001"
	if cluster.ID("fleet", members) != id {
		t.Error("where clients reach a member does not make another cluster")
	}
}
