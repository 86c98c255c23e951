package raft

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// modelLog is an entryLog as plain as can be.
type modelLog struct {
	base    Position
	entries []Entry
}

func (m *modelLog) term(i Index) (Term, bool) {
	switch {
	case i == m.base.Index:
		return m.base.Term, true
	case i < m.base.Index || i > m.last():
		return 0, false
	}
	return m.entries[i-m.base.Index-1].Term, true
}

func (m *modelLog) last() Index { return m.base.Index + Index(len(m.entries)) }

// lastWithin goes back one entry at a time.
func (m *modelLog) lastWithin(p Position) Position {
	for i := min(p.Index, m.last()); i > m.base.Index; i-- {
		if t, _ := m.term(i); t <= p.Term {
			return Position{t, i}
		}
	}
	return m.base
}

// The log against the model, through random appends, truncations and forgetting.
func TestLog_AgainstAModel(t *testing.T) {
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 3))
		base := Position{}
		if seed%3 == 1 {
			base = Position{Term: 2, Index: 7}
		}
		r := Restored{Last: base.Index}
		r.Snapshot.Last = base
		l, m := restoredLog(r), modelLog{base: base}
		held := map[string][]Entry{} // what left, and what it said then
		for range 300 {
			changeLogs(rng, &l, &m)
			compareLogs(t, rng, &l, &m)
			if entries, _ := l.view(l.tailFirst(), rng.IntN(400)); len(held) < 50 && len(entries) > 0 {
				held[fmt.Sprint(entries)] = entries
			}
		}
		for text, entries := range held {
			if fmt.Sprint(entries) != text {
				t.Fatalf("seed %d: entries that left were changed: %s is now %v", seed, text, entries)
			}
		}
	}
}

func changeLogs(rng *rand.Rand, l *entryLog, m *modelLog) {
	switch rng.IntN(4) {
	case 0, 1:
		entries := make([]Entry, 1+rng.IntN(5))
		term := max(l.lastTerm(), 1)
		for i := range entries {
			if rng.IntN(4) == 0 {
				term += Term(1 + rng.IntN(2))
			}
			entries[i] = Entry{Term: term, Index: l.last + 1 + Index(i), Kind: EntryCommand, Data: fmt.Append(nil, rng.Int())}
		}
		l.append(entries)
		m.entries = append(m.entries, entries...)
	case 2:
		if first := max(l.old, l.base.Index) + 1; first <= l.last {
			from := l.last - Index(rng.IntN(int(min(l.last-first, 6))+1))
			l.truncate(from)
			m.entries = m.entries[: from-m.base.Index-1 : from-m.base.Index-1]
		}
	case 3:
		if l.last > 8 {
			l.forget(l.last-Index(rng.IntN(8)), rng.IntN(300))
		}
	}
}

func compareLogs(t *testing.T, rng *rand.Rand, l *entryLog, m *modelLog) {
	t.Helper()
	if l.last != m.last() {
		t.Fatalf("the log ends at %d; want %d", l.last, m.last())
	}
	for i := Index(0); i <= m.last()+2; i++ {
		got, ok := l.term(i)
		if want, has := m.term(i); got != want || ok != has {
			t.Fatalf("term of %d is %d, %v; want %d, %v", i, got, ok, want, has)
		}
	}
	for range 5 {
		p := Position{Term(rng.IntN(int(l.lastTerm()) + 2)), Index(rng.IntN(int(l.last) + 3))}
		if got, want := l.lastWithin(p), m.lastWithin(p); got != want {
			t.Fatalf("the last position within %v is %v; want %v", p, got, want)
		}
	}
	first := l.tailFirst()
	if got := l.slice(first, l.last); fmt.Sprint(got) != fmt.Sprint(m.entries[first-m.base.Index-1:]) {
		t.Fatalf("the tail is %v; want %v", got, m.entries[first-m.base.Index-1:])
	}
	if first > 1 && l.slice(first-1, l.last) != nil {
		t.Fatalf("gives entry %d, which is forgotten", first-1)
	}
}

// What left in a message is never written over, although the log goes on in the same
// array (rule 3): the ABA case.
func TestLog_TruncationLeavesWhatLeftAlone(t *testing.T) {
	l := restoredLog(Restored{})
	l.append([]Entry{{Term: 1, Index: 1, Data: []byte("a")}, {Term: 1, Index: 2, Data: []byte("b")}, {Term: 1, Index: 3, Data: []byte("c")}})
	left := l.slice(1, 3)
	l.truncate(2)
	l.append([]Entry{{Term: 2, Index: 2, Data: []byte("B")}, {Term: 2, Index: 3, Data: []byte("C")}})
	if string(left[1].Data) != "b" || string(left[2].Data) != "c" {
		t.Errorf("what left now says %q %q", left[1].Data, left[2].Data)
	}
}

// The cache keeps what is not yet durable and applied, whatever its size.
func TestLog_ForgetsOnlyWhatItMay(t *testing.T) {
	l := restoredLog(Restored{})
	for i := range Index(100) {
		l.append([]Entry{{Term: 1, Index: i + 1, Data: make([]byte, 10)}})
	}
	l.forget(40, 0)
	if l.tailFirst() != 41 {
		t.Errorf("with 40 applied and no cache, the tail starts at %d", l.tailFirst())
	}
	size := Entry{Data: make([]byte, 10)}.Size()
	l.forget(90, 5*size)
	if got := l.tailFirst(); got != 86 {
		t.Errorf("with 90 applied and a cache for five, the tail starts at %d", got)
	}
}

func TestView_RespectsBytes(t *testing.T) {
	l := restoredLog(Restored{})
	for i := range Index(10) {
		l.append([]Entry{{Term: 1, Index: i + 1, Data: make([]byte, 26)}}) // 50 bytes each
	}
	for _, test := range []struct{ max, want int }{{0, 1}, {49, 1}, {50, 1}, {99, 1}, {100, 2}, {175, 3}, {1000, 10}} {
		entries, size := l.view(1, test.max)
		if len(entries) != test.want || size != 50*test.want {
			t.Errorf("within %d bytes: %d entries of %d bytes; want %d", test.max, len(entries), size, test.want)
		}
	}
	if entries, _ := l.view(11, 100); entries != nil {
		t.Errorf("behind the end there is %v", entries)
	}
}
