package raft

import (
	"errors"
	"fmt"
)

// TransferResult says how a transfer ended. Without an error this server leads no
// more, and To is the likely leader; who leads shows in Effects.Role.
type TransferResult struct {
	To  NodeID
	Err error
}

// Errors of transfers.
var (
	// ErrTransferee means that nobody can be handed leadership, or not the one named.
	ErrTransferee = errors.New("raft: leadership cannot be transferred there")
	// ErrTransferTimeout means that the target did not take over within an election
	// timeout; this server goes on leading (C14).
	ErrTransferTimeout = errors.New("raft: the transfer took longer than an election timeout")
)

// transfer is leadership on its way: nothing is proposed meanwhile.
type transfer struct {
	to      NodeID
	elapsed int
	asked   bool
}

// TransferLeadership hands leadership to a voter: the one that is named or, for None,
// the one whose log is longest. It is caught up first; meanwhile proposals are refused
// with ErrTransferring. Effects.Transfer says how it ended (C14).
func (c *Core) TransferLeadership(to NodeID) (Effects, error) {
	l, ok := c.role.(*leader)
	if !ok {
		return Effects{}, ErrNotLeader
	}
	if l.transfer != nil {
		return Effects{}, fmt.Errorf("%w: to server %d", ErrTransferring, l.transfer.to)
	}
	if to == None {
		to = l.bestTransferee(c)
	}
	p := l.find(to)
	if p == nil || !contains(c.configuration().Voters, to) {
		return Effects{}, fmt.Errorf("%w: server %d is not another voter", ErrTransferee, to)
	}
	if p.silent >= c.cfg.ElectionTicks {
		return Effects{}, fmt.Errorf("%w: server %d was not heard for an election timeout", ErrTransferee, to)
	}
	c.begin()
	l.transfer = &transfer{to: to}
	l.handOver(c, p)
	l.replicate(c, p)
	return c.finish("transfer", nil), nil
}

// bestTransferee is the voter that was heard and has the most of the log.
func (l *leader) bestTransferee(c *Core) NodeID {
	best, most := None, Index(0)
	for _, p := range l.progress {
		if contains(c.configuration().Voters, p.id) && p.silent < c.cfg.ElectionTicks && (best == None || p.match > most) {
			best, most = p.id, p.match
		}
	}
	return best
}

// handOver asks the target to campaign, once it has all of the log.
func (l *leader) handOver(c *Core, p *progress) {
	t := l.transfer
	if t == nil || t.to != p.id || t.asked || p.match < c.log.last {
		return
	}
	t.asked = true
	l.voidLease()
	c.send(&TimeoutNow{Header: c.to(p.id)})
}

// appointSuccessor spares the others an election timeout when the leader steps down for
// good (T3.10). Where nobody has all of the log, they elect someone by themselves. Who is
// the target of a transfer is not made to compete with another.
func (l *leader) appointSuccessor(c *Core) {
	to := l.bestTransferee(c)
	if t := l.transfer; t != nil {
		if t.asked {
			return
		}
		to = t.to
	}
	if p := l.find(to); p != nil && p.match == c.log.last {
		l.voidLease()
		c.send(&TimeoutNow{Header: c.to(p.id)})
	}
}

// tickTransfer gives up after an election timeout.
func (l *leader) tickTransfer(c *Core) {
	t := l.transfer
	if t == nil {
		return
	}
	if t.elapsed++; t.elapsed >= c.cfg.ElectionTicks {
		l.transfer = nil
		c.out.effects.Transfer = &TransferResult{To: t.to, Err: ErrTransferTimeout}
	}
}

// endTransfer is called when leadership ends.
func (l *leader) endTransfer(c *Core) {
	if l.transfer != nil {
		c.out.effects.Transfer = &TransferResult{To: l.transfer.to}
		l.transfer = nil
	}
}

// timeoutNow is the target's part: it campaigns without asking first, since its leader
// wants it to.
func (f *follower) timeoutNow(c *Core, m *TimeoutNow) {
	if f.leaderID == m.From && c.configuration().isVoter(c.cfg.ID) && c.hard.Term+1 < maxTerm {
		c.campaignFor(true)
	}
}
