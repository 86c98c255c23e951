package raft_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"castaway/raft"
)

func goodConfig() raft.Config {
	return raft.Config{
		ID: 1, Incarnation: 1, ElectionTicks: 10, HeartbeatTicks: 3, PreVote: true, CheckQuorum: true,
		MaxMessageBytes: 100, MaxInflightMessages: 1, MaxInflightBytes: 100, MaxUncommittedBytes: 1000,
		MaxEntryBytes: 100, MaxPendingReads: 1, Random: func(int) int { return 0 },
	}
}

func goodRestored() raft.Restored {
	d := diskWithLog([]raft.Term{1, 1, 3})
	return d.restored(raft.Configuration{Voters: []raft.NodeID{1, 2, 3}}, 2)
}

// A Config that cannot work is refused with the name of the field.
func TestNew_NamesTheFieldThatIsWrong(t *testing.T) {
	if _, err := raft.New(goodConfig(), goodRestored()); err != nil {
		t.Fatalf("a good Config is refused: %v", err)
	}
	for name, spoil := range map[string]func(c *raft.Config){
		"ID":                  func(c *raft.Config) { c.ID = 0 },
		"Random":              func(c *raft.Config) { c.Random = nil },
		"HeartbeatTicks":      func(c *raft.Config) { c.HeartbeatTicks = 0 },
		"ElectionTicks":       func(c *raft.Config) { c.ElectionTicks = 8 },
		"MaxMessageBytes":     func(c *raft.Config) { c.MaxMessageBytes = 0 },
		"MaxInflightMessages": func(c *raft.Config) { c.MaxInflightMessages = 0 },
		"MaxInflightBytes":    func(c *raft.Config) { c.MaxInflightBytes = 99 },
		"MaxUncommittedBytes": func(c *raft.Config) { c.MaxUncommittedBytes = 99 },
		"MaxEntryBytes":       func(c *raft.Config) { c.MaxEntryBytes = -1 },
		"MaxPendingReads":     func(c *raft.Config) { c.MaxPendingReads = 0 },
		"CacheBytes":          func(c *raft.Config) { c.CacheBytes = -1 },
	} {
		cfg := goodConfig()
		spoil(&cfg)
		if _, err := raft.New(cfg, goodRestored()); !errors.Is(err, raft.ErrConfig) || !strings.Contains(err.Error(), name) {
			t.Errorf("with a bad %s, the error is %v", name, err)
		}
	}
}

// A server does not start from a disk that contradicts itself: it would break what it
// once promised. Among it, C09: a log with entries of a term later than the hard
// state's.
func TestNew_RefusesADiskThatContradictsItself(t *testing.T) {
	for story, spoil := range map[string]func(r *raft.Restored){
		"C09: the hard state is older than the log": func(r *raft.Restored) { r.HardState.Term = 2 },
		"a vote in no term":                         func(r *raft.Restored) { *r = raft.Restored{HardState: raft.HardState{Vote: 2}} },
		"the log has no terms":                      func(r *raft.Restored) { r.Terms = nil },
		"terms begin late":                          func(r *raft.Restored) { r.Terms[0].Index = 2 },
		"terms go down":                             func(r *raft.Restored) { r.Terms[1].Term = 0 },
		"terms go beyond the log":                   func(r *raft.Restored) { r.Terms[1].Index = 4 },
		"the tail does not end the log":             func(r *raft.Restored) { r.Tail = r.Tail[:1] },
		"the tail has another term":                 func(r *raft.Restored) { r.Tail[1].Term = 2 },
		"the tail is longer than the log":           func(r *raft.Restored) { r.Last, r.Terms = 1, r.Terms[:1] },
		"the log ends before it begins":             func(r *raft.Restored) { r.Snapshot.Last = raft.Position{Term: 1, Index: 9} },
		"the snapshot has no term":                  func(r *raft.Restored) { r.Snapshot.Last = raft.Position{Index: 2} },
		"a command as configuration":                func(r *raft.Restored) { r.Configurations = r.Tail[:1] },
		"terms beyond all reason":                   func(r *raft.Restored) { r.HardState.Term = 1 << 63 },
	} {
		t.Run(story, func(t *testing.T) {
			r := goodRestored()
			spoil(&r)
			if _, err := raft.New(goodConfig(), r); !errors.Is(err, raft.ErrRestored) {
				t.Errorf("it starts, or says %v", err)
			}
		})
	}
}

