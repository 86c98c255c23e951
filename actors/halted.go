package actors

import (
	"github.com/asynkron/protoactor-go/actor"

	"castaway/raft"
)

// halt stops the group on this node for good: it neither votes nor acknowledges,
// so that the others go on without it.
func (s *server) halt(why string) {
	s.core, s.unsynced, s.role = nil, nil, raft.RoleChange{}
	s.board.halt(why)
	s.behave("halted", s.halting)
	s.ledger.abandon(s.board, s.goodbye(true))
	s.send(s.pids.machine, wakeup{}) // it has to answer who waits there
	s.refuseAll()
}

// halting answers clients with the reason, and nobody else.
func (s *server) halting(ctx actor.Context) {
	switch ctx.Message().(type) {
	case wakeup, tick:
		s.refuseAll()
	}
}

func (s *server) refuseAll() {
	failAll(s.board.server.sweep(func(*waiter) bool { return true }), s.goodbye(false))
}
