package actors

import "fmt"

// This file is lease reads (T6.4.1; see raft.Core.LeaseIndex): while clocks keep their
// bound, a leader answers linearizable reads without asking anyone.

// DefaultMaxClockDriftPercent is far more than the clocks of machines differ by; what it
// has to cover is machines that are paused, migrated or corrected while they run.
const DefaultMaxClockDriftPercent = 10

const maxClockDriftPercent = 50

func (c *GroupConfig) validateLeases() error {
	if c.MaxClockDriftPercent == 0 {
		c.MaxClockDriftPercent = DefaultMaxClockDriftPercent
	}
	if d := c.MaxClockDriftPercent; d < 1 || d > maxClockDriftPercent {
		return invalid("GroupConfig.MaxClockDriftPercent", d, fmt.Sprintf("from 1 to %d, or 0 for %d", maxClockDriftPercent, DefaultMaxClockDriftPercent))
	}
	return nil
}

// leases gives for how long a leader may rest on those who answered it, and for how long
// they promise to help nobody else; zero without leases. The one is less than the other by
// as much as the slowest clock and the fastest may differ.
func (c *GroupConfig) leases() (leaseNanos, promiseNanos uint64) {
	if !c.LeaseReads {
		return 0, 0
	}
	promise := uint64(c.ElectionTicks) * uint64(c.TickInterval.Nanoseconds())
	drift := uint64(c.MaxClockDriftPercent)
	return promise * (100 - drift) / (100 + drift), promise
}

// tellTime tells the core what time it is. It comes before each of its inputs, and once
// more when reads have been taken in hand, which may have come since.
func (s *server) tellTime() {
	if s.core != nil && s.cfg.LeaseReads {
		s.core.Now(uint64(max(0, s.host.cfg.Clock.Now().Sub(s.host.started)))) //nolint:gosec // not negative
	}
}

// byLease answers reads from the leader's lease, if it has one.
func (s *server) byLease(batch readBatch) bool {
	if !s.cfg.LeaseReads {
		return false
	}
	s.tellTime()
	index, ok := s.core.LeaseIndex()
	if ok {
		s.answerBatch(batch, index)
	}
	return ok
}
