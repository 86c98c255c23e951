package cluster_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"castaway/actors"
	"castaway/cluster"
	"castaway/persistence"
)

// TestC43 puts an older copy of its data directory under a follower, or an empty one,
// while the leader goes on. The follower ends with the code that says so, at the next
// start as well, and the others keep everything.
func TestC43_ANodeOnAnOlderDataDirectoryEndsAndSaysWhy(t *testing.T) {
	for name, older := range map[string]func(t *testing.T, backup, dir string){
		"an older copy": func(t *testing.T, backup, dir string) {
			if err := os.CopyFS(dir, os.DirFS(backup)); err != nil {
				t.Fatal(err)
			}
		},
		"no directory": func(*testing.T, string, string) {},
	} {
		t.Run(name, func(t *testing.T) {
			configs, nodes := three(t)
			put(t, connect(t, nodes...), "first", "1")
			leader := leaderOf(t, nodes)
			victim := (leader + 1) % len(nodes)
			c, rest := configs[victim], nodes[leader]
			stop(t, nodes[victim])
			backup := t.TempDir()
			if err := os.CopyFS(backup, os.DirFS(c.DataDir)); err != nil {
				t.Fatal(err)
			}
			n := start(t, c)
			put(t, connect(t, rest), "second", "2")
			await(t, "the acknowledgement of everything", func() bool { return acknowledged(t, n, rest) })
			stop(t, n)
			if err := os.RemoveAll(c.DataDir); err != nil {
				t.Fatal(err)
			}
			older(t, backup, c.DataDir)

			for range 2 {
				err := endOf(t, cluster.Config{Config: c, Logger: testLogger(t)})
				if !errors.Is(err, persistence.ErrCorrupt) || cluster.ExitCode(err) != cluster.ExitCorrupt ||
					!strings.Contains(err.Error(), "forgot what it had acknowledged") {
					t.Fatalf("the node ended with %v (exit code %d), want ErrCorrupt", err, cluster.ExitCode(err))
				}
				if st := status(t, rest); st.Behaviour != "leader" {
					t.Fatalf("the leader is now a %s, so that this test proves nothing", st.Behaviour)
				}
			}
			put(t, connect(t, rest), "third", "3")
			wantValue(t, connect(t, rest), "second", "2")
		})
	}
}

func status(t *testing.T, n *cluster.Node) actors.Status {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), bound)
	defer cancel()
	st, err := n.Group().Status(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// acknowledged says whether the leader knows n to have its whole log.
func acknowledged(t *testing.T, n, leader *cluster.Node) bool {
	t.Helper()
	st := status(t, leader)
	for _, p := range st.Raft.Progress {
		if uint64(p.ID) == n.ID() {
			return p.Match == st.Raft.Last.Index
		}
	}
	return false
}
