package recovery_test

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"castaway/cluster/member"
	"castaway/cluster/recovery"
	"castaway/messages"
	"castaway/persistence"
	"castaway/raft"
)

const oldCluster = 0xcafe

// survivor makes a data directory of server 2, whose log starts after entry 3, ends with
// entry 9 of term 5, and once made server 7 a member.
func survivor(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "old")
	if err := makeSurvivor(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

func makeSurvivor(dir string) error {
	store, err := open(dir, oldCluster, 2)
	if err != nil {
		return err
	}
	var entries []raft.Entry
	for i := raft.Index(1); i <= 9; i++ {
		entries = append(entries, raft.Entry{Term: 4, Index: i, Kind: raft.EntryCommand, Data: fmt.Appendf(nil, "command %d", i)})
	}
	entries[5].Kind, entries[5].Data = raft.EntryConfiguration, raft.Configuration{Voters: []raft.NodeID{1, 2, 7}}.Encode()
	entries[8].Term = 5
	messages.Seal(entries)
	return errors.Join(snapshot(dir, 3),
		store.Append(1, &raft.Persist{HardState: &raft.HardState{Term: 6, Vote: 1}, Entries: entries}),
		store.Compact(1, raft.SnapshotMeta{Last: raft.Position{Term: 4, Index: 3}, Configuration: raft.Configuration{Voters: []raft.NodeID{1, 2, 3}}}),
		store.Close())
}

// snapshot publishes a snapshot up to an index in the survivor's directory.
func snapshot(dir string, index raft.Index) error {
	s, err := persistence.OpenSnapshots(persistence.SnapshotOptions{Dir: dir, ClusterID: oldCluster})
	if err != nil {
		return err
	}
	w, err := s.Create(1, raft.SnapshotMeta{Last: raft.Position{Term: 4, Index: index}, Configuration: raft.Configuration{Voters: []raft.NodeID{1, 2, 3}}})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "the state as of %d", index)
	_, published := w.Publish()
	return errors.Join(err, published)
}

func open(dir string, cluster uint64, server raft.NodeID) (*persistence.Badger, error) {
	o := persistence.DefaultOptions(dir)
	o.ClusterID, o.ServerID, o.Logger = cluster, server, slog.New(slog.DiscardHandler)
	return persistence.OpenBadger(o)
}

