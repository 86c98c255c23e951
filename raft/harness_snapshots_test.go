package raft_test

import (
	"errors"
	"reflect"

	"castaway/raft"
)

// How a test takes, sends and installs snapshots. A snapshot is what it says of
// itself: what it holds, the observer knows.

// snapshot publishes one of what a server has applied.
func (c *cluster) snapshot(id raft.NodeID) raft.SnapshotMeta {
	s := c.servers[id]
	if s.reported == 0 {
		return raft.SnapshotMeta{}
	}
	meta, ok := s.core.Meta(s.reported)
	if !ok {
		c.broken("server %d has no meta of %d, which it has applied", id, s.reported)
	}
	c.observer.describes(s, meta)
	s.disk.publish(meta)
	c.note("%d has a snapshot up to %s", id, meta.Last)
	return meta
}

// compact makes a server's log start later; its snapshot must reach as far.
func (c *cluster) compact(id raft.NodeID, to raft.Index) error {
	s := c.servers[id]
	if to > s.disk.published.Last.Index {
		c.broken("test: server %d has no snapshot up to %d", id, to)
	}
	var err error
	c.note("%d compacts to %d", id, to)
	c.input(id, func(core *raft.Core) (e raft.Effects) {
		e, err = core.Compact(to)
		return e
	})
	if first := s.core.Status().First; err == nil && first < to+1 {
		c.broken("server %d compacted to %d, and its log starts at %d", id, to, first)
	}
	if err != nil && !errors.Is(err, raft.ErrCompact) {
		c.broken("server %d does not compact: %v", id, err)
	}
	return err
}

// keepTail is snapshot and compact, with so many entries kept.
func (c *cluster) keepTail(id raft.NodeID, tail raft.Index) {
	c.snapshot(id)
	if last := c.servers[id].disk.published.Last.Index; last > tail {
		_ = c.compact(id, last-tail)
	}
}

// transfer carries out a server's oldest request, or fails at it; it also fails
// where the link is cut. The report comes after the follower's core was told.
func (c *cluster) transfer(id raft.NodeID, ok bool) {
	s := c.servers[id]
	r := s.requests[0]
	s.requests = s.requests[1:]
	m := c.offer(id, r)
	ok = ok && m != nil && c.servers[r.To].up() && !c.net.cut[link{id, r.To}]
	if ok {
		c.step(m)
	}
	c.report(id, r, m, ok)
}

// offer is what a request brings about on the follower's node; nil without a snapshot.
func (c *cluster) offer(id raft.NodeID, r raft.SnapshotRequest) *raft.InstallSnapshot {
	newest := c.servers[id].disk.published
	if newest.Last.Index == 0 {
		return nil
	}
	return &raft.InstallSnapshot{Header: raft.Header{From: id, To: r.To, Term: r.Term}, Snapshot: newest}
}

// report tells a leader how it went.
func (c *cluster) report(id raft.NodeID, r raft.SnapshotRequest, m *raft.InstallSnapshot, ok bool) {
	var last raft.Position
	if m != nil {
		last = m.Snapshot.Last
	}
	c.note("%d hears of the snapshot for %d up to %s: ok is %v", id, r.To, last, ok)
	c.input(id, func(core *raft.Core) raft.Effects { return core.SnapshotReported(r.To, r.Term, last, ok) })
}

// covered are the entries that a snapshot covers.
func (o *observer) covered(p raft.Position) []raft.Entry {
	if term(o.commits, p.Index) != p.Term {
		o.c.broken("there can be no snapshot up to %s: committed there is term %d", p, term(o.commits, p.Index))
	}
	return o.commits[:p.Index:p.Index]
}

// describes checks what a snapshot says of itself (C24).
func (o *observer) describes(s *server, meta raft.SnapshotMeta) {
	o.covered(meta.Last)
	want := o.c.options.Configuration
	for _, e := range o.commits[:meta.Last.Index] {
		if e.Kind == raft.EntryConfiguration {
			want, _ = raft.DecodeConfiguration(e.Data)
		}
	}
	if !reflect.DeepEqual(meta.Configuration.Encode(), want.Encode()) {
		o.c.broken("C24: server %d's snapshot up to %s has configuration %v; as of there it is %v", s.id, meta.Last, meta.Configuration, want)
	}
}

// requested checks that a snapshot is asked for only where entries are missing.
func (o *observer) requested(s *server, r raft.SnapshotRequest) {
	if first := s.core.Status().First; r.Next >= first || r.Term != s.core.Term() || s.core.Role() != raft.Leader {
		o.c.broken("server %d wants to send a snapshot to %d, which needs %d; its log starts at %d", s.id, r.To, r.Next, first)
	}
}

// installs checks that a snapshot takes nothing back, and replaces no log that holds
// what it covers (C25).
func (o *observer) installs(s *server, before raft.TraceState, meta *raft.SnapshotMeta) {
	o.describes(s, *meta)
	if meta.Last.Index <= before.Commit {
		o.c.broken("server %d installs a snapshot up to %s; it knows %d to be committed", s.id, meta.Last, before.Commit)
	}
	if term(s.disk.view, meta.Last.Index) == meta.Last.Term {
		o.c.broken("C25: server %d discards a log that holds the snapshot's %s", s.id, meta.Last)
	}
}

// tickWithoutTransfers lets a tick pass, with all that it gives rise to but for snapshots,
// which stay asked for.
func (c *cluster) tickWithoutTransfers() {
	for _, id := range c.ids {
		c.input(id, (*raft.Core).Tick)
	}
	for len(c.net.queue) > 0 {
		c.arrive(c.net.take(0))
		for _, id := range c.ids {
			c.sync(id, 99)
			c.acknowledge(id)
			c.apply(id)
		}
	}
}
