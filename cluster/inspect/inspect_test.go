package inspect_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"castaway/cluster/inspect"
	"castaway/cluster/kv"
	"castaway/messages"
	"castaway/persistence"
	"castaway/raft"
)

// write makes a data directory with a no-op, a put, a configuration and a session's entries in its log,
// copied while it is open: so a kill -9 leaves it.
func write(dir string) error {
	o := persistence.DefaultOptions(dir + ".open")
	o.ClusterID, o.ServerID, o.Logger = 0xcafe, 2, slog.New(slog.DiscardHandler)
	o.MemTableBytes, o.MaxEntryBytes = 1<<20, 64<<10
	store, err := persistence.OpenBadger(o)
	if err != nil {
		return err
	}
	put, err := kv.EncodePut(&pb.PutRequest{Key: []byte("greeting"), Value: []byte("ahoy")})
	if err != nil {
		return err
	}
	entries := []raft.Entry{
		{Term: 3, Index: 1, Kind: raft.EntryNoOp},
		{Term: 3, Index: 2, Kind: raft.EntryCommand, Data: put},
		{Term: 3, Index: 3, Kind: raft.EntryConfiguration, Data: raft.Configuration{Voters: []raft.NodeID{1, 2}}.Encode()},
	}
	for _, op := range []raft.SessionOp{
		{Kind: raft.SessionRun, ID: 2, Sequence: 3, Acknowledged: 1, Command: put},
		{Kind: raft.SessionRenew, Renew: []raft.SessionID{2, 7}},
		{Kind: raft.SessionEnd, ID: 2},
	} {
		entries = append(entries, raft.Entry{Term: 3, Index: raft.Index(len(entries) + 1), Kind: raft.EntrySession, Data: op.Encode()})
	}
	messages.Seal(entries)
	return errors.Join(
		takeSnapshot(o.Dir),
		store.Append(1, &raft.Persist{HardState: &raft.HardState{Term: 3, Vote: 1}, Entries: entries}),
		store.Sync(), os.CopyFS(dir, os.DirFS(o.Dir)), store.Close(), os.RemoveAll(o.Dir))
}

// takeSnapshot publishes a snapshot up to entry 2, and leaves another one unfinished.
func takeSnapshot(dir string) error {
	s, err := persistence.OpenSnapshots(persistence.SnapshotOptions{Dir: dir, ClusterID: 0xcafe})
	if err != nil {
		return err
	}
	meta := raft.SnapshotMeta{Last: raft.Position{Term: 3, Index: 2}, Configuration: raft.Configuration{Voters: []raft.NodeID{1, 2}}}
	w, err := s.Create(1, meta)
	if err != nil {
		return err
	}
	_, failed := w.Write([]byte("the state"))
	_, published := w.Publish()
	meta.Last.Index = 3
	_, begun := s.Create(1, meta)
	return errors.Join(failed, published, begun)
}

func TestSnapshotsAreListedAndVerified(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	if err := write(dir); err != nil {
		t.Fatal(err)
	}
	list := func() []inspect.Snapshot {
		d, err := inspect.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		list, err := d.Snapshots()
		if err != nil {
			t.Fatal(err)
		}
		if err := inspect.ErrOf(d.Verify()); (err != nil) != (list[0].Damage != "") {
			t.Errorf("%+v, but verified with %v", list, err)
		}
		return list
	}
	found := list()
	if len(found) != 2 || found[0].Index != 2 || found[0].Damage != "" || found[0].Unfinished || !found[1].Unfinished {
		t.Fatalf("found %+v", found)
	}
	content, err := os.ReadFile(found[0].Path)
	if err != nil {
		t.Fatal(err)
	}
	content[len(content)/2] ^= 1
	if err := os.WriteFile(found[0].Path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if found = list(); found[0].Damage == "" {
		t.Errorf("found %+v", found)
	}
}

func Example() {
	parent, err := os.MkdirTemp("", "castaway-inspect-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(parent) }()
	dir := filepath.Join(parent, "data")
	if err := write(dir); err != nil {
		fmt.Println(err)
		return
	}
	d, err := inspect.Open(dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = d.Close() }()
	s := d.State()
	fmt.Printf("server %d of cluster %s, term %d, damage %v\n", s.Server, s.Cluster, s.Groups[0].Term, s.Damage)
	err = d.Log(inspect.Range{From: 2}, func(e inspect.Entry) error {
		_, err := fmt.Println(e.Index, e.Kind, e.Summary)
		return err
	})
	fmt.Println(err, d.Err())
	// Output:
	// server 2 of cluster 000000000000cafe, term 3, damage []
	// 2 command put "greeting", 4 bytes
	// 3 configuration voters 1 2
	// 4 session session 2, command 3: put "greeting", 4 bytes
	// 5 session renew sessions [2 7]
	// 6 session end session 2
	// <nil> <nil>
}

// hash covers every name, size, time and byte below dir.
func hash(t *testing.T, dir string) string {
	t.Helper()
	h := sha256.New()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		fmt.Fprintln(h, path, info.Mode(), info.ModTime().UnixNano())
		if d.IsDir() {
			return nil
		}
		b, err := os.ReadFile(path)
		fmt.Fprintln(h, info.Size())
		h.Write(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

// Whatever is asked of a directory, whole or damaged, no file's name, time or content
// changes.
func TestInspectingChangesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	if err := write(dir); err != nil {
		t.Fatal(err)
	}
	for _, damage := range []string{"", "witness", "identity", "log/MANIFEST", "log/00001.mem"} {
		if damage != "" {
			if err := os.RemoveAll(filepath.Join(dir, damage)); err != nil {
				t.Fatal(err)
			}
		}
		before := hash(t, dir)
		d, err := inspect.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		bad := 0
		for _, c := range d.Verify() {
			if !c.OK {
				bad++
			}
		}
		if (bad > 0) != (damage != "") || errors.Is(d.Err(), persistence.ErrCorrupt) != (damage != "") {
			t.Errorf("without %q: %d checks failed, error %v", damage, bad, d.Err())
		}
		d.State()
		entries := 0
		err = d.Log(inspect.Range{}, func(inspect.Entry) error { entries++; return nil })
		t.Logf("without %q: %d entries, %v", damage, entries, err)
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		if hash(t, dir) != before {
			t.Errorf("without %q: inspecting changed the directory", damage)
		}
	}
}

func TestLogRefusesARangeThatIsNotThere(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	if err := write(dir); err != nil {
		t.Fatal(err)
	}
	d, err := inspect.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for _, r := range []inspect.Range{{From: 7}, {Group: 2}, {From: 3, To: 2}} {
		if err := d.Log(r, func(inspect.Entry) error { return nil }); !errors.Is(err, inspect.ErrRange) {
			t.Errorf("%+v: %v", r, err)
		}
	}
	seen := 0
	if err := d.Log(inspect.Range{Limit: 2}, func(inspect.Entry) error { seen++; return nil }); err != nil || seen != 2 {
		t.Errorf("with a limit of 2: %d entries, error %v", seen, err)
	}
}
