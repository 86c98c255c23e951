package raft

// replicateAll sends each follower what its window allows. Entries leave before
// they are durable here (T10.2.1).
func (l *leader) replicateAll(c *Core) {
	c.expectToSend(len(l.progress))
	for i := range l.progress {
		l.replicate(c, l.progress[i])
	}
}

func (l *leader) replicate(c *Core, p *progress) {
	for {
		room := p.room(&c.cfg)
		if room <= 0 {
			return
		}
		if p.next > c.log.last {
			if p.state == probe {
				l.ask(c, p)
				p.paused = true
			}
			return
		}
		if p.next < c.log.tailFirst() {
			l.askLog(c, p)
			return
		}
		entries, size := c.log.view(p.next, room)
		if size > room && p.inflights.count > 0 {
			return // it travels alone
		}
		l.sendEntries(c, p, entries, size)
	}
}

func (l *leader) sendEntries(c *Core, p *progress, entries []Entry, size int) {
	last := entries[len(entries)-1].Index
	l.sendAppend(c, p, entries)
	p.commitSent = max(p.commitSent, min(c.commit, last))
	p.sent(last, size)
}

// ask sends no entries: it tells the commit index and asks whether everything sent
// so far has arrived.
func (l *leader) ask(c *Core, p *progress) {
	l.sendAppend(c, p, nil)
	p.commitSent = max(p.commitSent, min(c.commit, p.next-1))
}

func (l *leader) sendAppend(c *Core, p *progress, entries []Entry) {
	term, ok := c.log.term(p.next - 1)
	if !ok {
		invariant(false, "server %d: next %d is outside of the log %v to %d", p.id, p.next, c.log.base, c.log.last)
	}
	c.send(&AppendEntries{
		Header:   c.to(p.id),
		Previous: Position{Term: term, Index: p.next - 1},
		Commit:   c.commit,
		Entries:  entries,
	})
}

// askLog asks for entries that are no longer in memory. One question a follower is
// out at a time.
func (l *leader) askLog(c *Core, p *progress) {
	p.fetch = Fetch{
		To:       p.id,
		Term:     c.hard.Term,
		First:    p.next,
		Last:     c.log.tailFirst() - 1,
		MaxBytes: p.room(&c.cfg),
	}
	c.out.effects.Fetch = append(c.out.effects.Fetch, p.fetch)
}

// fetched sends what the log has read. An answer to a question that is no longer
// the current one, or entries that are not the log's, are of no use; then whatever
// has the leader look at this follower next, a heartbeat's answer at the latest, asks
// again.
func (l *leader) fetched(c *Core, f Fetch, entries []Entry) {
	p := l.find(f.To)
	if p == nil || !p.fetching() || p.fetch != f {
		return
	}
	p.fetch = Fetch{}
	if f.First != p.next {
		l.replicate(c, p) // the follower has got on without
		return
	}
	if !c.log.mayBe(entries, f) {
		return
	}
	entries = entries[:withinBytes(entries, f.MaxBytes)]
	l.sendEntries(c, p, entries[:len(entries):len(entries)], sizeOf(entries))
	l.replicate(c, p)
}

// mayBe says whether the entries can be the answer to f.
func (l *entryLog) mayBe(entries []Entry, f Fetch) bool {
	if len(entries) == 0 || Index(len(entries)) > f.Last-f.First+1 {
		return false
	}
	for i := range entries {
		e := &entries[i]
		if e.Index != f.First+Index(i) || !l.holds(Position{e.Term, e.Index}) {
			return false
		}
	}
	return true
}

