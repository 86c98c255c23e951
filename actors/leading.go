package actors

import (
	"github.com/asynkron/protoactor-go/actor"

	"castaway/messages"
	"castaway/raft"
)

// leading is the leader's behaviour: it proposes what clients send, its own and
// those of followers, and confirms reads.
func (s *server) leading(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *messages.Envelope:
		if !s.asked(m) {
			s.consensus(m)
		}
	default:
		s.consensus(m)
	}
	s.lead()
}

// lead does what there is room for. It is called after every message, since any of
// them can have made room: a sync, a commit, an applied index.
func (s *server) lead() {
	if s.leads() {
		s.proposeBatches()
	}
	if s.leads() {
		s.askReads()
	}
}

func (s *server) leads() bool { return s.core != nil && s.role.Role == raft.Leader }

// stopLeading answers those whose commands were proposed in the term that is
// over. Nothing about the own log proves that an entry won't be committed: even
// one that was overwritten here can come back with a later leader that holds it.
// So their outcome is unknown (C28). What was not yet proposed waits for the next
// leader.
func (s *server) stopLeading(rc raft.RoleChange) {
	err := s.unknown(ReasonLeadershipLost, "this node lost its leadership before the command was known to be committed; read to find out what became of it")
	err.Leader = rc.Leader
	pending := s.ledger.pending
	s.ledger.pending = nil
	for _, p := range pending {
		failAll(p.waiters, err)
	}
	s.ledger.abandonChanges(err)
	s.transferring = false
	s.unsynced = s.unsynced[:0]
	s.send(s.pids.group, abandonSnapshots{})
	reads := s.ledger.reads
	s.ledger.reads = nil
	for _, r := range reads {
		s.readAgain(r)
	}
	asked := s.ledger.askedHere
	s.ledger.askedHere = nil
	s.refuseReads(asked)
	failAll(s.board.server.sweep(func(w *waiter) bool { return w.remote != nil }), s.notLeader())
}

func (s *server) notLeader() *Error {
	e := s.fail(ReasonNotLeader, "this node does not lead the group")
	e.Leader = s.role.Leader
	return e
}
