package raft_test

import (
	"bytes"
	"encoding/hex"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"castaway/raft"
)

// scribble applies random operations, on few sessions and sequence numbers, so that
// all that can happen does.
func (f *filter) scribble(rng *rand.Rand, n int) {
	limits := raft.SessionLimits{Timeout: 60, MaxOutstanding: 4, MaxSessionBytes: 50, MaxSessions: 5, MaxAnswers: 12, MaxBytes: 100}
	for range n {
		f.led += rng.Uint64N(8)
		if rng.IntN(40) == 0 {
			f.at.Term, f.led = f.at.Term+1, 0
		}
		id := f.one(rng)
		switch rng.IntN(12) {
		case 0:
			limits.Timeout, limits.MaxBytes = 40+rng.Uint64N(40), 100+rng.IntN(60)
			if v := f.apply(raft.SessionOp{Kind: raft.SessionRegister, Limits: limits}); v.Outcome == raft.SessionDone {
				f.ids = append(f.ids, v.ID)
			}
		case 1, 2:
			f.renew(id, id+1)
		case 3:
			if rng.IntN(4) > 0 {
				continue
			}
			f.apply(raft.SessionOp{Kind: raft.SessionEnd, ID: id})
		default:
			acknowledged := 1 + rng.Uint64N(6)
			f.run(id, acknowledged+rng.Uint64N(5), acknowledged)
		}
	}
}

// Whatever happens, no command is executed twice.
func TestC29_NothingIsExecutedTwice(t *testing.T) {
	for seed := range uint64(50) {
		f := newFilter(t)
		f.at.Index = 1
		f.scribble(rand.New(rand.NewPCG(seed, 4)), 400)
		slices.Sort(f.executed)
		if n := len(f.executed); n < 20 || len(slices.Compact(f.executed)) != n {
			t.Fatalf("seed %d: %d executed, some of them twice or few at all: %q", seed, n, f.executed)
		}
	}
}

// one of the newest sessions, which may be gone; any if there is none.
func (f *filter) one(rng *rand.Rand) raft.SessionID {
	if len(f.ids) == 0 {
		return 1
	}
	return f.ids[len(f.ids)-1-rng.IntN(min(len(f.ids), 7))]
}

// How many entries the machine takes at once makes no difference.
func TestC29_PiecesOfAnySizeMakeTheSameTable(t *testing.T) {
	for seed := range uint64(50) {
		one, many := newFilter(t), newFilter(t)
		one.at.Index, many.at.Index, many.piece = 1, 1, 1+int(seed)
		for i := range uint64(20) {
			one.scribble(rand.New(rand.NewPCG(seed, 5+i)), 20)
			many.scribble(rand.New(rand.NewPCG(seed, 5+i)), 20)
			many.settle()
			if !slices.Equal(one.executed, many.executed) || !bytes.Equal(one.sessions.Encode(), many.sessions.Encode()) {
				t.Fatalf("seed %d: %d at once make another table", seed, many.piece)
			}
		}
	}
}

// A table that was in a snapshot goes on as the one that was never away: C29.
func TestC29_TheFilterIsInSnapshots(t *testing.T) {
	for seed := range uint64(50) {
		whole, rng := newFilter(t), rand.New(rand.NewPCG(seed, 1))
		whole.at.Index = 1
		whole.scribble(rng, 60)
		parts := []*filter{restored(t, whole, fromEncoding), restored(t, whole, fromPairs)}
		whole.executed, whole.told = nil, nil
		whole.scribble(rand.New(rand.NewPCG(seed, 2)), 60)
		for i, part := range parts {
			part.scribble(rand.New(rand.NewPCG(seed, 2)), 60)
			if !slices.Equal(whole.executed, part.executed) {
				t.Fatalf("seed %d, way %d: executed were %q, and without a snapshot %q", seed, i, part.executed, whole.executed)
			}
			if !reflect.DeepEqual(whole.told, part.told) {
				t.Fatalf("seed %d, way %d: retries are told something else", seed, i)
			}
			if !bytes.Equal(whole.sessions.Encode(), part.sessions.Encode()) || whole.sessions.Hash() != part.sessions.Hash() {
				t.Fatalf("seed %d, way %d: the tables differ", seed, i)
			}
		}
	}
}

func restored(t *testing.T, f *filter, load func(*raft.Sessions) (*raft.Sessions, error)) *filter {
	t.Helper()
	s, err := load(f.sessions)
	if err != nil {
		t.Fatal(err)
	}
	if s.Len() != f.sessions.Len() || s.Answers() != f.sessions.Answers() || s.Bytes() != f.sessions.Bytes() {
		t.Fatalf("%d sessions with %d bytes came back as %d with %d", f.sessions.Len(), f.sessions.Bytes(), s.Len(), s.Bytes())
	}
	return &filter{t: t, sessions: s, at: f.at, led: f.led, ids: slices.Clone(f.ids)}
}

func fromEncoding(s *raft.Sessions) (*raft.Sessions, error) { return raft.DecodeSessions(s.Encode()) }

