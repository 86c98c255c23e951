package raft_test

import (
	"bytes"

	"castaway/raft"
)

// observer sees everything that happens in a cluster and checks after every event
// what must always hold (the paper's Figure 3, and the checklist's rules that can
// be seen from the outside). It compares the cores against the disks that it
// watches itself, never against what a core says of another.
type observer struct {
	c *cluster

	leaders map[raft.Term]raft.NodeID       // Election Safety
	votes   map[ballot]raft.NodeID          // one vote a term (C02)
	chain   map[raft.Position]link2         // Log Matching
	commits []raft.Entry                    // State Machine Safety; commits[i].Index is i+1
	terms   map[raft.NodeID]raft.Term       // announced by a server, across its lives (C01)
	before  map[raft.NodeID]raft.TraceState // of the event under way
	asked   map[raft.ReadID]question        // reads under way (C30)
}

type ballot struct {
	term  raft.Term
	voter raft.NodeID
}

// link2 is what Log Matching says that an entry's position determines.
type link2 struct {
	previous raft.Position
	entry    raft.Entry
}

type question struct {
	of    raft.NodeID
	floor raft.Index // what was committed when it was asked
}

func newObserver(c *cluster) *observer {
	return &observer{
		c: c, leaders: map[raft.Term]raft.NodeID{}, votes: map[ballot]raft.NodeID{},
		chain: map[raft.Position]link2{}, terms: map[raft.NodeID]raft.Term{},
		before: map[raft.NodeID]raft.TraceState{}, asked: map[raft.ReadID]question{},
	}
}

// adopt accepts the log that a cluster starts with.
func (o *observer) adopt(d *disk) { o.written(d.log, len(d.log)) }

// restarted checks what a server remembers.
func (o *observer) restarted(s *server) {
	if got := s.core.Term(); got < o.terms[s.id] {
		o.c.broken("C01: server %d comes back in term %d; it had announced term %d", s.id, got, o.terms[s.id])
	}
	st := s.core.Status()
	if st.HardState != s.disk.hard {
		o.c.broken("C08: server %d comes back with %+v; its disk holds %+v", s.id, st.HardState, s.disk.hard)
	}
	if st.Last != last(s.disk.log) || st.Role != raft.Follower {
		o.c.broken("server %d comes back as %s with last entry %s; its disk ends at %s", s.id, st.Role, st.Last, last(s.disk.log))
	}
	if st.First != s.disk.start.Last.Index+1 {
		o.c.broken("server %d comes back with a log from %d; its disk starts after %s", s.id, st.First, s.disk.start.Last)
	}
	o.before[s.id] = raft.TraceState{HardState: st.HardState, Last: st.Last, Commit: st.Commit, Durable: st.Durable}
}

func (o *observer) crashed(s *server) {
	for id, q := range o.asked {
		if q.of == s.id {
			delete(o.asked, id)
		}
	}
	o.termBeforeEntries(s)
}

// stepped checks one event's effects before they are carried out.
func (o *observer) stepped(s *server, e *raft.Effects) {
	before := o.before[s.id]
	if !s.traced { // a refused request changes nothing; carried checks it
		s.last = raft.TraceEvent{Before: before, After: before}
	}
	after := s.last.After
	if s.last.Before != before {
		o.c.broken("server %d: the trace says it was %+v before; it was left as %+v", s.id, s.last.Before, before)
	}
	if after.HardState.Term < before.HardState.Term {
		o.c.broken("C01: server %d goes back from term %d to %d", s.id, before.HardState.Term, after.HardState.Term)
	}
	sameTerm := after.HardState.Term == before.HardState.Term
	if sameTerm && before.HardState.Vote != raft.None && after.HardState.Vote != before.HardState.Vote {
		o.c.broken("C02: server %d changes its vote in term %d from %d to %d", s.id,
			after.HardState.Term, before.HardState.Vote, after.HardState.Vote)
	}
	if after.Commit < before.Commit {
		o.c.broken("server %d takes its commit index back from %d to %d", s.id, before.Commit, after.Commit)
	}
	if before.HardState != after.HardState && (e.Persist.HardState == nil || *e.Persist.HardState != after.HardState) {
		o.c.broken("C08: server %d changed to %+v and does not write it", s.id, after.HardState)
	}
	if after.Role == raft.Leader {
		o.leads(s, before, e, sameTerm)
	}
	if t := e.Persist.TruncateFrom; t > 0 && t <= before.Commit {
		o.c.broken("server %d truncates from %d; it knows %d to be committed", s.id, t, before.Commit)
	}
	if e.Install != nil {
		o.installs(s, before, e.Install)
	}
	o.before[s.id] = after
}

