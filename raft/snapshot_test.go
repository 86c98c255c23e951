package raft_test

import (
	"errors"
	"fmt"
	"testing"

	"castaway/raft"
)

// write has a leader commit n commands.
func (c *cluster) write(id raft.NodeID, n int) {
	c.t.Helper()
	for range n {
		c.propose(id, "x")
		c.settle()
	}
}

// C24: all servers of a cluster start from nothing but a snapshot, and elect.
func TestC24_RestartFromTheSnapshotAlone(t *testing.T) {
	c := newCluster(t, 3)
	c.elect(1)
	c.write(1, 9)
	c.pass(1) // the followers learn the commit index
	for _, id := range c.ids {
		c.keepTail(id, 0)
		c.settle()
	}
	c.options.Configuration = raft.Configuration{Voters: []raft.NodeID{9}} // what a new server would start with
	for _, id := range c.ids {
		c.crash(id, 0)
	}
	for _, id := range c.ids {
		c.restart(id)
		st := c.servers[id].core.Status()
		c.want(st.First == 11 && st.Last == raft.Position{Term: 1, Index: 10} && st.Commit == 10, "server %d starts as %+v", id, st)
		c.want(fmt.Sprint(st.Configuration.Voters) == "[1 2 3]", "server %d starts with %v", id, st.Configuration)
	}
	c.options.Configuration = raft.Configuration{Voters: c.ids}
	c.elect(2)
	c.write(2, 1)
	c.want(c.commit(2) == 12, "server 2 is %s", c.describe(2))
}

// C24: a snapshot has the configuration as of its index, not the one in force.
func TestC24_ConfigurationAsOfTheIndex(t *testing.T) {
	three := raft.Configuration{Voters: []raft.NodeID{1, 2, 3}}
	four := raft.Configuration{Voters: []raft.NodeID{1, 2, 3, 4}}
	d := diskWithLog([]raft.Term{1, 1, 1, 1, 1})
	d.log[2].Kind, d.log[2].Data = raft.EntryConfiguration, four.Encode()
	c := newCluster(t, 1)
	restored := d.restored(three, 2)
	restored.Applied = 4
	core, err := raft.New(c.config(1, 1), restored)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []raft.Configuration{three, three, three, four, four, four} {
		meta, ok := core.Meta(raft.Index(i))
		if !ok || fmt.Sprint(meta.Configuration) != fmt.Sprint(want) || int(meta.Last.Index) != i {
			t.Errorf("as of %d it is %+v, %v; want %v", i, meta, ok, want)
		}
	}
	for _, to := range []raft.Index{2, 3, 4} {
		if _, err := core.Compact(to); err != nil {
			t.Fatal(err)
		}
		if _, ok := core.Meta(to - 1); ok {
			t.Errorf("compacted to %d, and knows of %d", to, to-1)
		}
		want := four
		if to == 2 {
			want = three
		}
		if meta, ok := core.Meta(to); !ok || fmt.Sprint(meta.Configuration) != fmt.Sprint(want) {
			t.Errorf("compacted to %d, the configuration is %v, %v; want %v", to, meta, ok, want)
		}
	}
}

// C25: a server that holds a snapshot's last position keeps what follows it, which
// it may have acknowledged.
func TestC25_SnapshotKeepsTheSuffixThatMatches(t *testing.T) {
	c := newCluster(t, 3)
	c.elect(1)
	c.write(1, 3)
	meta := c.snapshot(1)
	c.write(1, 3)
	c.want(c.log(2) == c.log(1), "server 2 is %s", c.describe(2))
	for _, late := range []raft.SnapshotMeta{meta, c.snapshot(1), meta} {
		c.step(&raft.InstallSnapshot{Header: raft.Header{From: 1, To: 2, Term: 1}, Snapshot: late})
		c.want(c.log(2) == c.log(1) && c.servers[2].installed == 0, "server 2 is %s", c.describe(2))
		c.want(c.commit(2) >= late.Last.Index, "server 2 has %s and is %s", late.Last, c.describe(2))
	}
	c.settle()
}

// C25: a snapshot from before the log's start is late, and takes nothing away.
func TestC25_SnapshotBeforeTheLogsStart(t *testing.T) {
	c := newCluster(t, 3)
	c.elect(1)
	c.write(1, 3)
	early := c.snapshot(1)
	c.write(1, 3)
	c.pass(1)
	c.keepTail(2, 0)
	c.write(1, 2)
	before := c.log(2)
	c.step(&raft.InstallSnapshot{Header: raft.Header{From: 1, To: 2, Term: 1}, Snapshot: early})
	c.settle()
	c.want(c.log(2) == before && c.servers[2].installed == 0, "server 2 is %s", c.describe(2))
}

