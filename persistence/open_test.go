package persistence

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dgraph-io/badger/v4"
	"github.com/google/go-cmp/cmp"

	"castaway/raft"
)

func TestADirectoryHasOneOwner(t *testing.T) {
	o := testOptions(testDir(t))
	s := mustOpen(t, o)
	_, err := OpenBadger(o)
	if !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), o.Dir) ||
		!strings.Contains(err.Error(), fmt.Sprint("process ", os.Getpid())) {
		t.Fatalf("second open: %v, want ErrLocked with the directory and the process", err)
	}
	if err := os.Remove(filepath.Join(o.Dir, lockFile)); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the file is gone, and then it is one that nobody has locked
		if _, err := OpenBadger(o); !errors.Is(err, ErrLocked) {
			t.Fatalf("second open without the lock's file: %v, want ErrLocked", err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := mustOpen(t, o).Close(); err != nil {
		t.Fatal(err)
	}
}

func TestADirectoryThatCannotBeUsedIsNamed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for what, dir := range map[string]string{
		"it is a file":         file,
		"it is beneath a file": filepath.Join(file, "data"),
		"its name is too long": filepath.Join(t.TempDir(), strings.Repeat("x", 300)),
		"nobody can make it":   "/proc/castaway",
	} {
		_, err := OpenBadger(testOptions(dir))
		if !errors.Is(err, ErrDirectory) || !strings.Contains(err.Error(), "name another one") {
			t.Errorf("%s: %v, want ErrDirectory and what to do", what, err)
		}
	}
}

func TestADirectoryBelongsToOneServer(t *testing.T) {
	o := testOptions(testDir(t))
	if err := mustOpen(t, o).Close(); err != nil {
		t.Fatal(err)
	}
	for _, other := range []struct {
		cluster uint64
		server  raft.NodeID
	}{{0xc1, 2}, {0xc2, 1}} {
		wrong := o
		wrong.ClusterID, wrong.ServerID = other.cluster, other.server
		_, err := OpenBadger(wrong)
		if !errors.Is(err, ErrMismatch) || !strings.Contains(err.Error(), "belongs to server 1 of cluster 00000000000000c1") {
			t.Fatalf("open as server %d of cluster %x: %v", other.server, other.cluster, err)
		}
	}
}

// grown is a directory whose log has been through several memtables, so that some
// of it is in tables.
func grown(t testing.TB) Options {
	t.Helper()
	o := testOptions(testDir(t))
	s := mustOpen(t, o)
	hard := &raft.HardState{Term: 1}
	for i := raft.Index(1); i < 100; i++ {
		e := bigEntry(1, i, 40<<10)
		if err := errors.Join(s.Append(1, &raft.Persist{HardState: hard, Entries: e}), s.Sync()); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	logs, tables, err := listLog(filepath.Join(o.Dir, logDirectory))
	if err != nil || len(tables) < 2 {
		t.Fatalf("logs %v, tables %v, error %v: want several tables", logs, tables, err)
	}
	return o
}

func logFiles(t testing.TB, o Options, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(o.Dir, logDirectory, pattern))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no %s: %v", pattern, err)
	}
	return paths
}

// TestC41_LostAndDamagedFilesAreDetected damages one file after another. Each time
// the store refuses, twice, and leaves the evidence alone.
func TestC41_LostAndDamagedFilesAreDetected(t *testing.T) {
	pristine := grown(t)
	flip := func(path string, part float64) {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		b[int(part*float64(len(b)-1))] ^= 0x10
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, damage := range map[string]func(Options){
		"a table is gone":        func(o Options) { os.Remove(logFiles(t, o, "*.sst")[0]) },
		"a table is cut":         func(o Options) { os.Truncate(logFiles(t, o, "*.sst")[0], 5000) },
		"a table is empty":       func(o Options) { os.Truncate(logFiles(t, o, "*.sst")[0], 0) },
		"a table's first byte":   func(o Options) { flip(logFiles(t, o, "*.sst")[0], 0) },
		"a table's middle":       func(o Options) { flip(logFiles(t, o, "*.sst")[1], 0.5) },
		"a table's last byte":    func(o Options) { flip(logFiles(t, o, "*.sst")[0], 1) },
		"the manifest is gone":   func(o Options) { os.Remove(logFiles(t, o, badger.ManifestFilename)[0]) },
		"the manifest is empty":  func(o Options) { os.Truncate(logFiles(t, o, badger.ManifestFilename)[0], 0) },
		"the manifest is cut":    func(o Options) { os.Truncate(logFiles(t, o, badger.ManifestFilename)[0], 20) },
		"the manifest's middle":  func(o Options) { flip(logFiles(t, o, badger.ManifestFilename)[0], 0.5) },
		"the log is gone":        func(o Options) { os.RemoveAll(filepath.Join(o.Dir, logDirectory)) },
		"the witness is gone":    func(o Options) { os.Remove(filepath.Join(o.Dir, witnessFile)) },
		"the witness is empty":   func(o Options) { os.Truncate(filepath.Join(o.Dir, witnessFile), 0) },
		"the identity is gone":   func(o Options) { os.Remove(filepath.Join(o.Dir, identityFile)) },
		"the identity's middle":  func(o Options) { flip(filepath.Join(o.Dir, identityFile), 0.5) },
		"the identity's nonce":   func(o Options) { flip(filepath.Join(o.Dir, identityFile), 0.7) },
		"the identity's last":    func(o Options) { flip(filepath.Join(o.Dir, identityFile), 1) },
		"the identity was empty": func(o Options) { os.Truncate(filepath.Join(o.Dir, identityFile), 0) },
	} {
		t.Run(name, func(t *testing.T) {
			o := pristine
			o.Dir = testDir(t)
			if err := os.CopyFS(o.Dir, os.DirFS(pristine.Dir)); err != nil {
				t.Fatal(err)
			}
			damage(o)
			before := directoryContent(t, o.Dir)
			for range 2 {
				_, err := OpenBadger(o)
				if !errors.Is(err, ErrCorrupt) || strings.Count(err.Error(), WhatToDo) != 1 ||
					strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "runtime error") {
					t.Fatalf("got %v, want ErrCorrupt on one line, with what to do, once", err)
				}
				if d := cmp.Diff(len(before), len(directoryContent(t, o.Dir))); d != "" {
					t.Fatalf("files came or went:\n%s", d)
				}
				for path, content := range directoryContent(t, o.Dir) {
					if before[path] != content {
						t.Fatalf("%s has changed", path)
					}
				}
			}
		})
	}
	if err := mustOpen(t, pristine).Close(); err != nil {
		t.Fatal(err)
	}
}

