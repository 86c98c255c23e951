package raft

import (
	"slices"
	"sort"
)

// entryLog knows the term of every entry, in a table of a few words (TermStart), and
// holds the newest entries themselves. Entries that are not in the tail are durable
// and, once the machine has caught up, applied.
//
// The tail's array is only ever appended to: a slice of it may have left in an
// Effects (rule 3). What truncation cuts off is written over in a new array, and
// what is forgotten goes with the old one.
type entryLog struct {
	base  Position    // the log starts after it
	terms []TermStart // strictly increasing in both fields; not aliased by anyone
	last  Index
	tail  []Entry // contiguous, ending at last

	dead     int   // entries before the tail that its array still pins
	old      Index // up to here, entries may be forgotten
	oldBytes int   // the size of the tail up to old
}

func restoredLog(r Restored) entryLog {
	l := entryLog{base: r.Snapshot.Last, last: r.Last, tail: slices.Clone(r.Tail), old: r.Snapshot.Last.Index}
	for _, t := range r.Terms {
		l.startTerm(t)
	}
	return l
}

func (l *entryLog) startTerm(t TermStart) {
	if n := len(l.terms); n == 0 || l.terms[n-1].Term != t.Term {
		l.terms = append(l.terms, t)
	}
}

func (l *entryLog) tailFirst() Index { return l.last + 1 - Index(len(l.tail)) }

// term gives an entry's term, from base to last.
func (l *entryLog) term(i Index) (Term, bool) {
	switch {
	case i == l.base.Index:
		return l.base.Term, true
	case i < l.base.Index || i > l.last:
		return 0, false
	}
	return l.terms[l.run(i)].Term, true
}

// run is the place in terms of the run that holds i, which the log must hold.
func (l *entryLog) run(i Index) int {
	n := len(l.terms) - 1
	if l.terms[n].Index <= i {
		return n // nearly always
	}
	return sort.Search(n, func(k int) bool { return l.terms[k].Index > i }) - 1
}

func (l *entryLog) holds(p Position) bool {
	t, ok := l.term(p.Index)
	return ok && t == p.Term
}

func (l *entryLog) lastTerm() Term {
	if n := len(l.terms); n > 0 {
		return l.terms[n-1].Term
	}
	return l.base.Term
}

func (l *entryLog) lastPosition() Position { return Position{Term: l.lastTerm(), Index: l.last} }

// lastWithin is the last position whose index and term are both within p's, or base
// if there is none. With it each side skips a whole term at a time to where the two
// logs may agree (P5.3, end).
func (l *entryLog) lastWithin(p Position) Position {
	i := min(p.Index, l.last)
	if i <= l.base.Index {
		return l.base
	}
	for k := l.run(i); k >= 0; k-- {
		if l.terms[k].Term <= p.Term {
			return Position{Term: l.terms[k].Term, Index: i}
		}
		i = l.terms[k].Index - 1
	}
	return l.base
}

// blank gives room for n entries behind the tail, for a leader to make its own in
// place before it appends them.
func (l *entryLog) blank(n int) []Entry {
	l.reserve(n)
	end := len(l.tail)
	return l.tail[end : end+n]
}

// reserve makes room for n more entries. The new array has twice the room that is
// needed, so that an entry is moved about once while it is in memory.
func (l *entryLog) reserve(n int) {
	need := len(l.tail) + n
	if need <= cap(l.tail) {
		return
	}
	l.tail = append(make([]Entry, 0, max(2*need, 64)), l.tail...)
	l.dead = 0
}

// append adds entries that follow the last one.
func (l *entryLog) append(entries []Entry) {
	l.reserve(len(entries))
	l.tail = append(l.tail, entries...)
	for i := range entries {
		e := &entries[i]
		if e.Index != l.last+1 || e.Term < l.lastTerm() {
			invariant(false, "%v cannot follow %v", Position{e.Term, e.Index}, l.lastPosition())
		}
		l.startTerm(TermStart{Term: e.Term, Index: e.Index})
		l.last = e.Index
	}
}

// truncate drops the entries from index on.
func (l *entryLog) truncate(from Index) {
	if from <= max(l.base.Index, l.old) {
		invariant(false, "truncating from %d, where the log starts at %d and %d is applied", from, l.base.Index+1, l.old)
	}
	n := max(int(from)-int(l.tailFirst()), 0)
	n = min(n, len(l.tail))
	l.tail = l.tail[:n:n] // the next append moves to a new array
	l.last = from - 1
	for k := len(l.terms); k > 0 && l.terms[k-1].Index >= from; k-- {
		l.terms = l.terms[:k-1]
	}
}

// slice gives the entries [first, last], or nil where the tail does not hold all of
// them. Nobody may change them.
func (l *entryLog) slice(first, last Index) []Entry {
	start := l.tailFirst()
	if first < start || last > l.last || first > last {
		return nil
	}
	a, b := first-start, last-start+1
	return l.tail[a:b:b]
}

// view gives entries from first on within maxBytes, but at least one, and their
// size. There are none where first is not in the tail.
func (l *entryLog) view(first Index, maxBytes int) ([]Entry, int) {
	entries := l.slice(first, l.last)
	if len(entries) == 0 {
		return nil, 0
	}
	n := withinBytes(entries, maxBytes)
	return entries[:n:n], sizeOf(entries[:n])
}

// withinBytes is how many of the entries fit, but at least one.
func withinBytes(entries []Entry, maxBytes int) int {
	n, size := 1, entries[0].Size()
	for n < len(entries) {
		if size += entries[n].Size(); size > maxBytes {
			break
		}
		n++
	}
	return n
}

func sizeOf(entries []Entry) int {
	size := 0
	for i := range entries {
		size += entries[i].Size()
	}
	return size
}

// forget lets go of entries up to and including upTo, all but cacheBytes of them.
func (l *entryLog) forget(upTo Index, cacheBytes int) {
	if upTo <= l.old {
		return
	}
	first := l.tailFirst()
	if fresh := l.slice(max(l.old+1, first), upTo); fresh != nil {
		l.oldBytes += sizeOf(fresh)
	}
	l.old = upTo
	n := 0
	for n < len(l.tail) && l.tail[n].Index <= l.old && l.oldBytes > cacheBytes {
		l.oldBytes -= l.tail[n].Size()
		n++
	}
	l.drop(n)
}

// drop lets go of the first n entries of the tail.
func (l *entryLog) drop(n int) {
	l.tail = l.tail[n:]
	l.dead += n
	if l.dead > 2*len(l.tail)+minDead {
		// Most of the array is dead: leave it to the garbage collector.
		l.tail = append(make([]Entry, 0, len(l.tail)+minDead), l.tail...)
		l.dead = 0
	}
}

// minDead keeps a small tail from moving all the time.
const minDead = 64
