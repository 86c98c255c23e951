package raft

// follower is a server that answers, and waits for a leader's word (P5.2).
type follower struct {
	leaderID NodeID // None until the term's leader was heard
	timer    timer
}

func (f *follower) kind() Role          { return Follower }
func (f *follower) leader(*Core) NodeID { return f.leaderID }
func (f *follower) persisted(*Core)     {}

func (f *follower) tick(c *Core) {
	if f.timer.tick() && !c.promised() {
		c.campaign()
	}
}

func (f *follower) step(c *Core, m Message) {
	switch m := m.(type) {
	case *AppendEntries:
		if f.hears(c, m.From) {
			c.appendEntries(m)
		}
	case *Heartbeat:
		if f.hears(c, m.From) {
			c.heartbeat(m)
		}
	case *InstallSnapshot:
		if f.hears(c, m.From) {
			c.installSnapshot(m)
		}
	case *TimeoutNow:
		f.timeoutNow(c, m)
	}
}

// hears notes a leader's word. A term has at most one leader (T3.4), so a second
// one is not believed.
func (f *follower) hears(c *Core, from NodeID) bool {
	if f.leaderID == None {
		f.leaderID = from
	}
	if f.leaderID != from {
		return false
	}
	f.timer.elapsed = 0
	c.makePromise()
	return true
}

// followInstead is what candidates of either kind do when the term turns out to
// have a leader (P5.2).
func (c *Core) followInstead(m Message) {
	c.becomeFollower(c.hard.Term, m.header().From)
	c.role.step(c, m)
}
