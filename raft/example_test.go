package raft_test

import (
	"fmt"
	"os"

	"castaway/raft"
)

// A group of one server elects itself, and commits what it is told to. Whoever owns
// the Core carries out its Effects: here the disk writes at once, and there is nobody
// to send to.
func Example() {
	core, err := raft.New(raft.Config{
		ID:          1,
		Incarnation: 1,

		ElectionTicks:  10,
		HeartbeatTicks: 1,
		PreVote:        true,
		CheckQuorum:    true,

		MaxMessageBytes:     64 << 10,
		MaxInflightMessages: 64,
		MaxInflightBytes:    1 << 20,
		MaxUncommittedBytes: 64 << 20,
		MaxEntryBytes:       1 << 20,
		MaxPendingReads:     1000,
		CacheBytes:          1 << 20,

		Random: func(n int) int { return n / 2 }, // of a seeded source, elsewhere
	}, raft.Restored{
		Snapshot: raft.SnapshotMeta{Configuration: raft.Configuration{Voters: []raft.NodeID{1}}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	var carryOut func(raft.Effects)
	carryOut = func(e raft.Effects) {
		if r := e.Role; r != nil {
			fmt.Printf("%v of term %d\n", r.Role, r.Term)
		}
		for _, entry := range e.Commit.Entries {
			if entry.Kind == raft.EntryCommand {
				fmt.Printf("%d: %s\n", entry.Index, entry.Data)
			}
		}
		if !e.Persist.Empty() {
			carryOut(core.Persisted(raft.Ack{Incarnation: 1, Sequence: e.Persist.Sequence}))
		}
	}

	carryOut(core.Campaign())
	_, effects, err := core.Propose([]raft.Proposal{{Data: []byte("hello")}, {Data: []byte("world")}})
	if err != nil {
		fmt.Println(err)
		return
	}
	carryOut(effects)
	// Output:
	// candidate of term 1
	// leader of term 1
	// 2: hello
	// 3: world
}

// A session's command that comes twice is executed once.
func ExampleSessions() {
	var sessions raft.Sessions
	limits := raft.SessionLimits{Timeout: 60_000, MaxOutstanding: 64, MaxSessionBytes: 1 << 16, MaxSessions: 100, MaxAnswers: 1000, MaxBytes: 1 << 20}
	register := raft.SessionOp{Kind: raft.SessionRegister, Limits: limits}
	registered := sessions.Apply(raft.Entry{Term: 1, Index: 2, Kind: raft.EntrySession, Data: register.Encode()})

	run := raft.SessionOp{Kind: raft.SessionRun, ID: registered.ID, Sequence: 1, Acknowledged: 1, Command: []byte("increment")}
	for index := range raft.Index(2) {
		v := sessions.Apply(raft.Entry{Term: 1, Index: 3 + index, Kind: raft.EntrySession, Data: run.Encode()})
		switch v.Outcome {
		case raft.SessionExecute:
			fmt.Printf("%s\n", v.Command)
			sessions.Keep([]byte("it is 1"))
		case raft.SessionKept:
			fmt.Printf("executed before, at %v: %s\n", v.Answer.Position, v.Answer.Value)
		}
	}
	// Output:
	// increment
	// executed before, at 3@t1: it is 1
}

// What a configuration entry carries is the same for equal configurations.
func ExampleDecodeConfiguration() {
	data := raft.Configuration{Voters: []raft.NodeID{1, 2, 3}, Learners: []raft.NodeID{7}}.Encode()
	configuration, err := raft.DecodeConfiguration(data)
	fmt.Println(configuration.Voters, configuration.Learners, err)
	// Output: [1 2 3] [7] <nil>
}

// A trace has one line for each input, with the state before and after it.
func ExampleTraceLog() {
	trace := raft.NewTraceLog(os.Stdout)
	trace.Record(raft.TraceEvent{
		Node:    2,
		Input:   "step",
		Message: &raft.TermNotice{Header: raft.Header{From: 1, To: 2, Term: 7}},
		Before:  raft.TraceState{Role: raft.Leader, HardState: raft.HardState{Term: 6, Vote: 2}, Leader: 2},
		After:   raft.TraceState{Role: raft.Follower, HardState: raft.HardState{Term: 7}},
		Effects: &raft.Effects{},
	})
	// Output:
	// {"Node":2,"Input":"step","Message":{"Type":"TermNotice","Message":{"From":1,"To":2,"Term":7}},"Before":{"Role":"leader","HardState":{"Term":6,"Vote":2},"Leader":2,"Commit":0,"Durable":0,"Last":{"Term":0,"Index":0}},"After":{"Role":"follower","HardState":{"Term":7,"Vote":0},"Leader":0,"Commit":0,"Durable":0,"Last":{"Term":0,"Index":0}}}
}
