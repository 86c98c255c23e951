package raft

// Lease reads (T6.4.1) are linearizable without a round of heartbeats, as long as
// clocks keep their bounds; they are off unless Config.LeaseNanos says otherwise, on
// all servers of the group alike.
//
// Whoever hears from a leader helps nobody else into leadership for PromiseNanos,
// whatever else it hears meanwhile: that is its promise. So nobody leads a later term
// before a quorum's promises to the leader have ended. The leader reckons from the
// moment at which a round that a quorum has answered began, which is before all of
// them were made; and LeaseNanos is less than PromiseNanos, by more than clocks may
// differ.
//
//   - Both are measured by real time, which the owner tells (Core.Now): a process that
//     was paused has counted no ticks, and ticks may come in bunches.
//   - A restarted server may have promised, and so keeps a promise from its start on
//     (C32).
//   - The leader's own request for an election (T3.10) asks for promises to be broken.
//     It may arrive at any time later, so a lease that was voided for it stays void for
//     the rest of the term.

// Now tells the real time in nanoseconds from any start, which must not go back. Its
// owner tells it before each input, as read after the input came. Only leases look at
// it, and where they are on, nobody who has promised votes before time passes.
func (c *Core) Now(nanoseconds uint64) {
	if !c.clocked {
		c.clocked, c.promise.from = true, nanoseconds // a restarted server's
	}
	c.now = max(c.now, nanoseconds)
}

// LeaseIndex gives the index that, once applied, makes a read linearizable which came
// before the last reading of Now. It is false where there is no lease, or no entry of
// the leader's term is committed; then Core.ReadIndex has to be asked.
func (c *Core) LeaseIndex() (Index, bool) {
	l, ok := c.role.(*leader)
	if !ok || c.forgotten || c.cfg.LeaseNanos == 0 || c.commit < l.firstIndex {
		return 0, false
	}
	l.renewLease(c)
	return c.commit, l.lease.holds(c.now, c.cfg.LeaseNanos)
}

// promised says whether this server must not help anyone into leadership.
func (c *Core) promised() bool {
	return c.promise.made && c.now-c.promise.from < c.cfg.PromiseNanos
}

// promise is what was last promised to a leader.
type promise struct {
	made bool
	from uint64
}

// makePromise is called when a leader is heard, and at a restart.
func (c *Core) makePromise() {
	if c.cfg.LeaseNanos > 0 {
		c.promise = promise{made: true, from: c.now}
	}
}

// lease is what a leader knows of its own.
type lease struct {
	began []roundStart // rounds that no quorum is known to have answered yet, ascending
	from  uint64       // when the newest round began that a quorum answered
	known bool         // there is one
	void  bool         // for the rest of the term
}

type roundStart struct {
	round uint64
	at    uint64
}

// maxRoundStarts bounds the rounds that are kept for a lease: a round that is left
// out only renews it later.
const maxRoundStarts = 64

func (s *lease) holds(now, length uint64) bool {
	return s.known && !s.void && now-s.from < length
}

// leaseRound notes that a round begins.
func (l *leader) leaseRound(c *Core) {
	if c.cfg.LeaseNanos == 0 {
		return
	}
	l.renewLease(c)
	if len(l.lease.began) < maxRoundStarts {
		l.lease.began = append(l.lease.began, roundStart{round: l.round, at: c.now})
	}
}

// renewLease moves the lease to the newest round that a quorum has answered.
func (l *leader) renewLease(c *Core) {
	answered := l.answeredRound(c)
	n := 0
	for n < len(l.lease.began) && l.lease.began[n].round <= answered {
		l.lease.from, l.lease.known = l.lease.began[n].at, true
		n++
	}
	l.lease.began = append(l.lease.began[:0], l.lease.began[n:]...)
}

// voidLease ends the lease for the rest of the term. It must come before the leader
// asks another server to campaign.
func (l *leader) voidLease() { l.lease.void = true }
