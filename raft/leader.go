package raft

import "fmt"

// leader is a server that won its term's election. Its term is durable, since it
// counted its own vote, and its log only grows (P5.3, Leader Append-Only).
type leader struct {
	firstIndex Index       // the no-op that opened the term
	progress   []*progress // of all other members, and of those that leave; sorted by id

	sinceHeartbeat int
	uncommitted    int // bytes of this term's entries beyond the commit index

	round      uint64 // the newest heartbeat round
	clockRound uint64 // the newest one that the clock began
	reads      []pendingRead
	lease      lease

	transfer *transfer // nil unless leadership is being handed over
}

func (l *leader) kind() Role            { return Leader }
func (l *leader) leader(c *Core) NodeID { return c.cfg.ID }

// becomeLeader opens the term with an entry that carries nothing: only an entry of
// the own term can be committed by counting, and with it all before (T3.6.2). What
// the followers lack is found by assuming that they lack nothing else.
func (c *Core) becomeLeader() {
	l := &leader{firstIndex: c.log.last + 1}
	c.configuration().eachMember(func(id NodeID) {
		if id != c.cfg.ID {
			l.progress = append(l.progress, &progress{id: id, next: l.firstIndex})
		}
	})
	c.become(l)
	noop := c.log.blank(1)
	noop[0] = Entry{Kind: EntryNoOp}
	l.append(c, noop)
	l.replicateAll(c)
}

// find gives the progress of a member; nil for anyone else.
func (l *leader) find(id NodeID) *progress {
	for i := range l.progress {
		if l.progress[i].id == id {
			return l.progress[i]
		}
	}
	return nil
}

func (l *leader) tick(c *Core) {
	for i := range l.progress {
		l.progress[i].silent++
		l.progress[i].wait = max(l.progress[i].wait-1, 0)
	}
	if c.cfg.CheckQuorum && !l.hearsQuorum(c) {
		// Who is cut off cannot commit, and must not let clients wait (T6.2).
		c.becomeFollower(c.hard.Term, None)
		return
	}
	l.tickTransfer(c)
	l.dismiss(c)
	l.catchUp(c)
	l.sinceHeartbeat++
	if l.sinceHeartbeat >= c.cfg.HeartbeatTicks {
		l.sinceHeartbeat = 0
		l.beginRound(c)
		l.clockRound = l.round
		return
	}
	l.announceCommit(c)
}

// hearsQuorum says whether a quorum, this server included, was heard within the
// minimum election timeout.
func (l *leader) hearsQuorum(c *Core) bool {
	return c.configuration().agree(func(id NodeID) bool { return l.hears(c, id) })
}

func (l *leader) step(c *Core, m Message) {
	p := l.find(m.header().From)
	if p == nil {
		return
	}
	switch m := m.(type) {
	case *AppendEntriesReply:
		p.silent = 0
		l.appendReply(c, p, m)
	case *HeartbeatReply:
		p.silent = 0
		l.heartbeatReply(c, p, m)
	}
}

// persisted counts the leader's own log, up to where it is durable (T10.2.1).
func (l *leader) persisted(c *Core) { l.advanceCommit(c) }

// admit says whether the proposals may be appended.
func (l *leader) admit(c *Core, proposals []Proposal) error {
	if l.transfer != nil {
		return ErrTransferring
	}
	total := 0
	for i := range proposals {
		p := &proposals[i]
		if p.Kind != 0 && p.Kind != EntryCommand && p.Kind != EntrySession {
			return fmt.Errorf("%w: proposal %d of %d has kind %d", ErrEntryKind, i+1, len(proposals), p.Kind)
		}
		if n := len(p.Data); n > c.cfg.MaxEntryBytes {
			return fmt.Errorf("%w: proposal %d of %d has %d bytes, the limit is %d",
				ErrEntryTooLarge, i+1, len(proposals), n, c.cfg.MaxEntryBytes)
		}
		total += len(p.Data) + entryOverhead
	}
	if l.uncommitted+total > c.cfg.MaxUncommittedBytes {
		return fmt.Errorf("%w: %d bytes beside %d that are uncommitted, the limit is %d",
			ErrTooManyUncommitted, total, l.uncommitted, c.cfg.MaxUncommittedBytes)
	}
	return nil
}

func (l *leader) propose(c *Core, proposals []Proposal) Proposed {
	p := Proposed{Term: c.hard.Term, First: c.log.last + 1, Last: c.log.last + Index(len(proposals))}
	if len(proposals) == 0 {
		return p
	}
	entries := c.log.blank(len(proposals))
	for i := range proposals {
		entries[i] = Entry{Kind: max(EntryCommand, proposals[i].Kind), Data: proposals[i].Data}
	}
	l.append(c, entries)
	l.replicateAll(c)
	return p
}

// append gives the entries, made in the log's blank room, their place and their
// frame, and adds them to the log.
func (l *leader) append(c *Core, entries []Entry) {
	for i := range entries {
		entries[i].Term = c.hard.Term
		entries[i].Index = c.log.last + 1 + Index(i)
	}
	if c.cfg.Seal != nil {
		c.cfg.Seal(entries)
	}
	c.log.append(entries)
	l.uncommitted += sizeOf(entries)
}
