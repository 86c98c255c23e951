package raft

import (
	"errors"
	"fmt"
	"slices"
	"sort"
)

// InstallSnapshot says that a snapshot from the leader that the Header names is
// complete, verified and published on this server's node (T5.1). It does not
// travel: the node itself hands it to its Core.
type InstallSnapshot struct {
	Header
	Snapshot SnapshotMeta
}

// SnapshotRequest says that the log no longer holds what a follower needs, which is
// everything from Next on: the newest snapshot is to be sent to it. How that went is
// told to Core.SnapshotReported; until then nothing is asked for this follower again.
type SnapshotRequest struct {
	To   NodeID
	Term Term
	Next Index
}

// ErrCompact means that the log may not yet be compacted as far as that.
var ErrCompact = errors.New("raft: the log cannot be compacted beyond what is applied and durable")

// Meta gives the term of an index and the configuration as of it (T5.1, C24): what a
// snapshot of the machine at this index says of itself. False where the log does not
// reach, before its start or beyond its end.
func (c *Core) Meta(i Index) (SnapshotMeta, bool) {
	term, ok := c.log.term(i)
	if !ok {
		return SnapshotMeta{}, false
	}
	cfg := c.configurations[c.configurations.inForce(i)].configuration
	if cfg.empty() {
		return SnapshotMeta{}, false // before the first word of it
	}
	return SnapshotMeta{Last: Position{Term: term, Index: i}, Configuration: cfg.Clone()}, true
}

// Compact makes the log start after to, at most what is applied and durable: a
// snapshot must hold all up to there. Before the log's start there is nothing to do.
// Followers that need what goes are sent a snapshot.
func (c *Core) Compact(to Index) (Effects, error) {
	if c.forgotten {
		return Effects{}, nil
	}
	if most := min(c.applied, c.disk.durable); to > most {
		return Effects{}, fmt.Errorf("%w: to %d, at most to %d", ErrCompact, to, most)
	}
	c.begin()
	if to > c.log.base.Index {
		meta, known := c.Meta(to)
		if !known {
			return c.finish("compact", nil), nil
		}
		c.log.forget(min(c.applied, c.disk.durable), c.cfg.CacheBytes)
		c.log.compact(meta.Last)
		c.configurations = slices.Clone(c.configurations[c.configurations.inForce(to):])
		c.disk.compact = &meta
		if l, ok := c.role.(*leader); ok {
			l.leaveBehind(c)
		}
	}
	return c.finish("compact", nil), nil
}

// inForce is the place in the table of the configuration as of an index.
func (t configurationTable) inForce(i Index) int {
	n := len(t) - 1
	for n > 0 && t[n].index > i {
		n--
	}
	return n
}

// compact drops the entries up to p, which the log holds and may forget.
func (l *entryLog) compact(p Position) {
	if p.Index < l.last {
		k := l.run(p.Index + 1)
		l.terms = append(l.terms[:0], l.terms[k:]...)
		l.terms[0].Index = max(l.terms[0].Index, p.Index+1)
	} else {
		l.terms = l.terms[:0]
	}
	n := sort.Search(len(l.tail), func(i int) bool { return l.tail[i].Index > p.Index })
	l.oldBytes -= sizeOf(l.tail[:n])
	l.drop(n)
	l.base = p
}

// installSnapshot is a follower's part of T5.1. What the leader's snapshot covers is
// committed. A log that holds its last position holds all of it: then nothing but
// the commit index moves, and what follows stays, since some of it may have been
// acknowledged (C25). Any other log has nothing to do with what follows the snapshot,
// and is discarded; what this server has acknowledged to the leader of this term is
// not in it, since that leader's log holds the snapshot's last position.
func (c *Core) installSnapshot(m *InstallSnapshot) {
	meta := m.Snapshot
	meta.Configuration = meta.Configuration.Clone()
	last := meta.Last
	switch {
	case last.Index <= c.commit: // late, or a duplicate
	case c.log.holds(last):
		c.commitTo(last.Index)
	default:
		c.log = entryLog{base: last, last: last.Index, old: last.Index}
		c.configurations = configurationTable{{last.Index, meta.Configuration}}
		c.disk.replace(&meta, c.commit)
		c.commit, c.emitted, c.applied = last.Index, last.Index, last.Index
		c.out.effects.Install = &meta
	}
	c.sendWhenDurable(&AppendEntriesReply{Header: c.to(m.From), Success: true, Match: last.Index}, last.Index)
}

// replace takes that the log in memory starts after a snapshot and is empty, where
// what it held up to committed is in the snapshot. No write under way vouches for
// more than that any longer.
func (d *disk) replace(meta *SnapshotMeta, committed Index) {
	d.compact, d.last = meta, meta.Last.Index
	d.durable = min(d.durable, committed)
	for i := range d.pending {
		d.pending[i].last = min(d.pending[i].last, committed)
	}
}

// leaveBehind sees to the followers that need what the log no longer holds.
func (l *leader) leaveBehind(c *Core) {
	for i := range l.progress {
		p := l.progress[i]
		if p.state != snapshot && p.next <= c.log.base.Index {
			l.needSnapshot(c, p)
		}
	}
}

// needSnapshot asks for a snapshot to be sent. Heartbeats go on; entries wait.
func (l *leader) needSnapshot(c *Core, p *progress) {
	p.probeFrom(p.match + 1)
	p.state, p.fetch = snapshot, Fetch{}
	l.askSnapshot(c, p)
}

func (l *leader) askSnapshot(c *Core, p *progress) {
	p.paused = true
	c.out.effects.Snapshots = append(c.out.effects.Snapshots, SnapshotRequest{To: p.id, Term: c.hard.Term, Next: p.match + 1})
}

// askSnapshotAgain is called when the follower was heard, a round of heartbeats after
// the other. After a failure it waits an election timeout, so as not to be busy with
// nothing else.
func (l *leader) askSnapshotAgain(c *Core, p *progress) {
	if !p.paused && p.wait == 0 {
		l.askSnapshot(c, p)
	}
}

// beyondSnapshot lets a follower go on whose log is now known to reach the start of
// this one, by whatever way.
func (p *progress) beyondSnapshot(base Index) {
	if p.state == snapshot && p.match >= base {
		p.probeFrom(p.match + 1)
		p.state = replicate
	}
}

// SnapshotReported tells a leader how it went with the SnapshotRequest of a term.
// If ok, the follower holds the snapshot that ends at last: it is probed from there,
// or sent a newer one if the log starts later by now. Otherwise the request is
// repeated, in an election timeout at the earliest. A report that no longer fits is
// ignored.
func (c *Core) SnapshotReported(to NodeID, term Term, last Position, ok bool) Effects {
	if c.forgotten {
		return Effects{}
	}
	c.begin()
	if l, leads := c.role.(*leader); leads && term == c.hard.Term {
		if p := l.find(to); p != nil && p.state == snapshot && p.paused {
			l.snapshotReported(c, p, last, ok)
		}
	}
	return c.finish("snapshot reported", nil)
}

func (l *leader) snapshotReported(c *Core, p *progress, last Position, ok bool) {
	switch {
	case !ok || last.Index > c.log.last:
		p.paused, p.wait = false, c.cfg.ElectionTicks
	case last.Index < c.log.base.Index:
		l.askSnapshot(c, p)
	default:
		p.probeFrom(max(last.Index, p.match) + 1)
		l.replicate(c, p)
	}
}
