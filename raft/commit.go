package raft

// advanceCommit commits what a quorum holds durably. Replicas are counted only for
// entries of the current term; those before are committed with them (P5.4.2,
// Figure 8). The leader counts itself like anyone else: as far as its own log is
// durable, which may be behind the others' (T10.2.1).
func (l *leader) advanceCommit(c *Core) {
	index := Index(c.configuration().quorumValue(func(id NodeID) uint64 {
		if id == c.cfg.ID {
			return uint64(c.disk.durable)
		}
		if p := l.find(id); p != nil {
			return uint64(p.match)
		}
		return 0
	}))
	if index <= c.commit || index < l.firstIndex {
		return
	}
	committed := c.log.slice(max(c.commit+1, l.firstIndex), index)
	l.uncommitted -= sizeOf(committed)
	c.commit = index
	l.settleConfiguration(c)
}

// announceCommit tells the followers a commit index that nothing else has told them
// for a tick: under load the entries that follow carry it, and without load it costs
// one message.
func (l *leader) announceCommit(c *Core) {
	for i := range l.progress {
		p := l.progress[i]
		if p.state == replicate && p.commitSent < min(c.commit, p.next-1) {
			l.ask(c, p)
		}
	}
}

// commitTo is a follower's commit index: what the leader has committed, as far as
// this log is known to equal the leader's (P5.3).
func (c *Core) commitTo(index Index) { c.commit = max(c.commit, index) }