// C25: a log that does not hold the snapshot's last position goes, whole.
func TestC25_SnapshotDiscardsAnotherLog(t *testing.T) {
	c := newCluster(t, 3, plain, withLogs(map[raft.NodeID][]raft.Term{
		1: {1, 1, 3, 3}, 2: {1, 1, 3, 3}, 3: {1, 1, 2, 2, 2, 2, 2, 2},
	}))
	c.isolate(3)
	c.elect(1)
	c.pass(1)
	c.keepTail(1, 0)
	c.settle()
	c.heal()
	c.pass(timeout)
	c.want(c.log(3) == "[1 1 3 3 4]" && c.servers[3].installed == 1, "server 3 is %s", c.describe(3))
	c.want(c.servers[3].core.Status().First == 6, "server 3's log starts at %d", c.servers[3].core.Status().First)
	c.write(1, 1)
	c.want(c.log(3) == c.log(1), "server 3 is %s", c.describe(3))
}

// C08, C10: what follows an install rests on it. An acknowledgement of a write from
// before it vouches for nothing, and nothing of it leaves before it is durable.
func TestC10_AcknowledgementFromBeforeAnInstall(t *testing.T) {
	c := newCluster(t, 3, withManualDisks)
	h := raft.Header{From: 1, To: 2, Term: 2}
	three := raft.Configuration{Voters: []raft.NodeID{1, 2, 3}}
	var entries []raft.Entry
	for i := range 6 {
		entries = append(entries, raft.Entry{Term: 1, Index: raft.Index(i + 1), Kind: raft.EntryCommand})
	}
	core := c.servers[2].core
	first := core.Step(&raft.AppendEntries{Header: h, Entries: entries})
	e := core.Step(&raft.InstallSnapshot{Header: h, Snapshot: raft.SnapshotMeta{Last: raft.Position{Term: 2, Index: 4}, Configuration: three}})
	if e.Install == nil || e.Persist.Compact == nil || len(e.Send) > 0 || len(e.Persist.After) != 1 {
		t.Fatalf("it installs by %+v", e)
	}
	core.Persisted(raft.Ack{Incarnation: 1, Sequence: first.Persist.Sequence})
	if st := core.Status(); st.Durable != 0 || st.Applied != 4 || st.Last.Index != 4 {
		t.Fatalf("after the acknowledgement of what is gone it is %+v", st)
	}
	core.Persisted(raft.Ack{Incarnation: 1, Sequence: e.Persist.Sequence})
	if st := core.Status(); st.Durable != 4 {
		t.Fatalf("after the install is durable it is %+v", st)
	}
}

// The log stays as far as it is not applied, or not durable.
func TestCompact_NotBeyondWhatIsAppliedAndDurable(t *testing.T) {
	c := newCluster(t, 3, withManualDisks)
	core := c.servers[1].core
	for _, to := range []raft.Index{1, 1 << 40} {
		if _, err := core.Compact(to); !errors.Is(err, raft.ErrCompact) {
			t.Errorf("compacts an empty log to %d: %v", to, err)
		}
	}
	if e, err := core.Compact(0); err != nil || !e.Persist.Empty() {
		t.Errorf("to 0: %+v, %v", e, err)
	}
	if _, ok := core.Meta(1); ok {
		t.Error("an empty log knows the term of entry 1")
	}
}

// Restored.Applied lies within the log.
func TestRestored_Applied(t *testing.T) {
	c := newCluster(t, 1)
	d := diskWithLog([]raft.Term{1, 1, 2, 2})
	d.start = raft.SnapshotMeta{Last: raft.Position{Term: 1, Index: 2}, Configuration: raft.Configuration{Voters: c.ids}}
	for applied, good := range map[raft.Index]bool{0: true, 1: false, 2: true, 3: true, 4: true, 5: false} {
		r := d.restored(raft.Configuration{}, 9)
		r.Applied = applied
		core, err := raft.New(c.config(1, 1), r)
		if (err == nil) != good {
			t.Errorf("applied %d: %v", applied, err)
		}
		if err == nil && core.CommitIndex() != max(applied, 2) {
			t.Errorf("applied %d: commit index %d", applied, core.CommitIndex())
		}
	}
}