func mustOpen(t testing.TB, dir string, cluster uint64, server raft.NodeID) *persistence.Badger {
	t.Helper()
	store, err := open(dir, cluster, server)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func optionsFor(from string) recovery.Options {
	return recovery.Options{
		From: from, To: filepath.Join(filepath.Dir(from), "new"), ID: 8,
		Member: member.Info{Peer: "127.0.0.1:7008"}, Logger: slog.New(slog.DiscardHandler),
	}
}

// The survivor's log is kept as it is, but for its configurations; it ends with the new
// member's, in a term above; and the survivor's directory is what it was.
func TestRecoverKeepsTheSurvivorsLogUnderANewIdentity(t *testing.T) {
	o := optionsFor(survivor(t))
	before := content(t, o.From)
	report, err := recovery.Recover(o)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(before, content(t, o.From)); d != "" {
		t.Errorf("the old directory has changed:\n%s", d)
	}
	want := recovery.Group{Group: 1, Term: 6, NewTerm: 7, SnapshotIndex: 3, Last: 9, LastTerm: 5, Committed: 3}
	if d := cmp.Diff([]recovery.Group{want}, report.Groups); d != "" {
		t.Errorf("reported (-want +got):\n%s", d)
	}
	var id uint64
	if _, err := fmt.Sscanf(report.NewCluster, "%016x", &id); err != nil || id == oldCluster {
		t.Errorf("the new cluster is %s (%v)", report.NewCluster, err)
	}

	files, err := persistence.OpenSnapshots(persistence.SnapshotOptions{Dir: o.To, ClusterID: id})
	if err != nil {
		t.Fatal(err)
	}
	list, err := files.List(1)
	if err != nil || len(list) != 1 || list[0].Meta.Last.Index != 3 || !slices.Equal(list[0].Meta.Configuration.Voters, []raft.NodeID{8}) {
		t.Fatalf("snapshots %+v, %v", list, err)
	}
	if payload, err := files.Open(list[0]); err != nil {
		t.Error(err)
	} else if state, err := io.ReadAll(payload); err != nil || string(state) != "the state as of 3" {
		t.Errorf("the snapshot holds %q, %v", state, err)
	}

	store := mustOpen(t, o.To, id, 8)
	defer store.Close()
	r, err := store.Load(1, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if r.HardState != (raft.HardState{Term: 7, Vote: 8}) || r.Snapshot.Last != (raft.Position{Term: 4, Index: 3}) || r.Last != 10 {
		t.Errorf("hard state %+v, after %s, last %d", r.HardState, r.Snapshot.Last, r.Last)
	}
	for i, e := range r.Tail {
		term := []raft.Term{4, 4, 4, 4, 4, 5, 7}[i]
		if e.Term != term || e.Index != raft.Index(i+4) {
			t.Errorf("entry %d@t%d is where %d@t%d should be", e.Index, e.Term, i+4, term)
		}
		if e.Kind == raft.EntryCommand && string(e.Data) != fmt.Sprintf("command %d", e.Index) {
			t.Errorf("entry %d holds %q", e.Index, e.Data)
		}
	}
	if len(r.Configurations) != 2 || r.Configurations[1].Index != 10 {
		t.Fatalf("configurations %v", r.Configurations)
	}
	for _, c := range []raft.Configuration{r.Snapshot.Configuration, decoded(t, &r.Configurations[0]), decoded(t, &r.Configurations[1])} {
		if d := cmp.Diff([]raft.NodeID{8}, c.Voters); d != "" || len(c.OldVoters)+len(c.Learners) > 0 {
			t.Errorf("a configuration of the new cluster is %+v", c)
		}
	}
}

func decoded(t *testing.T, e *raft.Entry) raft.Configuration {
	t.Helper()
	c, err := raft.DecodeConfiguration(e.Data)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// content is every file below a directory.
func content(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		files[path] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestC12_AnOldIdIsNotGivenAgain: whoever had the id may still have votes under it.
func TestC12_AnOldIdIsNotGivenAgain(t *testing.T) {
	o := optionsFor(survivor(t))
	for id := range uint64(8) { // server 7 was a member once
		o.ID = id
		if _, err := recovery.Recover(o); !errors.Is(err, recovery.ErrOptions) {
			t.Errorf("id %d: %v", id, err)
		}
	}
}

// Without what its log starts after, a survivor is of no use.
func TestRecoverRefusesALogWithoutItsSnapshot(t *testing.T) {
	o := optionsFor(survivor(t))
	if err := os.RemoveAll(filepath.Join(o.From, "snapshots")); err != nil {
		t.Fatal(err)
	}
	if _, err := recovery.Recover(o); !errors.Is(err, recovery.ErrNothing) || !strings.Contains(err.Error(), "starts after entry 3") {
		t.Errorf("got %v", err)
	}
}

// A snapshot that had come from a leader, before a crash, is where the new log starts.
func TestRecoverFollowsASnapshotBeyondTheLog(t *testing.T) {
	o := optionsFor(survivor(t))
	if err := snapshot(o.From, 20); err != nil {
		t.Fatal(err)
	}
	report, err := recovery.Recover(o)
	if err != nil {
		t.Fatal(err)
	}
	want := recovery.Group{Group: 1, Term: 6, NewTerm: 7, SnapshotIndex: 20, Last: 20, LastTerm: 4, Committed: 20}
	if d := cmp.Diff([]recovery.Group{want}, report.Groups); d != "" {
		t.Errorf("reported (-want +got):\n%s", d)
	}
}

func TestSurveyDoesNothing(t *testing.T) {
	o := optionsFor(survivor(t))
	report, err := recovery.Survey(o)
	if err != nil || report.NewCluster != "" || len(report.Groups) != 1 {
		t.Fatalf("%+v, %v", report, err)
	}
	if entries, err := os.ReadDir(filepath.Dir(o.From)); err != nil || len(entries) != 1 {
		t.Errorf("beside the old directory: %v (%v)", entries, err)
	}
}

func TestRecoverRefusesWhatMakesNoSense(t *testing.T) {
	from := survivor(t)
	for name, spoil := range map[string]func(o *recovery.Options){
		"no address":         func(o *recovery.Options) { o.Member.Peer = "" },
		"no directory":       func(o *recovery.Options) { o.To = "" },
		"the old directory":  func(o *recovery.Options) { o.To = o.From },
		"inside the old one": func(o *recovery.Options) { o.To = filepath.Join(o.From, "new") },
		"a full directory":   func(o *recovery.Options) { o.To = filepath.Dir(o.From) },
	} {
		o := optionsFor(from)
		spoil(&o)
		if _, err := recovery.Recover(o); !errors.Is(err, recovery.ErrOptions) {
			t.Errorf("%s: %v", name, err)
		}
	}
	o := optionsFor(t.TempDir())
	if _, err := recovery.Recover(o); !errors.Is(err, persistence.ErrDirectory) {
		t.Errorf("from no data directory: %v", err)
	}
}

// A node that runs is no survivor, and what is damaged is taken only by who accepts it.
func TestRecoverAsksBeforeItTakesWhatIsDamaged(t *testing.T) {
	o := optionsFor(survivor(t))
	store := mustOpen(t, o.From, oldCluster, 2)
	if _, err := recovery.Recover(o); !errors.Is(err, persistence.ErrLocked) {
		t.Errorf("from a directory in use: %v", err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(o.From, "witness")); err != nil {
		t.Fatal(err)
	}
	if _, err := recovery.Recover(o); !errors.Is(err, persistence.ErrCorrupt) || !strings.Contains(err.Error(), "witness") {
		t.Errorf("from a damaged directory: %v", err)
	}
	o.AcceptDamage = true
	if report, err := recovery.Recover(o); err != nil || len(report.Damage) != 1 || report.Groups[0].Last != 9 {
		t.Errorf("with the damage accepted: %+v, %v", report, err)
	}
}
