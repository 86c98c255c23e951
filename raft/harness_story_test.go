package raft_test

import (
	"slices"

	"castaway/raft"
)

// What a story is told with.

// step delivers a message, wherever it came from.
func (c *cluster) step(m raft.Message) {
	c.t.Helper()
	c.note("%s", describe(m))
	if i, ok := m.(*raft.InstallSnapshot); ok && c.servers[i.To].up() {
		c.servers[i.To].disk.publish(i.Snapshot) // before the core is told
	}
	if r, ok := m.(*raft.RequestVoteReply); ok && r.Granted {
		c.observer.vote(r.From, r.Term, r.To) // a story may say what nobody has sent
	}
	c.input(raft.HeaderOf(m).To, func(core *raft.Core) raft.Effects { return core.Step(m) })
}

// arrive delivers a message from the network, unless its link is cut.
func (c *cluster) arrive(e envelope) {
	c.t.Helper()
	if e.seal != "" && e.seal != describe(e.Message) {
		c.broken("a message was changed after it left: %s is now %s", e.seal, describe(e.Message))
	}
	if c.net.cut[linkOf(e.Message)] {
		return
	}
	c.step(e.Message)
}

// deliver delivers the matching messages that are on their way now, and not what
// they give rise to.
func (c *cluster) deliver(match func(m raft.Message) bool) {
	c.t.Helper()
	for _, m := range c.net.takeIf(match) {
		c.arrive(envelope{Message: m})
	}
}

// drop loses the matching messages.
func (c *cluster) drop(match func(m raft.Message) bool) []raft.Message {
	return c.net.takeIf(match)
}

// disks lets every disk that is not manual finish its work, and machines apply.
func (c *cluster) disks() {
	for _, id := range c.ids {
		if !c.options.manual {
			c.sync(id, 1<<30)
		}
		c.acknowledge(id)
		c.apply(id)
		for len(c.servers[id].fetches) > 0 && c.servers[id].up() {
			c.fetch(id, true)
		}
		for len(c.servers[id].requests) > 0 && c.servers[id].up() {
			c.transfer(id, true)
		}
	}
}

// settleBy is settle, with a say in how each message arrives.
func (c *cluster) settleBy(arrive func(e envelope)) {
	c.t.Helper()
	for range 10_000 {
		c.disks()
		if len(c.net.queue) == 0 && !c.busy() {
			return
		}
		for n := len(c.net.queue); n > 0; n-- {
			arrive(c.net.take(0))
		}
	}
	c.broken("the cluster never comes to rest")
}

// settle runs until no message is on its way and no disk has work to do.
func (c *cluster) settle() {
	c.t.Helper()
	c.settleBy(c.arrive)
}

func (c *cluster) busy() bool {
	for _, s := range c.servers {
		if !c.options.manual && len(s.disk.pending) > 0 {
			return true
		}
		if s.up() && (len(s.acks) > 0 || len(s.fetches)+len(s.requests) > 0 || s.reported < s.committed) {
			return true
		}
	}
	return false
}

func (c *cluster) tick(id raft.NodeID, n int) {
	c.t.Helper()
	c.note("%d ticks %d×", id, n)
	for range n {
		c.input(id, (*raft.Core).Tick)
	}
}

// pass lets time pass for everyone: n ticks, and all that follows from each.
func (c *cluster) pass(n int) {
	c.t.Helper()
	for range n {
		c.note("all tick")
		for _, id := range c.ids {
			c.input(id, (*raft.Core).Tick)
		}
		c.settle()
	}
}

// passUntil lets time pass until something holds, for at most n ticks.
func (c *cluster) passUntil(n int, holds func() bool) bool {
	c.t.Helper()
	for range n {
		if holds() {
			return true
		}
		c.pass(1)
	}
	return holds()
}

func (c *cluster) campaign(id raft.NodeID) {
	c.t.Helper()
	c.note("%d campaigns", id)
	c.input(id, (*raft.Core).Campaign)
}