func (l *leader) appendReply(c *Core, p *progress, m *AppendEntriesReply) {
	if m.Success {
		if m.Match > c.log.last {
			return // no follower can hold what this leader does not have
		}
		if p.matched(m.Match) {
			p.beyondSnapshot(c.log.base.Index)
			l.advanceCommit(c)
			if c.role != role(l) {
				return // the last of a removed leader
			}
			l.handOver(c, p)
		}
		l.replicate(c, p)
		return
	}
	if !p.mayReject(m.Rejected) {
		return // an answer that arrives late
	}
	hint := Position{Term: m.Hint.Term, Index: min(m.Hint.Index, m.Rejected-1)}
	if max(hint.Index, p.match) < c.log.base.Index {
		l.needSnapshot(c, p) // all that they agree on is before the log's start
		return
	}
	p.probeFrom(l.agreement(c, p, hint))
	l.replicate(c, p)
}

// mayReject says whether a rejection of this previous index is about what was sent
// last: what the follower holds durably cannot be rejected, and a probe asks about
// one index only.
func (p *progress) mayReject(previous Index) bool {
	switch p.state {
	case probe:
		return previous == p.next-1 && previous > p.match
	case replicate:
		return previous < p.next && previous > p.match
	default:
		return false
	}
}

// agreement is the next index to try after a rejection: behind the last position
// where both logs may agree, by the follower's hint and by the own terms, and at
// least one step back (P5.3, end).
func (l *leader) agreement(c *Core, p *progress, hint Position) Index {
	next := c.log.lastWithin(hint).Index + 1
	return max(next, p.match+1, c.log.base.Index+1)
}

// checkLoss finds out what a lost message has left hanging (C39), once in each round
// of heartbeats that the clock began. A probe is repeated. In a pipeline the question
// is whether everything has arrived: one that lost a message says so at once and
// with the place, and one that is only slow to write is not sent anything twice.
func (l *leader) checkLoss(c *Core, p *progress) {
	if p.checkedRound >= l.clockRound {
		return
	}
	stuck := p.stuck(l.clockRound)
	switch {
	case p.state == snapshot:
		l.askSnapshotAgain(c, p)
	case p.state == probe:
		p.paused = false
		l.replicate(c, p)
	case stuck:
		l.ask(c, p)
	default:
		l.replicate(c, p)
	}
}

// appendEntries is a follower's part of replication (P5.3). What a correct leader
// would not send was dropped before (acceptable).
func (c *Core) appendEntries(m *AppendEntries) {
	previous, entries := m.Previous, m.Entries
	if previous.Index < c.log.base.Index {
		// All up to base is committed, and so the same everywhere (T3.6.3).
		skip := min(int(c.log.base.Index-previous.Index), len(entries))
		previous, entries = c.log.base, entries[skip:]
	}
	if !c.log.holds(previous) {
		hint := c.log.lastWithin(Position{Term: previous.Term, Index: previous.Index - 1})
		c.send(&AppendEntriesReply{Header: c.to(m.From), Rejected: previous.Index, Hint: hint})
		return
	}
	last := previous.Index + Index(len(entries))
	c.take(entries)
	c.commitTo(min(m.Commit, last))
	c.sendWhenDurable(&AppendEntriesReply{Header: c.to(m.From), Success: true, Match: last}, last)
}

// take appends what the log lacks. Entries are dropped only where one conflicts: a
// message that is late and shorter than the log says nothing about the rest (C03).
func (c *Core) take(entries []Entry) {
	for i := range entries {
		e := &entries[i]
		if c.log.holds(Position{e.Term, e.Index}) {
			continue
		}
		if e.Index <= c.log.last {
			c.truncate(e.Index)
		}
		c.log.append(entries[i:])
		c.configurations.append(entries[i:])
		return
	}
}

func (c *Core) truncate(from Index) {
	invariant(from > c.commit, "truncating from %d, where %d is committed", from, c.commit)
	c.log.truncate(from)
	c.disk.truncate(from)
	c.configurations.truncate(from)
}

// heartbeat is a follower's answer. The leader names no commit index beyond what it
// knows this log to hold.
func (c *Core) heartbeat(m *Heartbeat) {
	c.commitTo(m.Commit)
	c.send(&HeartbeatReply{Header: c.to(m.From), Round: m.Round})
}
