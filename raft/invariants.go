package raft

import "fmt"

// invariant panics if what must always be true is not. No message, however
// hostile, may bring that about: it means that the core itself, or what its owner
// restored it from, is broken, and that going on could lose data.
func invariant(ok bool, format string, args ...any) {
	if !ok {
		panic("raft: broken invariant: " + fmt.Sprintf(format, args...))
	}
}

// checkInvariants runs after every input. It compares plain numbers only, and so
// costs next to nothing.
func (c *Core) checkInvariants() {
	b := &c.before
	if c.hard.Term < b.hard.Term {
		invariant(false, "term went from %d back to %d", b.hard.Term, c.hard.Term)
	}
	if c.hard.Term == b.hard.Term && b.hard.Vote != None && c.hard.Vote != b.hard.Vote {
		invariant(false, "vote in term %d went from %d to %d", c.hard.Term, b.hard.Vote, c.hard.Vote)
	}
	if c.commit < b.commit {
		invariant(false, "commit index went from %d back to %d", b.commit, c.commit)
	}
	if c.log.base.Index > c.applied || c.applied > c.emitted || c.emitted > c.commit || c.commit > c.log.last {
		invariant(false, "base %d <= applied %d <= emitted %d <= commit %d <= last %d",
			c.log.base.Index, c.applied, c.emitted, c.commit, c.log.last)
	}
	if c.disk.durable > c.log.last {
		invariant(false, "durable %d <= last %d", c.disk.durable, c.log.last)
	}
	if c.log.lastTerm() > c.hard.Term {
		invariant(false, "the log's last term %d is above the current term %d", c.log.lastTerm(), c.hard.Term)
	}
	if l, ok := c.role.(*leader); ok {
		l.checkInvariants(c)
	}
}

func (l *leader) checkInvariants(c *Core) {
	if l.firstIndex > c.log.last {
		invariant(false, "a leader's log lost entries of its own term: last %d, first of the term %d", c.log.last, l.firstIndex)
	}
	for i := range l.progress {
		p := l.progress[i]
		if p.match >= p.next || p.next > c.log.last+1 {
			invariant(false, "server %d: match %d < next %d <= last+1 %d", p.id, p.match, p.next, c.log.last+1)
		}
		if p.state != snapshot && p.next <= c.log.base.Index {
			invariant(false, "server %d: next %d, where the log starts after %d", p.id, p.next, c.log.base.Index)
		}
	}
}
