package raft_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"castaway/raft"
)

// filter is a machine that counts, behind a table of sessions: what a server does
// with the entries of sessions.
type filter struct {
	t        testing.TB
	sessions *raft.Sessions
	at       raft.Position
	led      uint64
	executed []string
	told     []*raft.SessionAnswer // to retries
	open     int                   // commands that are executed, their answers not kept
	piece    int                   // how many may be open at once
	ids      []raft.SessionID      // that scribble registered
}

var roomy = raft.SessionLimits{Timeout: 1000, MaxOutstanding: 8, MaxSessionBytes: 1 << 20, MaxSessions: 100, MaxAnswers: 1000, MaxBytes: 1 << 20}

func newFilter(t testing.TB) *filter {
	return &filter{t: t, sessions: &raft.Sessions{}, at: raft.Position{Term: 1}}
}

// apply is the next entry of the log.
func (f *filter) apply(op raft.SessionOp) raft.SessionVerdict {
	op.Led = f.led
	f.at.Index++
	return f.applyData(op.Encode())
}

func (f *filter) applyData(data []byte) raft.SessionVerdict {
	v := f.sessions.Apply(raft.Entry{Term: f.at.Term, Index: f.at.Index, Kind: raft.EntrySession, Data: data})
	if v.Outcome == raft.SessionExecute {
		f.executed = append(f.executed, string(v.Command))
		f.open++
	}
	if v.Outcome == raft.SessionKept {
		f.told = append(f.told, v.Answer)
	}
	if f.open > f.piece {
		f.settle()
	}
	return v
}

// settle keeps the answers of what was executed: of one to thirty bytes.
func (f *filter) settle() {
	for ; f.open > 0; f.open-- {
		n := len(f.executed) - f.open + 1
		f.sessions.Keep(fmt.Appendf(nil, "answer %d%s", n, strings.Repeat("!", n%30)))
	}
}

func (f *filter) register(limits raft.SessionLimits) raft.SessionID {
	f.t.Helper()
	v := f.apply(raft.SessionOp{Kind: raft.SessionRegister, Limits: limits})
	if v.Outcome != raft.SessionDone || v.ID != raft.SessionID(f.at.Index) || v.Limits != limits {
		f.t.Fatalf("the registration at %v comes to %+v", f.at, v)
	}
	return v.ID
}

func (f *filter) run(id raft.SessionID, sequence, acknowledged uint64) raft.SessionVerdict {
	return f.apply(raft.SessionOp{
		Kind: raft.SessionRun, ID: id, Sequence: sequence, Acknowledged: acknowledged,
		Command: fmt.Appendf(nil, "%d/%d", id, sequence),
	})
}

func (f *filter) renew(ids ...raft.SessionID) raft.SessionVerdict {
	return f.apply(raft.SessionOp{Kind: raft.SessionRenew, Renew: ids})
}

// want says what a verdict must be.
func (f *filter) want(v raft.SessionVerdict, outcome raft.SessionOutcome, limit string) {
	f.t.Helper()
	if v.Outcome != outcome || v.Limit != limit {
		f.t.Errorf("entry %d came to %+v, want outcome %d, limit %q", f.at.Index, v, outcome, limit)
	}
}

func (f *filter) wantExecuted(commands ...string) {
	f.t.Helper()
	if !slices.Equal(f.executed, commands) {
		f.t.Errorf("executed were %q, want %q", f.executed, commands)
	}
}

// What is tried again is not executed again, and gets the first answer and its index.
func TestC29_ARetryGetsTheFirstAnswer(t *testing.T) {
	f := newFilter(t)
	id := f.register(roomy)
	f.want(f.run(id, 1, 1), raft.SessionExecute, "")
	first := f.at
	f.want(f.run(id, 2, 1), raft.SessionExecute, "")
	f.at.Term++ // another leader
	v := f.run(id, 1, 1)
	f.want(v, raft.SessionKept, "")
	if v.Answer.Position != first || string(v.Answer.Value) != "answer 1!" {
		t.Errorf("the retry is answered %+v, the first was at %v", v.Answer, first)
	}
	f.wantExecuted("1/1", "1/2")
}