func fromPairs(s *raft.Sessions) (*raft.Sessions, error) {
	pairs := s.Pairs()
	slices.Reverse(pairs)
	return raft.DecodeSessionPairs(pairs)
}

// Changes, taken together, are the table: C11 for what an on-disk machine keeps.
func TestC29_ChangesAddUpToTheTable(t *testing.T) {
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 3))
		f := newFilter(t)
		f.at.Index = 1
		f.scribble(rng, 20)
		stored := map[string][]byte{}
		for _, p := range f.sessions.Pairs() {
			stored[string(p.Key)] = p.Value
		}
		f.sessions.Track()
		for range 30 {
			f.scribble(rng, rng.IntN(4))
			for _, p := range f.sessions.Changes() {
				if p.Value == nil {
					delete(stored, string(p.Key))
				} else {
					stored[string(p.Key)] = p.Value
				}
			}
			if f.sessions.Changes() != nil {
				t.Fatal("a second call finds changes")
			}
			var pairs []raft.SessionPair
			for k, v := range stored {
				pairs = append(pairs, raft.SessionPair{Key: []byte(k), Value: v})
			}
			s, err := raft.DecodeSessionPairs(pairs)
			if err != nil || !bytes.Equal(s.Encode(), f.sessions.Encode()) {
				t.Fatalf("seed %d: the pairs are another table: %v", seed, err)
			}
		}
	}
}

// goldenTable is a table of one session with two answers, as version 1 writes it.
const goldenTable = "010501050a6480800401010503e8070880800402020101020a616e737765722031210201030b616e7377657220322121"

func TestGoldenSessions(t *testing.T) {
	f := newFilter(t)
	limits := raft.SessionLimits{Timeout: 1000, MaxOutstanding: 8, MaxSessionBytes: 1 << 16, MaxSessions: 10, MaxAnswers: 100, MaxBytes: 1 << 16}
	f.led = 5
	id := f.register(limits)
	f.run(id, 2, 2)
	f.run(id, 4, 2)
	got := f.sessions.Encode()
	want, err := hex.DecodeString(goldenTable)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("the table is\n%x, want\n%s (%v)", got, goldenTable, err)
	}
	ops := []raft.SessionOp{
		{Kind: raft.SessionRegister, Led: 5, Limits: limits},
		{Kind: raft.SessionRun, Led: 300, ID: 7, Sequence: 9, Acknowledged: 8, Command: []byte("put")},
		{Kind: raft.SessionRenew, Led: 1, Renew: []raft.SessionID{7, 300}},
		{Kind: raft.SessionEnd, ID: 7},
	}
	for i, want := range []string{"0105e807088080040a64808004", "02ac02070801707574", "03010207a502", "040007"} {
		if got := hex.EncodeToString(ops[i].Encode()); got != want {
			t.Errorf("operation %d is %s, want %s", i, got, want)
		}
	}
}

func TestDecodeSessionPairs_Refuses(t *testing.T) {
	f := newFilter(t)
	f.register(roomy)
	pairs := f.sessions.Pairs()
	for name, bad := range map[string][]raft.SessionPair{
		"no table":       pairs[1:],
		"one twice":      {pairs[0], pairs[1], pairs[1]},
		"a strange key":  {pairs[0], {Key: []byte("x"), Value: pairs[1].Value}},
		"a broken value": {pairs[0], {Key: pairs[1].Key, Value: pairs[1].Value[1:]}},
	} {
		if _, err := raft.DecodeSessionPairs(bad); err == nil {
			t.Errorf("%s is read", name)
		}
	}
	if s, err := raft.DecodeSessionPairs(nil); err != nil || s.Len() != 0 {
		t.Errorf("no pairs at all: %v", err)
	}
}

// FuzzSessions reads any bytes as a table and as an operation. What is read is written
// the same, and goes on without a panic.
func FuzzSessions(f *testing.F) {
	table, _ := hex.DecodeString(goldenTable)
	op := raft.SessionOp{Kind: raft.SessionRun, Led: 300, ID: 1, Sequence: 9, Acknowledged: 8, Command: []byte("put")}
	f.Add(table, op.Encode())
	f.Add([]byte{1, 0, 0, 0, 0, 0, 0, 0}, (&raft.SessionOp{Kind: raft.SessionRegister, Limits: roomy}).Encode())
	f.Fuzz(func(t *testing.T, table, data []byte) {
		s, err := raft.DecodeSessions(table)
		if err != nil {
			s = &raft.Sessions{}
		} else if got := s.Encode(); !bytes.Equal(got, table) {
			t.Fatalf("%x is written as %x", table, got)
		}
		if op, err := raft.DecodeSessionOp(data); err == nil && !bytes.Equal(op.Encode(), data) {
			t.Fatalf("%x is written as %x", data, op.Encode())
		}
		fl := &filter{t: t, sessions: s, at: raft.Position{Term: 1 << 40, Index: 1 << 40}}
		for range 3 {
			fl.at.Index++
			fl.applyData(data)
		}
		fl.settle()
		if _, err := raft.DecodeSessions(s.Encode()); err != nil {
			t.Fatalf("what was applied to %x makes a table that can't be read: %v", table, err)
		}
	})
}
