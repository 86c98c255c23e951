package raft

import "fmt"

// pendingRead waits for a quorum to answer round: that round began after the read
// was asked for, so no other leader can have committed anything before it (T6.4).
type pendingRead struct {
	id    ReadID
	index Index
	round uint64
}

// admitRead says whether a read may be asked for. Until an entry of its own term is
// committed a leader does not know what is committed (T6.4).
func (l *leader) admitRead(c *Core) error {
	if c.commit < l.firstIndex {
		return ErrNotReady
	}
	if len(l.reads) >= c.cfg.MaxPendingReads {
		return fmt.Errorf("%w: %d are waiting", ErrTooManyReads, len(l.reads))
	}
	return nil
}

// read notes the commit index and waits for the next round, which begins at once
// unless others wait for the round under way: then all that come meanwhile share the
// one after.
func (l *leader) read(c *Core, id ReadID) {
	underWay := len(l.reads) > 0 && l.reads[0].round <= l.round
	l.reads = append(l.reads, pendingRead{id: id, index: c.commit, round: l.round + 1})
	if !underWay {
		l.beginRound(c)
		l.confirmReads(c)
	}
}

// beginRound sends heartbeats that are told from all earlier ones (C31).
func (l *leader) beginRound(c *Core) {
	l.round++
	l.leaseRound(c)
	c.expectToSend(len(l.progress))
	for i := range l.progress {
		p := l.progress[i]
		commit := min(p.match, c.commit)
		p.commitSent = max(p.commitSent, commit)
		p.roundTold = commit
		c.send(&Heartbeat{Header: c.to(p.id), Commit: commit, Round: l.round})
	}
}

func (l *leader) heartbeatReply(c *Core, p *progress, m *HeartbeatReply) {
	if m.Round > l.round {
		return // never asked
	}
	if m.Round > p.round {
		p.round = m.Round
		if m.Round == l.round {
			p.toldCommit = p.roundTold
		}
		l.confirmReads(c)
	}
	l.checkLoss(c, p)
}

// confirmReads releases the reads whose round, or a later one, a quorum has
// answered, and begins the round that the others wait for.
func (l *leader) confirmReads(c *Core) {
	if len(l.reads) == 0 {
		return
	}
	confirmed := l.answeredRound(c)
	n := 0
	for n < len(l.reads) && l.reads[n].round <= confirmed {
		c.out.effects.Reads = append(c.out.effects.Reads, ReadState{ID: l.reads[n].id, Index: l.reads[n].index})
		n++
	}
	l.reads = append(l.reads[:0], l.reads[n:]...)
	if len(l.reads) > 0 && l.reads[0].round > l.round {
		l.beginRound(c)
	}
}

// answeredRound is the newest round that a quorum has answered.
func (l *leader) answeredRound(c *Core) uint64 {
	return c.configuration().quorumValue(func(id NodeID) uint64 {
		if id == c.cfg.ID {
			return l.round
		}
		if p := l.find(id); p != nil {
			return p.round
		}
		return 0
	})
}

// abortReads gives up on all of them when leadership ends.
func (l *leader) abortReads(c *Core) {
	for _, r := range l.reads {
		c.out.effects.Aborted = append(c.out.effects.Aborted, r.id)
	}
	l.reads = nil
}
