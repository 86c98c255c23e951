package actors

import (
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"castaway/messages"
)

// campaigning is the behaviour of candidates and precandidates. Nobody is known
// to lead, so requests wait in their bounded inbox, for a while.
func (s *server) campaigning(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *messages.Envelope:
		if s.sentBack(m) {
			return
		}
		s.consensus(m)
	case tick:
		s.consensus(m)
		s.room("an election is under way")
	case wakeup:
		s.room("an election is under way")
	default:
		s.consensus(m)
	}
}

// room is the waiting room: what waits in the inbox for longer than the group's
// patience is refused. Nothing has been done for it.
func (s *server) room(why string) {
	now, patience := s.host.cfg.Clock.Now(), s.cfg.patience()
	failAll(s.board.server.sweep(func(w *waiter) bool {
		if w.remote != nil {
			return true // whoever forwarded it knows better where to go
		}
		if w.since.IsZero() {
			w.since = now
		}
		return now.Sub(w.since) >= patience
	}), s.noLeader(why))
}

func (s *server) noLeader(why string) *Error {
	e := s.fail(ReasonNoLeader, fmt.Sprintf("no leader is known: %s; retry after an election timeout, %v", why, s.cfg.ElectionTimeout()))
	e.RetryAfter = s.cfg.ElectionTimeout()
	return e
}