// leads checks Election Safety, Leader Append-Only and Leader Completeness.
func (o *observer) leads(s *server, before raft.TraceState, e *raft.Effects, sameTerm bool) {
	t := s.last.After.HardState.Term
	if other, ok := o.leaders[t]; ok && other != s.id {
		o.c.broken("Election Safety: servers %d and %d both lead term %d", other, s.id, t)
	}
	o.leaders[t] = s.id
	if before.Role == raft.Leader && !sameTerm {
		o.c.broken("server %d leads term %d straight after term %d", s.id, t, before.HardState.Term)
	}
	if e.Persist.TruncateFrom > 0 {
		o.c.broken("Leader Append-Only: leader %d truncates from %d", s.id, e.Persist.TruncateFrom)
	}
	if before.Role != raft.Leader {
		o.elected(s, t)
		o.complete(s, len(o.commits))
	}
}

// elected checks that a leader has the votes of a majority, and in a joint configuration
// of both (C22).
func (o *observer) elected(s *server, t raft.Term) {
	cfg := s.core.Status().Configuration
	for _, voters := range [][]raft.NodeID{cfg.Voters, cfg.OldVoters} {
		have := 0
		for _, id := range voters {
			if o.votes[ballot{t, id}] == s.id {
				have++
			}
		}
		if len(voters) > 0 && 2*have <= len(voters) {
			o.c.broken("C22: server %d leads term %d with the votes of %d of %v", s.id, t, have, voters)
		}
	}
}

// complete checks Leader Completeness: a leader has the first n committed entries.
func (o *observer) complete(s *server, n int) {
	for i := n; i > 0; i-- {
		e := o.commits[i-1]
		if e.Term >= s.core.Term() {
			continue
		}
		if term(s.disk.view, e.Index) != e.Term {
			o.c.broken("Leader Completeness: %d leads term %d without the committed entry %d of term %d",
				s.id, s.core.Term(), e.Index, e.Term)
		}
		return // by Log Matching, it has those before as well
	}
}

// carried checks a server after its effects were carried out.
func (o *observer) carried(s *server) {
	after := s.last.After
	if after.Role != s.core.Role() || after.HardState.Term != s.core.Term() || after.Leader != s.core.Leader() ||
		after.Commit != s.core.CommitIndex() || after.Last.Index != s.core.LastIndex() {
		o.c.broken("server %d is not what its trace says: %+v", s.id, after)
	}
	if end := last(s.disk.view); after.Last != end {
		o.c.broken("server %d believes that its log ends at %s; what it wrote ends at %s", s.id, after.Last, end)
	}
	if settled := s.disk.settled(); after.Durable > settled {
		o.c.broken("C10: server %d believes to be durable up to %d; only %d is", s.id, after.Durable, settled)
	}
	// A span that is not in memory waits until it is durable.
	if after.Commit != s.committed && (after.Commit < s.committed || after.Durable >= after.Commit) {
		o.c.broken("server %d knows %d to be committed and told its machine of %d", s.id, after.Commit, s.committed)
	}
	if n := len(s.disk.pending); n > 0 {
		p := s.disk.pending[n-1]
		o.written(s.disk.view, len(p.Entries))
	}
}

// written checks Log Matching for the last n entries of a log: an index and term
// determine the entry and the one before it, hence all before it.
func (o *observer) written(log []raft.Entry, n int) {
	for i := len(log) - n; i < len(log); i++ {
		e, previous := log[i], last(log[:i])
		at := raft.Position{Term: e.Term, Index: e.Index}
		if e.Term < previous.Term {
			o.c.broken("Log Matching: entry %s follows %s", at, previous)
		}
		known, ok := o.chain[at]
		if !ok {
			o.chain[at] = link2{previous, e}
			continue
		}
		if known.previous != previous || known.entry.Kind != e.Kind || !bytes.Equal(known.entry.Data, e.Data) {
			o.c.broken("Log Matching: entry %s is %q after %s on one server, %q after %s on another",
				at, known.entry.Data, known.previous, e.Data, previous)
		}
	}
}

// durable checks a disk after a write of it became durable.
func (o *observer) durable(s *server) {
	o.termBeforeEntries(s)
	h := s.disk.hard
	if h.Vote != raft.None {
		o.vote(s.id, h.Term, h.Vote)
	}
}

func (o *observer) termBeforeEntries(s *server) {
	if end := last(s.disk.log); end.Term > s.disk.hard.Term {
		o.c.broken("C09: on disk of %d, the log ends at %s and the term is %d", s.id, end, s.disk.hard.Term)
	}
}

func (o *observer) vote(voter raft.NodeID, t raft.Term, candidate raft.NodeID) {
	b := ballot{t, voter}
	if was, ok := o.votes[b]; ok && was != candidate {
		o.c.broken("C02: server %d votes in term %d for %d and for %d", voter, t, was, candidate)
	}
	o.votes[b] = candidate
}
