package storetest

import (
	"maps"
	"slices"

	"castaway/raft"
)

// model is one moment of a store. It is never changed: every operation gives a new
// one, so that a run can keep all the moments that a crash may bring back.
type model map[raft.GroupID]groupModel

type groupModel struct {
	hard     raft.HardState
	snapshot raft.SnapshotMeta
	entries  []raft.Entry // entries[0] has index snapshot.Last.Index+1
}

func (g groupModel) last() raft.Index {
	return g.snapshot.Last.Index + raft.Index(len(g.entries))
}

func (g groupModel) at(index raft.Index) raft.Position {
	if index == g.snapshot.Last.Index {
		return g.snapshot.Last
	}
	e := g.entries[index-g.snapshot.Last.Index-1]
	return raft.Position{Term: e.Term, Index: e.Index}
}

func (m model) with(group raft.GroupID, g groupModel) model {
	next := maps.Clone(m)
	next[group] = g
	return next
}

func (m model) append(group raft.GroupID, p *raft.Persist) model {
	g := m[group]
	if p.HardState != nil {
		g.hard = *p.HardState
	}
	g.entries = slices.Clone(g.entries)
	if p.TruncateFrom != 0 {
		g.entries = g.entries[:p.TruncateFrom-g.snapshot.Last.Index-1]
	}
	g.entries = append(g.entries, p.Entries...)
	return m.with(group, g)
}

func (m model) compact(group raft.GroupID, meta raft.SnapshotMeta) model {
	g := m[group]
	keeps := meta.Last.Index <= g.last() && g.at(meta.Last.Index) == meta.Last
	if keeps {
		g.entries = slices.Clone(g.entries[meta.Last.Index-g.snapshot.Last.Index:])
	} else {
		g.entries = nil
	}
	g.snapshot = meta
	return m.with(group, g)
}

// restored is what Load must give, but for the tail.
func (g groupModel) restored() raft.Restored {
	r := raft.Restored{HardState: g.hard, Snapshot: g.snapshot, Last: g.last()}
	for _, e := range g.entries {
		if len(r.Terms) == 0 || r.Terms[len(r.Terms)-1].Term != e.Term {
			r.Terms = append(r.Terms, raft.TermStart{Term: e.Term, Index: e.Index})
		}
		if e.Kind == raft.EntryConfiguration {
			r.Configurations = append(r.Configurations, e)
		}
	}
	return r
}