// The commands of one session may be committed in any order, each once.
func TestC29_SequenceNumbersComeInAnyOrder(t *testing.T) {
	f := newFilter(t)
	id := f.register(roomy)
	for _, sequence := range []uint64{3, 1, 8, 3, 2, 1, 8} {
		f.run(id, sequence, 1)
	}
	f.want(f.run(id, 9, 1), raft.SessionTooFar, "")
	f.wantExecuted("1/3", "1/1", "1/8", "1/2")
	f.want(f.run(id, 9, 3), raft.SessionExecute, "")
	f.want(f.run(id, 8, 3), raft.SessionKept, "")
}

// Once acknowledged, an answer is gone and its command can't come back, executed or
// not: the client has no use for it.
func TestC29_WhatIsAcknowledgedStaysDone(t *testing.T) {
	f := newFilter(t)
	id := f.register(roomy)
	f.run(id, 1, 1)
	f.run(id, 3, 3)
	if f.sessions.Answers() != 1 || f.sessions.Bytes() != len("answer 2!!") {
		t.Errorf("after the acknowledgement of one of two answers, %d of %d bytes are kept", f.sessions.Answers(), f.sessions.Bytes())
	}
	f.want(f.run(id, 1, 1), raft.SessionAcknowledged, "")
	f.want(f.run(id, 2, 1), raft.SessionAcknowledged, "")
	f.wantExecuted("1/1", "1/3")
}

// Without its session a command is never executed: nobody knows any more whether it was.
func TestC29_AnUnknownSessionExecutesNothing(t *testing.T) {
	f := newFilter(t)
	f.want(f.run(7, 1, 1), raft.SessionUnknown, "")
	id := f.register(roomy)
	f.run(id, 1, 1)
	f.want(f.apply(raft.SessionOp{Kind: raft.SessionEnd, ID: id}), raft.SessionDone, "")
	f.want(f.run(id, 1, 1), raft.SessionUnknown, "")
	f.want(f.apply(raft.SessionOp{Kind: raft.SessionEnd, ID: id}), raft.SessionUnknown, "")
	f.wantExecuted(fmt.Sprintf("%d/1", id))
	if f.sessions.Len() != 0 || f.sessions.Answers() != 0 || f.sessions.Bytes() != 0 {
		t.Errorf("%d sessions of %d bytes are left", f.sessions.Len(), f.sessions.Bytes())
	}
}

// A session ends when leaders have led for its timeout without a use of it; commands
// and renewals are uses.
func TestC29_ASessionExpiresByReplicatedTime(t *testing.T) {
	f := newFilter(t)
	shorter := roomy
	shorter.Timeout--
	idle, renewed, busy, short := f.register(roomy), f.register(roomy), f.register(roomy), f.register(shorter)
	f.led = 600
	f.renew(renewed)
	f.run(busy, 1, 1)
	f.led = 1000
	if v := f.renew(renewed, short); f.sessions.Len() != 3 || !slices.Equal(v.Missing, []raft.SessionID{short}) {
		t.Fatalf("after exactly the timeout there are %d sessions, and missing are %v", f.sessions.Len(), v.Missing)
	}
	f.led = 1001
	if v := f.renew(idle, renewed); !slices.Equal(v.Missing, []raft.SessionID{idle}) {
		t.Errorf("renewed, and missing are %v", v.Missing)
	}
	f.want(f.run(idle, 1, 1), raft.SessionUnknown, "")
	f.want(f.run(busy, 1, 1), raft.SessionKept, "")
}

// A new leader's clock shares nothing with the old one's; time stands still between
// them, and never goes back.
func TestC29_TimeIsWhatLeadersHaveLed(t *testing.T) {
	f := newFilter(t)
	id := f.register(roomy)
	f.led = 900
	f.run(f.register(roomy), 1, 1)
	f.at.Term, f.led = 2, 100
	f.renew()
	f.led = 50 // a clock that goes back
	f.renew()
	f.led = 100
	f.renew()
	if f.sessions.Len() != 2 {
		t.Fatalf("%d sessions live after 900+100 ms", f.sessions.Len())
	}
	f.led = 101
	f.want(f.run(id, 1, 1), raft.SessionUnknown, "")
}

