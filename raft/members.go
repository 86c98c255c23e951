package raft

import "slices"

// appendConfiguration makes next the configuration in force, and sends it.
func (l *leader) appendConfiguration(c *Core, next Configuration) {
	entries := c.log.blank(1)
	entries[0] = Entry{Kind: EntryConfiguration, Data: next.Encode()}
	l.append(c, entries)
	c.configurations.append(c.log.slice(c.log.last, c.log.last))
	l.follow(c)
	l.replicateAll(c)
}

// follow makes the leader's progress that of the members. Who is removed still gets
// the log for a while, so that it learns of it; nobody counts it.
func (l *leader) follow(c *Core) {
	cfg := c.configuration()
	cfg.eachMember(func(id NodeID) {
		if id != c.cfg.ID && l.find(id) == nil {
			l.progress = append(l.progress, &progress{id: id, next: c.log.last + 1})
		}
	})
	slices.SortFunc(l.progress, func(a, b *progress) int { return compareIDs(a.id, b.id) })
	for _, p := range l.progress {
		switch {
		case cfg.isMember(p.id):
			p.leaving = 0
		case p.leaving == 0:
			p.leaving = leavingTimeouts * c.cfg.ElectionTicks
		}
	}
}

// leavingTimeouts is for how many election timeouts a removed server is told of its
// removal.
const leavingTimeouts = 10

// dismiss lets the removed ones go that know of it, or have had their time.
func (l *leader) dismiss(c *Core) {
	at := c.configurations[len(c.configurations)-1].index
	l.progress = slices.DeleteFunc(l.progress, func(p *progress) bool {
		if p.leaving == 0 {
			return false
		}
		p.leaving--
		return p.leaving == 0 || (at <= c.commit && p.match >= at && p.toldCommit >= at)
	})
}

// settleConfiguration is what a leader does once the configuration in force is
// committed: it leaves a joint one (C22), and steps down where it has no vote any
// more, having told the others what is committed and one of them to take over (C20, T4.2.2).
func (l *leader) settleConfiguration(c *Core) {
	cfg := c.configuration()
	if c.configurations[len(c.configurations)-1].index > c.commit || c.commit < l.firstIndex {
		return
	}
	if cfg.Joint() {
		l.appendConfiguration(c, cfg.left())
		return
	}
	if !cfg.isVoter(c.cfg.ID) {
		l.announceCommit(c)
		l.appointSuccessor(c)
		c.becomeFollower(c.hard.Term, None)
	}
}

// catchUp follows the rounds in which learners come closer (T4.2.1): a round is over
// when all is there that was in the log when it began. One that took less than an
// election timeout shows that the learner is close.
func (l *leader) catchUp(c *Core) {
	cfg := c.configuration()
	for _, p := range l.progress {
		if !contains(cfg.Learners, p.id) {
			continue
		}
		p.notePace(c)
		p.roundTicks++
		if p.roundTarget == 0 || p.match < p.roundTarget {
			if p.roundTarget == 0 {
				p.roundTarget, p.roundTicks = c.log.last, 0
			}
			continue
		}
		p.close = p.roundTicks < c.cfg.ElectionTicks
		if p.rounds++; p.close {
			p.rounds = 0
		}
		p.roundTarget, p.roundTicks = c.log.last, 0
	}
	if l.mayChange(c, 0) != nil {
		return
	}
	var changes []Change
	var gaveUp []NodeID
	for _, id := range cfg.Promoting {
		switch p := l.find(id); {
		case p == nil:
		case p.caughtUp(c):
			changes = append(changes, Change{Kind: ChangePromote, ID: id})
		case p.rounds >= c.cfg.catchUpRounds() || p.idle >= c.cfg.catchUpTicks():
			changes = append(changes, Change{Kind: ChangeRemove, ID: id})
			gaveUp = append(gaveUp, id)
		}
	}
	if len(changes) == 0 {
		return
	}
	next, err := cfg.changed(changes)
	if err == nil && l.bearable(c, &next, changes) == nil {
		l.appendConfiguration(c, next)
		c.out.effects.GaveUp = gaveUp
	}
}

// caughtUp says whether a learner is close enough to vote: its last round was quick,
// and it is heard.
func (p *progress) caughtUp(c *Core) bool {
	return p.close && p.state == replicate && p.silent < c.cfg.ElectionTicks
}

// notePace counts for how long a learner has come no closer.
func (p *progress) notePace(c *Core) {
	switch {
	case p.match > p.idleMatch || p.caughtUp(c):
		p.idle, p.idleMatch = 0, p.match
	case p.state == snapshot && p.paused && p.silent < c.cfg.ElectionTicks:
		// It is being sent one, which takes what it takes; only what it has then counts.
	default:
		p.idle++
	}
}

// What CatchUpRounds and CatchUpTicks are if they are zero.
const (
	defaultCatchUpRounds = 10
	defaultCatchUpTicks  = 45_000
)

func (cfg *Config) catchUpTicks() int {
	if cfg.CatchUpTicks == 0 {
		return defaultCatchUpTicks
	}
	return cfg.CatchUpTicks
}

func (cfg *Config) catchUpRounds() int {
	if cfg.CatchUpRounds == 0 {
		return defaultCatchUpRounds
	}
	return cfg.CatchUpRounds
}

// configurationState is the configuration in force.
func (c *Core) configurationState() ConfigurationState {
	at := &c.configurations[len(c.configurations)-1]
	return ConfigurationState{Index: at.index, Configuration: at.configuration.Clone(), Committed: at.index <= c.commit}
}

// emitConfiguration tells of a configuration that is new in force, or newly committed,
// and of this server's removal, which no later configuration can undo.
func (c *Core) emitConfiguration() {
	at := &c.configurations[len(c.configurations)-1]
	now := configurationMark{index: at.index, term: c.configurationTerm(at.index), committed: at.index <= c.commit}
	if now == c.before.configuration {
		return
	}
	state := c.configurationState()
	c.out.effects.Configuration = &state
	if now.committed && !c.removed && !at.configuration.isMember(c.cfg.ID) && at.configuration.Removed(c.cfg.ID) {
		c.removed = true
		c.out.effects.Removed = &Removed{Index: at.index, Term: c.hard.Term}
	}
}

// configurationMark tells configurations apart: after a truncation another may be at
// the same index, of another term.
type configurationMark struct {
	index     Index
	term      Term
	committed bool
}

func (c *Core) configurationTerm(i Index) Term {
	term, _ := c.log.term(i) // zero below the log's start, where nothing changes
	return term
}

func (c *Core) configurationMark() configurationMark {
	at := c.configurations[len(c.configurations)-1].index
	return configurationMark{index: at, term: c.configurationTerm(at), committed: at <= c.commit}
}
