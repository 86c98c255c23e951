package actors

import "castaway/raft"

// This file is how a server lives by the ticker, and when it can do with few ticks.

// pass lets the core feel the ticks that have passed.
//
// A leader's are rounded up, by less than HeartbeatTicks, so that its heartbeats
// fall on the pulses that HeartbeatTicks divides, as those of all groups of the host
// do: once after it was elected, and when it was late.
func (s *server) pass(m tick) {
	period := uint64(s.cfg.HeartbeatTicks)
	for range m.count {
		s.tickCore()
	}
	for s.core != nil && s.role.Role == raft.Leader && s.beaten%period != m.number%period {
		s.tickCore()
	}
}

func (s *server) tickCore() {
	if s.core == nil {
		return
	}
	s.beaten++
	s.carryOut(s.core.Tick())
}

// rest says, after each message, whether the server can do with bunches of ticks: the
// core is calm, and no request waits for time to pass. Work ends that at once.
func (s *server) rest(message any) {
	s.patient = false
	switch message.(type) {
	case tick:
		s.ticking.calm.Store(s.calm())
	case heard:
	default:
		s.ticking.calm.Store(false)
	}
}

func (s *server) calm() bool {
	if s.core == nil || !s.core.Calm() || !s.ledger.empty() {
		return false
	}
	proposals, reads := s.board.server.counts()
	return proposals+reads == 0
}
