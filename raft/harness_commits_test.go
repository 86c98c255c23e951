package raft_test

import (
	"bytes"

	"castaway/raft"
)

// leaving checks a message at the moment it leaves its server: everything that it
// rests on must be durable by then (C08).
func (o *observer) leaving(s *server, m raft.Message) {
	h := raft.HeaderOf(m)
	if h.From != s.id || h.To == s.id || h.To == raft.None {
		o.c.broken("server %d sends a message from %d to %d", s.id, h.From, h.To)
	}
	d := s.disk
	switch m := m.(type) {
	case *raft.RequestPreVote:
		return // names a term that nobody has (T9.6)
	case *raft.RequestPreVoteReply:
		if m.Granted {
			return
		}
	case *raft.RequestVoteReply:
		if m.Granted {
			if d.hard.Term < h.Term || (d.hard.Term == h.Term && d.hard.Vote != h.To) {
				o.c.broken("C08: %s leaves; on disk is %+v", describe(m), d.hard)
			}
			o.vote(s.id, h.Term, h.To)
		}
	case *raft.AppendEntriesReply:
		if m.Success {
			o.promised(s, m)
		}
	case *raft.AppendEntries:
		for _, e := range m.Entries {
			if e.Term > h.Term {
				o.c.broken("%s carries an entry of a later term", describe(m))
			}
		}
		if int(m.Commit) > len(o.commits) {
			o.c.broken("%s names a commit index that is not committed", describe(m))
		}
	case *raft.Heartbeat:
		held := int(m.Commit) <= len(o.c.servers[h.To].disk.log) || o.c.options.forgetful
		if int(m.Commit) > len(o.commits) || !held {
			o.c.broken("%s names a commit index that its receiver does not hold", describe(m))
		}
	}
	if d.hard.Term < h.Term {
		o.c.broken("C08: %s leaves; the term on disk is %d", describe(m), d.hard.Term)
	}
	o.terms[s.id] = max(o.terms[s.id], h.Term)
}

// promised checks that a follower has, durably, what it says it has, and that it
// equals the leader's.
func (o *observer) promised(s *server, m *raft.AppendEntriesReply) {
	if int(m.Match) > len(s.disk.log) {
		o.c.broken("C08: %s leaves; its durable log ends at %s", describe(m), last(s.disk.log))
	}
	leader := o.c.servers[m.To]
	if leader == nil || !leader.up() || leader.core.Role() != raft.Leader || leader.core.Term() != m.Term {
		return
	}
	if here, there := term(s.disk.log, m.Match), term(leader.disk.view, m.Match); here != there {
		o.c.broken("%s leaves; entry %d has term %d here and %d on the leader", describe(m), m.Match, here, there)
	}
}

// committed checks what a server hands its machine.
func (o *observer) committed(s *server, span raft.Span) {
	if span.First != s.committed+1 || span.Last < span.First {
		o.c.broken("server %d hands over [%d, %d] after %d", s.id, span.First, span.Last, s.committed)
	}
	entries := span.Entries
	if entries == nil {
		if int(span.Last) > len(s.disk.log) {
			o.c.broken("server %d refers its machine to entry %d, which is not durable", s.id, span.Last)
		}
		entries = s.disk.log[span.First-1 : span.Last]
	}
	if len(entries) != int(span.Last-span.First)+1 {
		o.c.broken("server %d hands over %d entries for [%d, %d]", s.id, len(entries), span.First, span.Last)
	}
	for i, e := range entries {
		o.applies(s, span.First+raft.Index(i), e)
	}
}

// applies checks State Machine Safety: at one index, all servers apply one entry.
func (o *observer) applies(s *server, i raft.Index, e raft.Entry) {
	if e.Index != i {
		o.c.broken("server %d hands over entry %d as %d", s.id, e.Index, i)
	}
	if int(i) > len(o.commits) {
		o.c.broken("server %d applies entry %d, which no leader has committed", s.id, i)
		return
	}
	if was := o.commits[i-1]; was.Term != e.Term || was.Kind != e.Kind || !bytes.Equal(was.Data, e.Data) {
		o.c.broken("State Machine Safety: at %d, server %d applies %q of term %d; %q of term %d was applied before",
			i, s.id, e.Data, e.Term, was.Data, was.Term)
	}
}

// decided checks that a leader's new commit index is one: the entry is of its own
// term (C05) and durable on a majority of disks (C38), be their servers up or not.
// Later leaders that already exist must have it, too.
func (o *observer) decided(s *server) {
	i := s.last.After.Commit
	led := s.last.After.Role == raft.Leader || s.last.Before.Role == raft.Leader // one that removes itself steps down with it
	if !led || i == s.last.Before.Commit {
		return
	}
	t := term(s.disk.view, i)
	if t != s.core.Term() {
		o.c.broken("C05: leader %d of term %d commits entry %d of term %d by counting", s.id, s.core.Term(), i, t)
	}
	cfg := s.core.Status().Configuration // the one in force may be newer than the entry's, by one step
	for _, voters := range [][]raft.NodeID{cfg.Voters, cfg.OldVoters} {
		have := 0
		for _, id := range voters {
			if term(o.c.servers[id].disk.log, i) == t {
				have++
			}
		}
		if len(voters) > 0 && 2*have <= len(voters) {
			o.c.broken("C38: leader %d commits entry %d, which is durable on %d servers", s.id, i, have)
		}
	}
	if int(i) > len(o.commits) {
		o.commits = append(o.commits, s.disk.view[len(o.commits):i]...)
	}
	for _, id := range o.c.ids {
		if other := o.c.servers[id]; o.c.role(id) == raft.Leader && other.core.Term() > t {
			o.complete(other, int(i))
		}
	}
}

// read notes that a read was asked for.
func (o *observer) read(s *server, id raft.ReadID) {
	o.asked[id] = question{of: s.id, floor: raft.Index(len(o.commits))}
}

// answered checks that a read sees everything that was committed when it was
// asked (C30), once.
func (o *observer) answered(s *server, r raft.ReadState) {
	q, ok := o.asked[r.ID]
	if !ok || q.of != s.id {
		o.c.broken("server %d answers read %d, which is not open", s.id, r.ID)
	}
	if r.Index < q.floor {
		o.c.broken("C30: read %d is answered at %d; %d was committed when it was asked", r.ID, r.Index, q.floor)
	}
	delete(o.asked, r.ID)
}

func (o *observer) abortedRead(s *server, id raft.ReadID) {
	if q, ok := o.asked[id]; !ok || q.of != s.id {
		o.c.broken("server %d aborts read %d, which is not open", s.id, id)
	}
	delete(o.asked, id)
}
