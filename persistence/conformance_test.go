package persistence_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"castaway/persistence"
	"castaway/persistence/storetest"
)

func TestMemoryConforms(t *testing.T) {
	storetest.Run(t, func(testing.TB) storetest.Disk {
		return storetest.Disk{
			Open: func() persistence.Store { return persistence.NewMemory() },
			Crash: func(s persistence.Store, keep int) persistence.Store {
				return s.(*persistence.Memory).Crash(keep)
			},
			Refusal: func(s persistence.Store) error {
				_, err := s.(*persistence.Memory).Crash(0).Load(1, 0)
				return err
			},
			MaxData: 40,
		}
	})
}

func TestFaultyConforms(t *testing.T) {
	storetest.Run(t, func(testing.TB) storetest.Disk {
		return storetest.Disk{
			Open: func() persistence.Store { return persistence.NewFaulty(persistence.NewMemory(), nil) },
			Crash: func(s persistence.Store, keep int) persistence.Store {
				memory := s.(*persistence.Faulty).Underlying().(*persistence.Memory)
				return persistence.NewFaulty(memory.Crash(keep), nil)
			},
			Refusal: func(s persistence.Store) error {
				memory := s.(*persistence.Faulty).Underlying().(*persistence.Memory)
				_, err := persistence.NewFaulty(memory.Crash(0), nil).Load(1, 0)
				return err
			},
			MaxData: 40,
		}
	})
}

func TestBadgerConforms(t *testing.T) {
	storetest.Run(t, func(t testing.TB) storetest.Disk { return badgerDisk(t, smallOptions(newDir(t))) })
}

// badgerDisk crashes by copying what is on disk while the store is open.
func badgerDisk(t testing.TB, o persistence.Options) storetest.Disk {
	open := func() persistence.Store {
		s, err := persistence.OpenBadger(o)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	lives := 0
	return storetest.Disk{
		Open: open,
		Crash: func(s persistence.Store, _ int) persistence.Store {
			lives++
			next := o.Dir + "." + strconv.Itoa(lives)
			copyDir(t, o.Dir, next)
			s.Close()
			os.RemoveAll(o.Dir)
			o.Dir = next
			return open()
		},
		Refusal: func(s persistence.Store) error {
			if err := s.Close(); err != nil {
				return err
			}
			next, err := persistence.OpenBadger(o)
			if err == nil {
				err = next.Close()
			}
			return err
		},
		MaxData: 40,
	}
}

// newDir makes a directory that is removed with the test: in memory if there is
// such a place, since it is not the disk that is tested.
func newDir(t testing.TB) string {
	t.Helper()
	parent := ""
	if _, err := os.Stat("/dev/shm"); err == nil {
		parent = "/dev/shm"
	}
	dir, err := os.MkdirTemp(parent, "castaway-persistence-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "data")
}

// smallOptions are for tests: small tables, no demand on the disk.
func smallOptions(dir string) persistence.Options {
	o := persistence.DefaultOptions(dir)
	o.ClusterID, o.ServerID = 0xc1, 1
	o.MemTableBytes = 1 << 20
	o.MaxEntryBytes = 64 << 10
	o.HardFloorBytes = 16 << 20
	o.ReserveBytes = 32 << 20
	return o
}

// copyDir copies a data directory as the kernel shows it, at a moment when nobody
// makes or removes files in it: the copy is not atomic.
func copyDir(t testing.TB, from, to string) {
	t.Helper()
	for {
		before := listing(t, from)
		err := os.CopyFS(to, os.DirFS(from))
		if slices.Equal(before, listing(t, from)) {
			if err != nil {
				t.Fatal(err)
			}
			return
		}
		if err := os.RemoveAll(to); err != nil {
			t.Fatal(err)
		}
	}
}

// listing gives names, and sizes of what only grows at the end.
func listing(t testing.TB, dir string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		// What has just gone is missing from the next listing, too.
		if err == nil {
			if info, err := d.Info(); err == nil {
				names = append(names, fmt.Sprint(path, info.Size()))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}
