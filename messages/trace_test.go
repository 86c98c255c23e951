package messages

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"castaway/raft"
)

// traceSample is a follower that grants a vote: the story of one input.
func traceSample() raft.TraceEvent {
	hard := raft.HardState{Term: 7, Vote: 1}
	before := raft.TraceState{
		Role: raft.Follower, HardState: raft.HardState{Term: 6, Vote: 3}, Leader: 3,
		Commit: 298, Durable: 299, Last: raft.Position{Term: 6, Index: 299},
	}
	after := before
	after.HardState, after.Leader = hard, raft.None
	return raft.TraceEvent{
		Node: 2, Input: "step", Before: before, After: after,
		Message: &raft.RequestVote{
			Header: raft.Header{From: 1, To: 2, Term: 7}, Last: raft.Position{Term: 6, Index: 299},
		},
		Effects: &raft.Effects{
			Persist: raft.Persist{Sequence: 4, HardState: &hard, After: []raft.Message{
				&raft.RequestVoteReply{Header: raft.Header{From: 2, To: 1, Term: 7}, Granted: true},
			}},
			Role: &raft.RoleChange{Role: raft.Follower, Term: 7},
		},
	}
}

func TestGoldenTrace(t *testing.T) {
	var got bytes.Buffer
	w := NewTraceWriter(&got)
	w.Trace(traceSample())
	for _, m := range []Kind{KindAppendEntries, KindAppendEntriesReply, KindHeartbeat} {
		w.Trace(raft.TraceEvent{Node: 2, Input: "step", Message: raftSamples()[m], Effects: &raft.Effects{
			Commit: raft.Span{First: 299, Last: 301},
			Reads:  []raft.ReadState{{ID: 5, Index: 301}},
			Fetch:  []raft.Fetch{{To: 3, First: 10, Last: 20}},
		}})
	}
	meta := raft.SnapshotMeta{Last: raft.Position{Term: 6, Index: 290}, Configuration: raft.Configuration{Voters: []raft.NodeID{1, 2, 3}}}
	w.Trace(raft.TraceEvent{
		Node: 2, Input: "step", Message: &raft.InstallSnapshot{Header: raft.Header{From: 1, To: 2, Term: 7}, Snapshot: meta},
		Effects: &raft.Effects{Persist: raft.Persist{Sequence: 5, Compact: &meta}, Install: &meta},
	})
	w.Trace(raft.TraceEvent{Node: 1, Input: "compact", Effects: &raft.Effects{
		Snapshots: []raft.SnapshotRequest{{To: 3, Term: 7, Next: 11}},
	}})
	if err := w.Err(); err != nil {
		t.Fatal(err)
	}
	const path = "testdata/trace.ndjson"
	if *update {
		if err := os.WriteFile(path, got.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("the trace's format changed:\n got %s\nwant %s", got.Bytes(), want)
	}
}

// Every message that a core can step or send has its kind in the trace.
func TestTheTraceNamesEveryMessage(t *testing.T) {
	for kind, m := range raftSamples() {
		if got := toTraceMessage(m).Kind; got != kind {
			t.Errorf("%T is traced as %s", m, got)
		}
	}
}

func TestEachEventIsOneLineOfJSON(t *testing.T) {
	var out bytes.Buffer
	w := NewTraceWriter(&out)
	for range 3 {
		w.Trace(traceSample())
	}
	for line := range strings.Lines(out.String()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("not JSON: %s", line)
		}
	}
	if n := strings.Count(out.String(), "\n"); n != 3 {
		t.Errorf("%d lines for 3 events", n)
	}
}

// A trace with a hole would accuse the algorithm of what the disk did.
func TestATraceEndsAtItsFirstFailedWrite(t *testing.T) {
	w := NewTraceWriter(&fullAfter{writes: 1})
	for _, input := range []string{"first", "second", "third"} {
		e := traceSample()
		e.Input = input
		w.Trace(e)
	}
	if err := w.Err(); !errors.Is(err, errFull) || !strings.Contains(err.Error(), "second") {
		t.Errorf("the error is %v, and the second event was the first that is lost", err)
	}
}

var errFull = errors.New("full")

// fullAfter takes so many writes, fails one, and takes more: as a disk does that
// somebody cleans.
type fullAfter struct{ writes int }

func (f *fullAfter) Write(b []byte) (int, error) {
	f.writes--
	if f.writes == -1 {
		return 0, errFull
	}
	if f.writes < -1 {
		panic("written to after a failure")
	}
	return len(b), nil
}