// TestC41_EveryFlippedBitOfAManifestIsDetected includes those that make its end
// look torn, so that Badger would forget, and delete, the newest tables.
func TestC41_EveryFlippedBitOfAManifestIsDetected(t *testing.T) {
	o := grown(t)
	path := logFiles(t, o, badger.ManifestFilename)[0]
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	id, err := claim(o.Dir, o.ClusterID, o.ServerID)
	if err != nil {
		t.Fatal(err)
	}
	w, witnessed, err := openWitness(o.Dir, id.nonce)
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	for at := range content {
		for bit := range 8 {
			content[at] ^= 1 << bit
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
			if last, err := verify(filepath.Join(o.Dir, logDirectory), id.nonce, witnessed); !errors.Is(err, ErrCorrupt) {
				t.Fatalf("bit %d of byte %d of %d was not detected: commit %d, error %v", bit, at, len(content), last, err)
			}
			content[at] ^= 1 << bit
		}
	}
}

// TestC41_DamageFoundLateIsRemembered is a log whose records do not fit together,
// which shows only once Badger is open.
func TestC41_DamageFoundLateIsRemembered(t *testing.T) {
	o := testOptions(testDir(t))
	s := mustOpen(t, o)
	hard := &raft.HardState{Term: 1}
	for i := raft.Index(1); i <= 3; i++ {
		if err := errors.Join(s.Append(1, &raft.Persist{HardState: hard, Entries: testEntries(1, i, i)}), s.Sync()); err != nil {
			t.Fatal(err)
		}
		s.groups[1].sum ^= uint32(i / 3) // the third record's chain will not hold
		if i == 2 {
			s.groups[1].sum++
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := OpenBadger(o); !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), "commit 3") {
			t.Fatalf("got %v, want ErrCorrupt that names commit 3", err)
		}
	}
	if _, err := os.Stat(filepath.Join(o.Dir, corruptFile)); err != nil {
		t.Fatal(err)
	}
}

// TestAnEmptyMemtableLogIsNoObstacle is a power cut between the making of a file
// and its first byte.
func TestAnEmptyMemtableLogIsNoObstacle(t *testing.T) {
	o := grown(t)
	path := filepath.Join(o.Dir, logDirectory, memName(99))
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := mustOpen(t, o)
	defer s.Close()
	if r, err := s.Load(1, 0); err != nil || r.Last != 99 {
		t.Fatalf("last is %d, error %v", r.Last, err)
	}
}

func TestOptionsAreValidated(t *testing.T) {
	good := testOptions("somewhere")
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	o := DefaultOptions("somewhere")
	o.ClusterID, o.ServerID = 1, 1
	if err := o.Validate(); err != nil {
		t.Fatal(err)
	}
	for field, spoil := range map[string]func(*Options){
		"Dir":            func(o *Options) { o.Dir = "" },
		"ClusterID":      func(o *Options) { o.ClusterID = 0 },
		"ServerID":       func(o *Options) { o.ServerID = 0 },
		"MemTableBytes":  func(o *Options) { o.MemTableBytes = 1 },
		"MaxEntryBytes":  func(o *Options) { o.MaxEntryBytes = 1 << 20 },
		"MemTables":      func(o *Options) { o.MemTables = 0 },
		"HardFloorBytes": func(o *Options) { o.HardFloorBytes = 1 },
		"ReserveBytes":   func(o *Options) { o.ReserveBytes = 1 },
	} {
		bad := good
		spoil(&bad)
		if err := bad.Validate(); err == nil || !strings.Contains(err.Error(), "Options."+field) {
			t.Errorf("a bad %s gives %v", field, err)
		}
	}
}

// exe is this test binary, to be run as another process.
func exe(t testing.TB, mode string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(self, args...)
	c.Env = append(os.Environ(), childMode+"="+mode)
	return c
}
