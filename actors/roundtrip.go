package actors

import (
	"time"

	"castaway/raft"
)

// keptRounds is how many of a leader's last rounds of heartbeats are known by when they
// began. Replies to older ones are not measured.
const keptRounds = 16

// rounds is when a leader's rounds of heartbeats went to the transport.
type rounds [keptRounds]struct {
	number uint64
	at     time.Time
}

func (r *rounds) began(number uint64, now time.Time) {
	if one := &r[number%keptRounds]; one.number != number {
		one.number, one.at = number, now
	}
}

// took is how long ago a round began, if it is known.
func (r *rounds) took(number uint64, now time.Time) (time.Duration, bool) {
	one := &r[number%keptRounds]
	return now.Sub(one.at), one.number == number && number != 0
}

// beat takes note of a heartbeat that leaves.
func (s *server) beat(m raft.Message) {
	if h, ok := m.(*raft.Heartbeat); ok && s.host.cfg.OnRoundTrip != nil {
		s.rounds.began(h.Round, s.host.cfg.Clock.Now())
	}
}

// beatBack measures the reply to one of our own.
func (s *server) beatBack(m raft.Message) {
	r, ok := m.(*raft.HeartbeatReply)
	if !ok || s.host.cfg.OnRoundTrip == nil || !s.leads() || r.Term != s.role.Term {
		return
	}
	if in := s.board.configuration.Load(); in == nil || !in.Configuration.IsMember(r.From) {
		return
	}
	if took, known := s.rounds.took(r.Round, s.host.cfg.Clock.Now()); known {
		s.host.cfg.OnRoundTrip(s.cfg.Group, r.From, took)
	}
}
