package actors

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"castaway/raft"
)

// filled is a filter that knows of a session with some answers.
func filled(answers int) *raft.Sessions {
	s := &raft.Sessions{}
	l := DefaultSessionLimits()
	register := raft.SessionOp{Kind: raft.SessionRegister, Limits: l.limits()}
	s.Apply(raft.Entry{Term: 1, Index: 1, Data: register.Encode()})
	for i := range answers {
		run := raft.SessionOp{Kind: raft.SessionRun, ID: 1, Sequence: uint64(i + 1), Acknowledged: 1}
		s.Apply(raft.Entry{Term: 1, Index: raft.Index(i + 2), Data: run.Encode()})
		s.Keep(fmt.Append(nil, "answer ", i))
	}
	return s
}

// A snapshot's first section is the filter; what the machine wrote is behind it, whole.
func TestC29_TheFilterIsASnapshotsFirstSection(t *testing.T) {
	for _, s := range []*raft.Sessions{{}, filled(0), filled(300)} {
		var file bytes.Buffer
		if err := writeSessions(&file, s.Encode()); err != nil {
			t.Fatal(err)
		}
		whole := file.Len()
		file.WriteString("the machine's")
		cut := bytes.Clone(file.Bytes()[:whole])
		r := struct{ io.Reader }{&file} // no more than a Reader
		got, err := readSessions(r)
		if err != nil || got.Hash() != s.Hash() {
			t.Fatalf("%d sessions came back as %d: %v", s.Len(), got.Len(), err)
		}
		if rest, err := io.ReadAll(r); err != nil || string(rest) != "the machine's" {
			t.Errorf("the machine reads %q, %v", rest, err)
		}
		for n := range whole {
			if _, err := readSessions(bytes.NewReader(cut[:n])); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatalf("cut off after %d of %d bytes: %v", n, whole, err)
			}
		}
	}
	if _, err := readSessions(strings.NewReader("\xff\xff\xff\xff\xff\xff\xff\xff\x7fx")); err == nil {
		t.Error("a length that nothing has is believed")
	}
	if _, err := readSessions(strings.NewReader("\x01\x09")); !errors.Is(err, raft.ErrSession) {
		t.Errorf("what is no filter: %v", err)
	}
}

// What an on-disk machine keeps of the filter, change by change, is the filter.
func TestC11_TheFilterIsWhatAnOnDiskMachineKeeps(t *testing.T) {
	s := filled(3)
	kept := map[string]Pair{}
	keep := func(pairs []Pair) {
		for _, p := range pairs {
			if kept[string(p.Key)] = p; p.Value == nil {
				delete(kept, string(p.Key))
			}
		}
	}
	keep(sidePairs(s.Pairs()))
	s.Track()
	end := raft.SessionOp{Kind: raft.SessionEnd, ID: 1}
	register := raft.SessionOp{Kind: raft.SessionRegister, Limits: raft.SessionLimits{Timeout: 1, MaxOutstanding: 1, MaxSessions: 1, MaxAnswers: 1}}
	s.Apply(raft.Entry{Term: 1, Index: 9, Data: end.Encode()})
	s.Apply(raft.Entry{Term: 1, Index: 10, Data: register.Encode()})
	keep(sidePairs(s.Changes()))
	var side []Pair
	for _, p := range kept {
		side = append(side, p)
	}
	got, err := sessionsOf(side)
	if err != nil || got.Hash() != s.Hash() || got.Len() != 1 {
		t.Errorf("%d sessions came back: %v", got.Len(), err)
	}
	if empty, err := sessionsOf(nil); err != nil || empty.Len() != 0 {
		t.Errorf("a machine that kept nothing: %v", err)
	}
}
