package actors

import (
	"github.com/asynkron/protoactor-go/actor"

	"castaway/messages"
	"castaway/raft"
)

// following is the follower's behaviour: clients' requests go on to the leader, in
// batches; while none is known, they wait.
func (s *server) following(ctx actor.Context) {
	m := ctx.Message()
	if e, ok := m.(*messages.Envelope); !ok || !s.sentBack(e) {
		s.consensus(m)
	}
	if s.core == nil || s.role.Role != raft.Follower {
		return
	}
	_, ticked := m.(tick)
	if ticked {
		// A leader that has gone silent may be none any more: who waits behind it is to
		// have the next one, and not to be refused.
		s.board.server.flow(s.core.Calm())
		s.overdue()
	}
	if s.role.Leader != raft.None {
		s.forwardBatches()
		return
	}
	if _, woken := m.(wakeup); woken || ticked {
		s.room("no leader was heard yet in this term")
	}
}

// leaderChanged settles what is with a leader that is none any more. Proposals may
// have been done there; reads are asked for again.
func (s *server) leaderChanged(rc raft.RoleChange) {
	s.pauseTill = 0
	err := s.unknown(ReasonLeadershipLost, "the leader changed after the command was passed on to it; read to find out what became of it")
	err.Leader = rc.Leader
	s.giveUpForwarded(func(leader raft.NodeID) bool { return leader != rc.Leader }, err)
}

// giveUpForwarded settles what is with the leaders that lost picks.
func (s *server) giveUpForwarded(lost func(raft.NodeID) bool, err *Error) {
	forwarded := s.ledger.forwarded
	s.ledger.forwarded = nil
	for _, f := range forwarded {
		if !lost(f.leader) {
			s.ledger.forwarded = append(s.ledger.forwarded, f)
			continue
		}
		f.fail(err)
	}
	reads := s.ledger.forwardedReads
	s.ledger.forwardedReads = nil
	for _, r := range reads {
		if !lost(r.leader) {
			s.ledger.forwardedReads = append(s.ledger.forwardedReads, r)
			continue
		}
		s.board.server.returnReads(r.readers)
	}
}

func (f *forwardBatch) fail(err *Error) {
	for _, w := range f.waiters {
		if w != nil {
			w.fail(err)
		}
	}
}
