package cluster_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
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

	err := endOf(t, cluster.Config{Config: c, Logger: testLogger(t)})
	if !errors.Is(err, persistence.ErrCorrupt) || cluster.ExitCode(err) != cluster.ExitCorrupt {
		t.Fatalf("the node ended with %v (exit code %d), want ErrCorrupt", err, cluster.ExitCode(err))
	}
	if !strings.Contains(err.Error(), "must not vote") {
		t.Errorf("the error does not say what to do: %v", err)
	}
}

// badDisk is a store whose syncs fail once it is broken.
type badDisk struct {
	persistence.Store
	broken *atomic.Bool
}

func (d badDisk) Sync() error {
	if d.broken.Load() {
		return fmt.Errorf("%w: input/output error", persistence.ErrFailed)
	}
	return d.Store.Sync()
}

func TestC40_ANodeWhoseDiskFailsAcknowledgesNothingMoreAndEnds(t *testing.T) {
	var broken atomic.Bool
	cfg := cluster.Config{Config: plan(t, 1)[0], Logger: testLogger(t)}
	cluster.WrapStore(&cfg, func(s persistence.Store) persistence.Store { return badDisk{s, &broken} })
	n, err := cluster.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	c := connect(t, n)
	put(t, c, "greeting", "ahoy")
	broken.Store(true)
	ctx, cancel := context.WithTimeout(t.Context(), bound)
	defer cancel()
	go func() { <-n.Done(); cancel() }()
	if r, err := c.Put(ctx, "greeting", []byte("lost")); err == nil {
		t.Errorf("a write that is not on the disk was acknowledged: %+v", r)
	}
	if err := ended(t, n); !errors.Is(err, persistence.ErrFailed) || cluster.ExitCode(err) != cluster.ExitStoreFailed {
		t.Errorf("the node ended with %v (exit code %d), want ErrFailed", err, cluster.ExitCode(err))
	}
}

func TestAnActorThatCrashesWithoutEndEndsTheNode(t *testing.T) {
	cfg := cluster.Config{Config: plan(t, 1)[0], Logger: slog.New(slog.DiscardHandler)}
	cluster.Inject(&cfg, func(name string, _ any) {
		if name == "server" {
			panic("a bug that is always there")
		}
	})
	if err := endOf(t, cfg); !errors.Is(err, actors.ErrBudget) || cluster.ExitCode(err) != cluster.ExitRestartBudget {
		t.Errorf("the node ended with %v (exit code %d), want ErrBudget", err, cluster.ExitCode(err))
	}
}

// endOf starts a node that must end by itself, in the middle of its start or after
// it, and says why it did.
func endOf(t *testing.T, cfg cluster.Config) error {
	t.Helper()
	n, err := cluster.Start(t.Context(), cfg)
	if err != nil {
		return err
	}
	return ended(t, n)
}

func ended(t *testing.T, n *cluster.Node) error {
	t.Helper()
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