// A log that starts after a snapshot: what is before is committed, and the rest goes
// on as in any log.
func TestNew_LogThatStartsAfterASnapshot(t *testing.T) {
	r := raft.Restored{
		HardState: raft.HardState{Term: 4}, Last: 12,
		Terms: []raft.TermStart{{Term: 3, Index: 11}},
	}
	r.Snapshot.Last = raft.Position{Term: 2, Index: 10}
	r.Snapshot.Configuration.Voters = []raft.NodeID{1, 2, 3}
	core, err := raft.New(goodConfig(), r)
	if err != nil {
		t.Fatal(err)
	}
	st := core.Status()
	if st.Commit != 10 || st.Applied != 10 || st.First != 11 || st.Last != (raft.Position{Term: 3, Index: 12}) {
		t.Fatalf("it starts as %+v", st)
	}
	// From before its snapshot, overlapping it: what it has is taken to match.
	e := core.Step(appendTo(1, 4, raft.Position{Term: 2, Index: 8}, 2, 2, 3, 3, 4))
	if st = core.Status(); st.Last != (raft.Position{Term: 4, Index: 13}) || len(e.Persist.Entries) != 1 || e.Persist.TruncateFrom != 0 {
		t.Fatalf("it becomes %+v and writes %+v", st, e.Persist)
	}
	// A conflict behind the snapshot truncates; one with it is no correct leader's.
	core.Step(appendTo(1, 5, raft.Position{Term: 2, Index: 10}, 5))
	if st = core.Status(); st.Last != (raft.Position{Term: 5, Index: 11}) {
		t.Fatalf("it becomes %+v", st)
	}
	core.Step(appendTo(1, 5, raft.Position{Term: 1, Index: 10}, 5))
	if st = core.Status(); st.Commit != 10 || st.Last != (raft.Position{Term: 5, Index: 11}) {
		t.Fatalf("it becomes %+v", st)
	}
}

// The trace tells each input once, and what one event says it was before is what the
// last said it was after; it is lines of JSON outside.
func TestTrace_TellsEveryStep(t *testing.T) {
	var out bytes.Buffer
	log := raft.NewTraceLog(&out)
	var inputs []string
	cfg := goodConfig()
	cfg.Trace = func(e raft.TraceEvent) {
		inputs = append(inputs, e.Input)
		log.Record(e)
	}
	r := raft.Restored{}
	r.Snapshot.Configuration.Voters = []raft.NodeID{1}
	core, err := raft.New(cfg, r)
	if err != nil {
		t.Fatal(err)
	}
	core.Campaign()
	core.Persisted(raft.Ack{Incarnation: 1, Sequence: 1})
	core.Persisted(raft.Ack{Incarnation: 1, Sequence: 2})
	if _, _, err := core.Propose([]raft.Proposal{{Data: []byte("x")}}); err != nil {
		t.Fatal(err)
	}
	core.Tick()
	core.Step(&raft.TermNotice{Header: raft.Header{From: 2, To: 1, Term: 9}})
	core.Applied(1)
	if got := strings.Join(inputs, " "); got != "campaign persisted persisted propose tick step applied" {
		t.Errorf("inputs traced: %s", got)
	}
	var before, after map[string]any
	for line := range strings.Lines(out.String()) {
		var event struct{ Before, After map[string]any }
		if err := json.Unmarshal([]byte(line), &event); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		before = event.Before
		if after != nil && before["Role"] != after["Role"] {
			t.Errorf("after %v comes %v", after, before)
		}
		after = event.After
	}
	if log.Err() != nil || after["Role"] != "follower" {
		t.Errorf("the last event says %v, %v", after, log.Err())
	}
}