// Each limit names itself, and does nothing else.
func TestC29_LimitsAreNamed(t *testing.T) {
	f := newFilter(t)
	limits := roomy
	limits.MaxSessions = 2
	a, b := f.register(limits), f.register(limits)
	register := raft.SessionOp{Kind: raft.SessionRegister, Limits: limits}
	f.want(f.apply(register), raft.SessionFull, "MaxSessions")
	f.led = 500
	f.want(f.apply(register), raft.SessionFull, "MaxSessions")
	f.led = 501
	f.renew(b)
	if c := f.register(limits); f.sessions.Len() != 2 { // a has missed its renewal
		t.Errorf("with session %d there are %d", c, f.sessions.Len())
	}
	f.want(f.run(a, 1, 1), raft.SessionUnknown, "")

	limits.MaxSessions, limits.MaxAnswers = 3, 2
	d := f.register(limits)
	f.want(f.run(d, 1, 1), raft.SessionExecute, "")
	f.want(f.run(d, 2, 1), raft.SessionExecute, "")
	f.want(f.run(d, 3, 1), raft.SessionFull, "MaxAnswers")
	f.want(f.run(d, 1, 1), raft.SessionKept, "")
	f.want(f.run(d, 3, 2), raft.SessionExecute, "")
	f.want(f.run(b, 1, 1), raft.SessionFull, "MaxAnswers")
	f.led = 1002
	f.want(f.run(b, 1, 1), raft.SessionExecute, "")
}

// An answer that is too much is not kept; that its command was executed is.
func TestC29_ALostAnswerIsStillDone(t *testing.T) {
	own, all := roomy, roomy
	own.MaxSessionBytes = len("answer 1!") + len("answer 2!!") - 1
	all.MaxBytes = own.MaxSessionBytes
	for _, limits := range []raft.SessionLimits{own, all} {
		f := newFilter(t)
		id := f.register(limits)
		f.run(id, 1, 1)
		f.run(id, 2, 1)
		v := f.run(id, 2, 1)
		f.want(v, raft.SessionKept, "")
		if !v.Answer.Lost || v.Answer.Index != raft.Index(id)+2 || f.sessions.Bytes() != len("answer 1!") {
			t.Errorf("the retry is answered %+v, with %d bytes kept", v.Answer, f.sessions.Bytes())
		}
		f.run(id, 3, 3)
		if v := f.run(id, 3, 3); v.Answer.Lost {
			t.Error("with room again, an answer is lost")
		}
	}
}

// What can't be read is refused everywhere alike.
func TestC29_MalformedEntriesDoNothing(t *testing.T) {
	f := newFilter(t)
	id := f.register(roomy)
	before := f.sessions.Encode()
	bad := roomy
	bad.MaxOutstanding = 0
	for name, data := range map[string][]byte{
		"nothing":            nil,
		"an unknown kind":    {9, 0},
		"a sequence of zero": (&raft.SessionOp{Kind: raft.SessionRun, ID: id}).Encode(),
		"sequence below ack": (&raft.SessionOp{Kind: raft.SessionRun, ID: id, Sequence: 1, Acknowledged: 2}).Encode(),
		"no such limit":      (&raft.SessionOp{Kind: raft.SessionRegister, Limits: bad}).Encode(),
		"ids out of order":   (&raft.SessionOp{Kind: raft.SessionRenew, Renew: []raft.SessionID{2, 1}}).Encode(),
		"bytes left over":    append((&raft.SessionOp{Kind: raft.SessionEnd, ID: id}).Encode(), 0),
		"a long number":      {byte(raft.SessionEnd), 0, 0x81, 0},
	} {
		f.at.Index++
		if v := f.applyData(data); v.Outcome != raft.SessionMalformed || !bytes.Equal(f.sessions.Encode(), before) {
			t.Errorf("%s comes to %+v", name, v)
		}
	}
	if err := bad.Validate(); err == nil || !strings.Contains(err.Error(), "MaxOutstanding") {
		t.Errorf("limits without MaxOutstanding: %v", err)
	}
}
