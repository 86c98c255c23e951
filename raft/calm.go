package raft

// Calm says that for the next HeartbeatTicks nothing is due but heartbeats: a
// follower has just heard from its leader, or a leader's followers have all that it
// has, know what is committed, and have just answered. Then ticks may come in
// bunches of up to HeartbeatTicks, each as late as its bunch, and nobody can tell.
// Otherwise they may too, but what they bring comes later: safety depends on no
// tick (C13).
func (c *Core) Calm() bool {
	switch r := c.role.(type) {
	case *follower:
		return r.leaderID != None && 2*r.timer.elapsed <= c.cfg.ElectionTicks
	case *leader:
		return r.calm(c)
	default:
		return false
	}
}

func (l *leader) calm(c *Core) bool {
	if len(l.reads) > 0 || c.commit < c.log.last || l.transfer != nil || len(c.configuration().Promoting) > 0 {
		return false
	}
	for i := range l.progress {
		p := l.progress[i]
		if p.leaving > 0 || p.match < c.log.last || p.commitSent < c.commit || 2*p.silent > c.cfg.ElectionTicks {
			return false
		}
	}
	return true
}
