package fleet_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"testing"
	"time"

	"castaway/cluster/fleet"
)

// Three nodes in one process with 20 groups each replicate in all of them.
func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "fleet")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	f, err := fleet.Start(fleet.Config{Dir: dir, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		panic(err)
	}
	defer f.Stop(ctx)
	if err := f.Grow(ctx, 20); err != nil {
		panic(err)
	}
	for group := range f.Groups() {
		if err := f.Put(ctx, group, []byte("hello")); err != nil {
			panic(err)
		}
	}
	fmt.Println(f.Groups(), "groups,", f.Err())
	// Output: 20 groups, <nil>
}

// One sync carries the writes of all groups: with many at the same time, they cost
// far fewer syncs each than one alone.
func TestOneSyncCarriesTheWritesOfAllGroups(t *testing.T) {
	const groups, writes = 64, 20
	f, err := fleet.Start(fleet.Config{Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := f.Stop(ctx); err != nil {
			t.Error(err)
		}
	}()
	if err := f.Grow(t.Context(), groups); err != nil {
		t.Fatal(err)
	}
	write := func(group int) {
		for range writes {
			if err := f.Put(t.Context(), group, []byte("x")); err != nil {
				t.Error(err)
			}
		}
	}
	before := f.Usage()
	write(0)
	alone := f.Usage()
	var wg sync.WaitGroup
	for g := range groups {
		wg.Go(func() { write(g) })
	}
	wg.Wait()
	together := f.Usage()
	one := float64(alone.Syncs-before.Syncs) / writes
	many := float64(together.Syncs-alone.Syncs) / (groups * writes)
	t.Logf("syncs per write on all nodes: %.2f for one group, %.2f for %d groups", one, many, groups)
	if many > one/2 {
		t.Errorf("%d groups at once cost %.2f syncs a write, one alone %.2f", groups, many, one)
	}
	if err := f.Err(); err != nil {
		t.Error(err)
	}
}