// elect makes a server the leader of everyone that it can reach.
func (c *cluster) elect(id raft.NodeID) {
	c.t.Helper()
	c.campaign(id)
	c.settle()
	if c.role(id) != raft.Leader {
		c.broken("server %d campaigns and becomes %s", id, c.describe(id))
	}
}

// propose hands a server commands; it must accept them.
func (c *cluster) propose(id raft.NodeID, commands ...string) raft.Proposed {
	c.t.Helper()
	p, err := c.tryPropose(id, commands...)
	if err != nil {
		c.broken("server %d refuses %q: %v", id, commands, err)
	}
	return p
}

func (c *cluster) tryPropose(id raft.NodeID, commands ...string) (p raft.Proposed, err error) {
	c.t.Helper()
	proposals := make([]raft.Proposal, len(commands))
	for i, command := range commands {
		proposals[i].Data = []byte(command)
	}
	c.note("%d proposes %q", id, commands)
	c.input(id, func(core *raft.Core) (e raft.Effects) {
		p, e, err = core.Propose(proposals)
		return e
	})
	return p, err
}

// read asks a leader for a linearizable read.
func (c *cluster) read(id raft.NodeID) raft.ReadID {
	c.t.Helper()
	r, err := c.tryRead(id)
	if err != nil {
		c.broken("server %d refuses a read: %v", id, err)
	}
	return r
}

func (c *cluster) tryRead(id raft.NodeID) (r raft.ReadID, err error) {
	c.t.Helper()
	c.reads++
	r = c.reads
	s := c.servers[id]
	c.note("%d is asked to read (%d)", id, r)
	c.observer.read(s, r)
	c.input(id, func(core *raft.Core) (e raft.Effects) {
		e, err = core.ReadIndex(r)
		return e
	})
	if err != nil {
		delete(c.observer.asked, r)
	}
	return r, err
}

// sever cuts links in one direction.
func (c *cluster) sever(from raft.NodeID, to ...raft.NodeID) {
	if c.net.cut == nil {
		c.net.cut = map[link]bool{}
	}
	for _, id := range to {
		if id != from {
			c.net.cut[link{from, id}] = true
		}
	}
}

// isolate cuts a server off from everyone, in both directions.
func (c *cluster) isolate(id raft.NodeID) {
	c.note("%d is isolated", id)
	for _, other := range c.ids {
		c.sever(id, other)
		c.sever(other, id)
	}
}

// split cuts the servers into groups that hear nothing of each other.
func (c *cluster) split(groups ...[]raft.NodeID) {
	for _, g := range groups {
		for _, id := range g {
			for _, other := range c.ids {
				if !slices.Contains(g, other) {
					c.sever(id, other)
				}
			}
		}
	}
}

func (c *cluster) heal() {
	c.note("all links heal")
	c.net.cut = nil
}

func (c *cluster) role(id raft.NodeID) raft.Role {
	if s := c.servers[id]; s.up() {
		return s.core.Role()
	}
	return raft.Follower
}

func (c *cluster) term(id raft.NodeID) raft.Term    { return c.servers[id].core.Term() }
func (c *cluster) commit(id raft.NodeID) raft.Index { return c.servers[id].core.CommitIndex() }
func (c *cluster) log(id raft.NodeID) string        { return logTerms(c.servers[id].disk.view) }

// leader is the one that leads the highest term, and None if nobody leads.
func (c *cluster) leader() raft.NodeID {
	leader, best := raft.None, raft.Term(0)
	for _, id := range c.ids {
		if c.role(id) == raft.Leader && c.term(id) > best {
			leader, best = id, c.term(id)
		}
	}
	return leader
}

// want ends the test unless something holds.
func (c *cluster) want(holds bool, format string, args ...any) {
	c.t.Helper()
	if !holds {
		c.broken(format, args...)
	}
}
