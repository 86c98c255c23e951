package raft

// What no correct server sends is dropped whole, before it can change anything.
// Terms and indexes from 2^62 up, which nobody reaches, are among it, so that sums
// never overflow.
const (
	maxTerm  Term  = 1 << 62
	maxIndex Index = 1 << 62
)

// acceptable says whether a correct server could have sent m to this one.
func (c *Core) acceptable(m Message) bool {
	if !wellFormed(m) {
		return false
	}
	h := m.header()
	if h.To != c.cfg.ID || h.From == c.cfg.ID || h.From == None || h.Term >= maxTerm {
		return false
	}
	switch m := m.(type) {
	case *AppendEntries:
		return h.Term < c.hard.Term || c.agreesWithCommitted(m)
	case *InstallSnapshot:
		return h.Term < c.hard.Term || c.agreesWithSnapshot(m.Snapshot.Last)
	}
	return true
}

// wellFormed says whether a message makes sense by itself.
func wellFormed(m Message) bool {
	switch m := m.(type) {
	case *RequestPreVote:
		return m != nil && m.Term > 0 && m.Last.valid(m.Term)
	case *RequestPreVoteReply:
		return m != nil
	case *RequestVote:
		return m != nil && m.Term > 0 && m.Last.valid(m.Term)
	case *RequestVoteReply:
		return m != nil && m.Term > 0
	case *AppendEntries:
		return m != nil && m.Term > 0 && m.wellFormed()
	case *AppendEntriesReply:
		return m != nil && m.Term > 0 && (m.Success || m.Hint.valid(m.Term))
	case *Heartbeat:
		return m != nil && m.Term > 0 && m.Commit < maxIndex
	case *HeartbeatReply:
		return m != nil && m.Term > 0
	case *InstallSnapshot:
		return m != nil && m.Term > 0 && m.Snapshot.Last.Index > 0 && m.Snapshot.Last.valid(m.Term) &&
			m.Snapshot.Configuration.Validate() == nil
	case *TermNotice:
		return m != nil && m.Term > 0
	case *TimeoutNow:
		return m != nil && m.Term > 0
	default: // nil, or not one of ours
		return false
	}
}

// valid says whether a server of this term could have an entry there; zero is the
// position before every log.
func (p Position) valid(current Term) bool {
	return p.Term <= current && p.Index < maxIndex && (p.Term == 0) == (p.Index == 0)
}

func (m *AppendEntries) wellFormed() bool {
	if !m.Previous.valid(m.Term) {
		return false
	}
	at := m.Previous
	for i := range m.Entries {
		e := &m.Entries[i]
		if e.Index != at.Index+1 || e.Term < at.Term || !(Position{e.Term, e.Index}).valid(m.Term) {
			return false
		}
		if e.Kind == EntryConfiguration {
			if _, err := DecodeConfiguration(e.Data); err != nil {
				return false
			}
		}
		at = Position{e.Term, e.Index}
	}
	return true
}

// agreesWithCommitted says whether a message contradicts nothing that is committed.
// A leader's never does (Leader Completeness, T3.6.3). Below base nothing is known
// any more.
func (c *Core) agreesWithCommitted(m *AppendEntries) bool {
	if !c.agreesAt(m.Previous) {
		return false
	}
	for i := range m.Entries {
		e := &m.Entries[i]
		if e.Index > c.commit {
			break
		}
		if !c.agreesAt(Position{e.Term, e.Index}) {
			return false
		}
	}
	return true
}

func (c *Core) agreesAt(p Position) bool {
	return p.Index > c.commit || p.Index < c.log.base.Index || c.log.holds(p)
}

// agreesWithSnapshot says whether a snapshot that ends at p contradicts nothing that
// is committed: terms never fall along a log.
func (c *Core) agreesWithSnapshot(p Position) bool {
	committed, _ := c.log.term(c.commit)
	return c.agreesAt(p) && (p.Index <= c.commit || p.Term >= committed)
}
