package persistence

import (
	"fmt"
	"slices"
	"sort"

	"castaway/raft"
)

// groupState is what a store knows of one group without looking at its entries.
//
// Always true: Snapshot.Last.Index <= last; terms is sorted by index, its terms
// rise, and it covers exactly (Snapshot.Last.Index, last]; every configuration's
// index lies in that range; no entry's term is above hard.Term (C09).
type groupState struct {
	hard           raft.HardState
	snapshot       raft.SnapshotMeta
	terms          []raft.TermStart
	last           raft.Index
	configurations []raft.Entry
}

// lastPosition is the position of the last entry, or of the snapshot.
func (g *groupState) lastPosition() raft.Position {
	if g.last == g.snapshot.Last.Index {
		return g.snapshot.Last
	}
	return raft.Position{Term: g.terms[len(g.terms)-1].Term, Index: g.last}
}

// term gives the term of the entry at index; false when the log does not know.
func (g *groupState) term(index raft.Index) (raft.Term, bool) {
	switch {
	case index == g.snapshot.Last.Index:
		return g.snapshot.Last.Term, true
	case index < g.snapshot.Last.Index || index > g.last:
		return 0, false
	}
	after := sort.Search(len(g.terms), func(i int) bool { return g.terms[i].Index > index })
	return g.terms[after-1].Term, true
}

// check says whether p fits; it changes nothing. A write that does not fit is the
// caller's error and harms nobody.
func (g *groupState) check(p *raft.Persist) error {
	hard := g.hard
	if p.HardState != nil {
		if p.HardState.Term < hard.Term {
			return fmt.Errorf("%w: the term would fall from %d to %d (C01)", ErrInvalid, hard.Term, p.HardState.Term)
		}
		if p.HardState.Term == hard.Term && hard.Vote != raft.None && p.HardState.Vote != hard.Vote {
			return fmt.Errorf("%w: the vote of term %d would change from %d to %d (C02)",
				ErrInvalid, hard.Term, hard.Vote, p.HardState.Vote)
		}
		hard = *p.HardState
	}
	end := g.lastPosition()
	if from := p.TruncateFrom; from != 0 {
		if from <= g.snapshot.Last.Index || from > g.last+1 {
			return fmt.Errorf("%w: cannot truncate from %d, the log holds (%d, %d]",
				ErrInvalid, from, g.snapshot.Last.Index, g.last)
		}
		term, _ := g.term(from - 1)
		end = raft.Position{Term: term, Index: from - 1}
	}
	for i := range p.Entries {
		e := &p.Entries[i]
		if e.Index != end.Index+1 || e.Term < end.Term {
			return fmt.Errorf("%w: entry %d@t%d cannot follow %s", ErrInvalid, e.Index, e.Term, end)
		}
		end = raft.Position{Term: e.Term, Index: e.Index}
	}
	if len(p.Entries) > 0 && end.Term > hard.Term {
		return fmt.Errorf("%w: entry %s is of a later term than the hard state's %d (C09)", ErrInvalid, end, hard.Term)
	}
	return nil
}

// apply carries out a write that check has passed.
func (g *groupState) apply(p *raft.Persist) {
	if p.HardState != nil {
		g.hard = *p.HardState
	}
	if p.TruncateFrom != 0 {
		g.truncate(p.TruncateFrom)
	}
	for i := range p.Entries {
		e := &p.Entries[i]
		g.extend(e.Term, e.Index)
		if e.Kind == raft.EntryConfiguration {
			g.configurations = append(g.configurations, *e)
		}
	}
}

// extend appends one entry's term.
func (g *groupState) extend(term raft.Term, index raft.Index) {
	if len(g.terms) == 0 || g.terms[len(g.terms)-1].Term != term {
		g.terms = append(g.terms, raft.TermStart{Term: term, Index: index})
	}
	g.last = index
}

// truncate drops the entries from index on.
func (g *groupState) truncate(from raft.Index) {
	if from > g.last {
		return
	}
	keep := sort.Search(len(g.terms), func(i int) bool { return g.terms[i].Index >= from })
	g.terms = slices.Clip(g.terms[:keep])
	keep = sort.Search(len(g.configurations), func(i int) bool { return g.configurations[i].Index >= from })
	g.configurations = slices.Clip(g.configurations[:keep])
	g.last = from - 1
}

// compact makes the log start after meta.Last. Entries behind it stay only if the
// log holds meta.Last itself; otherwise the whole log is of another history and
// goes (C25). It says whether entries behind it stayed.
func (g *groupState) compact(meta raft.SnapshotMeta) bool {
	at := meta.Last.Index
	term, known := g.term(at)
	keeps := known && term == meta.Last.Term && at < g.last
	g.snapshot = meta
	if !keeps {
		g.terms, g.configurations, g.last = nil, nil, at
		return false
	}
	after := sort.Search(len(g.terms), func(i int) bool { return g.terms[i].Index > at+1 })
	g.terms = slices.Clone(g.terms[after-1:])
	g.terms[0].Index = at + 1
	after = sort.Search(len(g.configurations), func(i int) bool { return g.configurations[i].Index > at })
	g.configurations = slices.Clone(g.configurations[after:])
	return true
}

// checkCompact says whether meta may become the start of the log.
func (g *groupState) checkCompact(meta raft.SnapshotMeta) error {
	if meta.Last.Index < g.snapshot.Last.Index {
		return fmt.Errorf("%w: cannot compact to %s, the log already starts after %s", ErrInvalid, meta.Last, g.snapshot.Last)
	}
	if meta.Last.Term > g.hard.Term {
		return fmt.Errorf("%w: snapshot %s is of a later term than the hard state's %d (C09)", ErrInvalid, meta.Last, g.hard.Term)
	}
	return nil
}

// restored is what a server finds, but for the tail.
func (g *groupState) restored() raft.Restored {
	return raft.Restored{
		HardState:      g.hard,
		Snapshot:       g.snapshot,
		Terms:          slices.Clone(g.terms),
		Last:           g.last,
		Configurations: slices.Clone(g.configurations),
	}
}

// clone shares only what is never changed.
func (g *groupState) clone() groupState {
	c := *g
	c.terms = slices.Clone(g.terms)
	c.configurations = slices.Clone(g.configurations)
	return c
}

// checkRange says whether the log holds entries [first, last].
func (g *groupState) checkRange(first, last raft.Index) error {
	switch {
	case first == 0 || first > last:
		return fmt.Errorf("%w: entries [%d, %d] are no range", ErrInvalid, first, last)
	case first <= g.snapshot.Last.Index:
		return fmt.Errorf("%w: %d was asked for, the log starts after %d", ErrCompacted, first, g.snapshot.Last.Index)
	case last > g.last:
		return fmt.Errorf("%w: %d was asked for, the log ends at %d", ErrUnavailable, last, g.last)
	}
	return nil
}

// Holds says whether a log holds a position, or starts after it.
func Holds(r *raft.Restored, at raft.Position) bool {
	if at.Index <= r.Snapshot.Last.Index {
		return true
	}
	var term raft.Term
	for _, t := range r.Terms {
		if t.Index <= at.Index {
			term = t.Term
		}
	}
	return at.Index <= r.Last && term == at.Term
}
