package raft_test

import (
	"fmt"
	"slices"

	"castaway/raft"
)

// disk has two halves: what is durable, and the writes that were handed over but
// not yet synced. A crash keeps the durable half and any prefix of the other.
//
// What was compacted stays in log and view, for the observer to look at; reads and
// restarts see only what is after start.
type disk struct {
	hard      raft.HardState
	start     raft.SnapshotMeta
	log       []raft.Entry // durable; log[i].Index is i+1
	pending   []raft.Persist
	viewStart raft.SnapshotMeta
	view      []raft.Entry // the log with everything pending on top: what reads see
	next      uint64       // sequence number of the last write of this incarnation

	// published is the newest snapshot file, and covered what any snapshot covers.
	published raft.SnapshotMeta
	covered   func(raft.Position) []raft.Entry
}

// diskWithLog is a disk that holds a log of these terms, and as current term the
// last of them.
func diskWithLog(terms []raft.Term) *disk {
	d := &disk{}
	for i, term := range terms {
		index := raft.Index(i + 1)
		d.log = append(d.log, raft.Entry{
			Term: term, Index: index, Kind: raft.EntryCommand,
			Data: fmt.Appendf(nil, "%d@t%d", index, term),
		})
		d.hard.Term = max(d.hard.Term, term)
	}
	d.log = slices.Clip(d.log)
	d.view = d.log
	return d
}

// overwrite is a log after a write; it shares nothing that could be overwritten
// later with the log before.
func (d *disk) overwrite(log []raft.Entry, p *raft.Persist) []raft.Entry {
	if m := p.Compact; m != nil && term(log, m.Last.Index) != m.Last.Term {
		log = d.covered(m.Last)
	}
	if p.TruncateFrom > 0 && int(p.TruncateFrom) <= len(log) {
		log = log[: p.TruncateFrom-1 : p.TruncateFrom-1]
	}
	return append(log, p.Entries...)
}

// append takes a write, not yet durable; it says what is wrong with it.
func (d *disk) append(p raft.Persist) string {
	if p.Sequence != d.next+1 {
		return fmt.Sprintf("write %d follows write %d", p.Sequence, d.next)
	}
	d.next = p.Sequence
	if m := p.Compact; m != nil {
		if m.Last.Index <= d.viewStart.Last.Index {
			return fmt.Sprintf("compacts to %s a log that starts after %s", m.Last, d.viewStart.Last)
		}
		d.viewStart = *m
	}
	if t := p.TruncateFrom; t > 0 && (int(t) > len(d.view) || t <= d.viewStart.Last.Index) {
		return fmt.Sprintf("truncates from %d a log from %d to %d", t, d.viewStart.Last.Index+1, len(d.view))
	}
	d.view = d.overwrite(d.view, &p)
	for i, e := range d.view[len(d.view)-len(p.Entries):] {
		if want := raft.Index(len(d.view) - len(p.Entries) + i + 1); e.Index != want {
			return fmt.Sprintf("writes entry %d at position %d", e.Index, want)
		}
	}
	d.pending = append(d.pending, p)
	return ""
}

// complete makes the oldest write durable.
func (d *disk) complete() raft.Persist {
	p := d.pending[0]
	d.pending = d.pending[1:]
	if p.HardState != nil {
		d.hard = *p.HardState
	}
	if p.Compact != nil {
		d.start = *p.Compact
	}
	d.log = d.overwrite(d.log, &p)
	return p
}

func (d *disk) crash(keep int) {
	for ; keep > 0 && len(d.pending) > 0; keep-- {
		d.complete()
	}
	// Clipped, so that neither half is ever written into the other's array: messages
	// on their way may alias it.
	d.log = slices.Clip(d.log)
	d.pending, d.view, d.viewStart, d.next = nil, d.log, d.start, 0
}

// install makes up for an install that a crash interrupted, as an owner does when it
// starts: the snapshot was published, and the log does not know of it. The snapshot's
// term is the server's then; it cannot have voted in a term that is not on its disk.
func (d *disk) install() {
	p := d.published.Last
	if p.Index <= d.start.Last.Index || term(d.log, p.Index) == p.Term {
		return
	}
	if d.hard.Term < p.Term {
		d.hard = raft.HardState{Term: p.Term}
	}
	d.start, d.log = d.published, d.covered(p)
	d.view, d.viewStart = d.log, d.start
}

// publish makes a snapshot file appear.
func (d *disk) publish(m raft.SnapshotMeta) {
	if m.Last.Index > d.published.Last.Index {
		d.published = m
	}
}

// settled is the index up to which the log is durable and nothing pending
// touches it.
func (d *disk) settled() raft.Index {
	settled := raft.Index(len(d.log))
	for _, p := range d.pending {
		if p.TruncateFrom > 0 {
			settled = min(settled, p.TruncateFrom-1)
		}
		if p.Compact != nil {
			for settled > 0 && term(d.view, settled) != term(d.log, settled) {
				settled--
			}
		}
	}
	return settled
}

// read gives entries [first, last], at most maxBytes of them but at least one;
// nil if the log does not have them all.
func (d *disk) read(first, last raft.Index, maxBytes int) []raft.Entry {
	if first <= d.viewStart.Last.Index || last > raft.Index(len(d.view)) || first > last {
		return nil
	}
	bytes := 0
	for i := first; i <= last; i++ {
		bytes += d.view[i-1].Size()
		if bytes > maxBytes && i > first {
			last = i - 1
		}
	}
	return d.view[first-1 : last : last]
}

// term is the term of an entry in a log that starts at 1; zero if it has none.
func term(log []raft.Entry, i raft.Index) raft.Term {
	if i < 1 || i > raft.Index(len(log)) {
		return 0
	}
	return log[i-1].Term
}

func last(log []raft.Entry) raft.Position {
	i := raft.Index(len(log))
	return raft.Position{Term: term(log, i), Index: i}
}

// restored is what a server finds when it starts, with at most tail entries of
// its log in memory.
func (d *disk) restored(c raft.Configuration, tail int) raft.Restored {
	r := raft.Restored{HardState: d.hard, Last: raft.Index(len(d.log)), Snapshot: d.start}
	if d.start.Last.Index == 0 {
		r.Snapshot.Configuration = c
	}
	for _, e := range d.log[d.start.Last.Index:] {
		if n := len(r.Terms); n == 0 || r.Terms[n-1].Term != e.Term {
			r.Terms = append(r.Terms, raft.TermStart{Term: e.Term, Index: e.Index})
		}
		if e.Kind == raft.EntryConfiguration {
			r.Configurations = append(r.Configurations, e)
		}
	}
	first := max(int(d.start.Last.Index), len(d.log)-tail)
	r.Tail = d.log[first:len(d.log):len(d.log)]
	return r
}
