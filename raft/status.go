package raft

// Status is a copy of what a Core knows, for people and for metrics.
type Status struct {
	ID            NodeID
	Incarnation   Incarnation
	Role          Role
	HardState     HardState
	Leader        NodeID
	First         Index // the first index that the log still holds
	Last          Position
	Commit        Index
	Applied       Index
	Durable       Index // up to here the own log is known to be on disk
	Configuration Configuration
	// ConfigurationIndex is its place in the log, and ConfigurationCommitted says that
	// it is committed, as far as this server knows.
	ConfigurationIndex     Index
	ConfigurationCommitted bool
	Transferring           NodeID // whom leadership is being handed to; None if nobody
	Uncommitted            int    // bytes beyond Commit, on a leader
	PendingReads           int
	Progress               []ProgressStatus // of the others, on a leader; sorted by ID
}

// ProgressStatus is what a leader knows of one follower.
type ProgressStatus struct {
	ID             NodeID
	State          string // "probe", "replicate", "fetch", "snapshot"
	Match          Index
	Next           Index
	InflightCount  int
	InflightBytes  int
	RecentlyActive bool
	CaughtUp       bool // a learner that could vote
}

// Role is what this server currently is.
func (c *Core) Role() Role { return c.role.kind() }

// Term is the current term.
func (c *Core) Term() Term { return c.hard.Term }

// Leader is the current term's leader; None when unknown.
func (c *Core) Leader() NodeID { return c.role.leader(c) }

// LastIndex is the last index of the log, durable or not.
func (c *Core) LastIndex() Index { return c.log.last }

// CommitIndex is the last index that is committed, as far as this server knows.
func (c *Core) CommitIndex() Index { return c.commit }

// Status is a copy of all that people ask about.
func (c *Core) Status() Status {
	s := Status{
		ID:            c.cfg.ID,
		Incarnation:   c.cfg.Incarnation,
		Role:          c.Role(),
		HardState:     c.hard,
		Leader:        c.Leader(),
		First:         c.log.base.Index + 1,
		Last:          c.log.lastPosition(),
		Commit:        c.commit,
		Applied:       c.applied,
		Durable:       c.disk.durable,
		Configuration: c.configuration().Clone(),
	}
	mark := c.configurationMark()
	s.ConfigurationIndex, s.ConfigurationCommitted = mark.index, mark.committed
	if l, ok := c.role.(*leader); ok {
		if l.transfer != nil {
			s.Transferring = l.transfer.to
		}
		s.Uncommitted = l.uncommitted
		s.PendingReads = len(l.reads)
		for i := range l.progress {
			s.Progress = append(s.Progress, l.progress[i].status(c))
		}
	}
	return s
}
