package persistence

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"castaway/raft"
)

// offlineEntries reads all that there is of group 1.
func offlineEntries(t *testing.T, o *Offline) []raft.Entry {
	t.Helper()
	r := o.Groups()[0].Restored
	var entries []raft.Entry
	err := o.Entries(1, r.Snapshot.Last.Index+1, r.Last, func(e raft.Entry) error {
		entries = append(entries, e)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

func mustReadOffline(t *testing.T, dir string) *Offline {
	t.Helper()
	o, err := ReadOffline(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.Close() })
	return o
}

// A directory as a kill -9 leaves it, with tables and memtable logs, is read as the
// store would read it, and not a byte of it is changed: not even Badger's repairs
// happen.
func TestReadingOfflineSeesWhatTheStoreSeesAndChangesNothing(t *testing.T) {
	opened := grown(t)
	dir := opened.Dir + ".killed"
	s := mustOpen(t, opened)
	hard := raft.HardState{Term: 9, Vote: 2}
	big := append(bigEntry(9, 100, 40<<10), bigEntry(9, 101, 40<<10)...) // one record, in two parts
	more := testEntries(9, 102, 130)
	for _, entries := range [][]raft.Entry{big, more} {
		if err := errors.Join(s.Append(1, &raft.Persist{HardState: &hard, Entries: entries}), s.Sync()); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Compact(1, raft.SnapshotMeta{Last: raft.Position{Term: 1, Index: 40}, Configuration: raft.Configuration{Voters: []raft.NodeID{1, 2}}}); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(dir, os.DirFS(opened.Dir)); err != nil {
		t.Fatal(err)
	}
	want, err := s.Load(1, 1<<30)
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}

	before := directoryContent(t, dir)
	o := mustReadOffline(t, dir)
	if d := o.Damage(); len(d) != 0 {
		t.Fatalf("damage in a sound directory: %v", d)
	}
	entries := offlineEntries(t, o)
	sameEntries(t, want.Tail, entries)
	got := o.Groups()[0].Restored
	want.Tail = nil
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("restored (-store +offline):\n%s", d)
	}
	if cluster, server := o.Identity(); cluster != opened.ClusterID || server != opened.ServerID {
		t.Errorf("identity is server %d of cluster %x", server, cluster)
	}
	if last, witnessed := o.Commits(); last == 0 || witnessed > last {
		t.Errorf("last commit %d, witnessed %d", last, witnessed)
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(before, directoryContent(t, dir)); d != "" {
		t.Errorf("reading changed the directory:\n%s", d)
	}
}

// What a node has open is left alone, and what is being read is not opened.
func TestReadingOfflineAndRunningExcludeEachOther(t *testing.T) {
	options := testOptions(testDir(t))
	s := mustOpen(t, options)
	if _, err := ReadOffline(options.Dir); !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), "process ") {
		t.Fatalf("got %v, want ErrLocked that names the process", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	o := mustReadOffline(t, options.Dir)
	another := mustReadOffline(t, options.Dir)
	if _, err := OpenBadger(options); !errors.Is(err, ErrLocked) {
		t.Fatalf("got %v, want ErrLocked", err)
	}
	if err := errors.Join(o.Close(), another.Close()); err != nil {
		t.Fatal(err)
	}
	if err := mustOpen(t, options).Close(); err != nil {
		t.Fatal(err)
	}
}

// Of a damaged directory, what comes before the damage is read, and the damage named.
func TestReadingOfflineTellsWhatDamageLeft(t *testing.T) {
	im := newImage(t)
	at := im.starts[5] + 60
	im.patch(at, []byte{im.content[at] ^ 1})
	before := directoryContent(t, im.dir)
	o := mustReadOffline(t, im.dir)
	if d := o.Damage(); len(d) == 0 || !strings.Contains(d[0].Error(), "commit 5") {
		t.Fatalf("damage: %v", d)
	}
	sameEntries(t, im.entries[:5], offlineEntries(t, o))
	if d := cmp.Diff(before, directoryContent(t, im.dir)); d != "" {
		t.Fatalf("reading changed the directory:\n%s", d)
	}
}

// A lost table leaves a hole: the records behind it are counted, not shown.
func TestReadingOfflineCountsWhatLiesBehindAHole(t *testing.T) {
	options := grown(t)
	tables := logFiles(t, options, "*.sst")
	if err := os.Truncate(tables[0], 100); err != nil {
		t.Fatal(err)
	}
	o := mustReadOffline(t, options.Dir)
	found := ""
	for _, d := range o.Damage() {
		found += d.Error() + "\n"
	}
	if !strings.Contains(found, filepath.Base(tables[0])) {
		t.Fatalf("damage: %s", found)
	}
	for _, g := range o.Groups() {
		if g.Err != nil && g.Unreachable == 0 {
			t.Errorf("group %d: %v, but nothing is out of reach", g.Group, g.Err)
		}
	}
}

// Without an identity, the witness still knows which records are the directory's own.
func TestReadingOfflineGoesOnWithoutAnIdentity(t *testing.T) {
	im := newImage(t)
	if err := os.Remove(filepath.Join(im.dir, identityFile)); err != nil {
		t.Fatal(err)
	}
	o := mustReadOffline(t, im.dir)
	if len(o.Damage()) != 1 {
		t.Fatalf("damage: %v", o.Damage())
	}
	sameEntries(t, im.entries, offlineEntries(t, o))
}

func TestReadingOfflineRefusesWhatIsNoDataDirectory(t *testing.T) {
	for _, dir := range []string{t.TempDir(), filepath.Join(t.TempDir(), "nowhere")} {
		if _, err := ReadOffline(dir); !errors.Is(err, ErrDirectory) {
			t.Errorf("%s: %v", dir, err)
		}
	}
}
