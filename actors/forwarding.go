package actors

import (
	"fmt"
	"slices"

	"castaway/messages"
	"castaway/raft"
)

// This file is both ends of forwarding. A request is forwarded once at most: who
// gets one and does not lead sends it back, so that nothing goes in circles (C36).

// forwardBatches passes on what waits to the leader.
func (s *server) forwardBatches() {
	l := &s.cfg.Limits
	if s.ticks < s.pauseTill {
		return
	}
	for len(s.ledger.forwarded) < l.MaxForwardBatches {
		ws := s.board.server.takeProposals(l.MaxBatchCommands, l.MaxBatchBytes)
		if ws = s.withoutRemote(ws); len(ws) == 0 {
			break
		}
		s.forward(ws)
	}
	for len(s.ledger.forwardedReads) < l.MaxForwardBatches {
		readers := s.board.server.takeReads(nil)
		if len(readers) == 0 {
			break
		}
		s.forwardReads(readers)
	}
}

func (s *server) withoutRemote(ws []*waiter) []*waiter {
	return slices.DeleteFunc(ws, func(w *waiter) bool {
		if w.remote == nil {
			return false
		}
		w.fail(s.notLeader())
		return true
	})
}

func (s *server) forward(ws []*waiter) {
	first := s.nextID + 1
	s.nextID += uint64(len(ws))
	proposals := make([]*messages.ForwardedProposal, len(ws))
	values := make([]messages.ForwardedProposal, len(ws))
	for i, w := range ws {
		values[i].Id, values[i].Command = first+uint64(i), w.command
		if w.op != nil {
			values[i].Session = w.op.Encode()
		}
		proposals[i] = &values[i]
	}
	s.ledger.forwarded = append(s.ledger.forwarded, forwardBatch{
		leader: s.role.Leader, first: first, left: len(ws), waiters: ws, sent: s.host.cfg.Clock.Now(),
	})
	e := s.envelope(s.role.Leader)
	e.Kind = &messages.Envelope_ForwardProposals{ForwardProposals: &messages.ForwardProposals{
		Incarnation: s.wireLife(s.life), Proposals: proposals,
	}}
	s.send(s.pids.transport, Outbound{Envelopes: []*messages.Envelope{e}})
}

func (s *server) forwardReads(readers []*waiter) {
	now := s.host.cfg.Clock.Now()
	for _, r := range readers {
		if r.since.IsZero() {
			r.since = now
		}
	}
	s.nextID++
	s.ledger.forwardedReads = append(s.ledger.forwardedReads, forwardRead{leader: s.role.Leader, id: s.nextID, readers: readers, sent: now})
	e := s.envelope(s.role.Leader)
	e.Kind = &messages.Envelope_ForwardRead{ForwardRead: &messages.ForwardRead{Incarnation: s.wireLife(s.life), Id: s.nextID}}
	s.send(s.pids.transport, Outbound{Envelopes: []*messages.Envelope{e}})
}

// answered takes the leader's answers; false if e is none.
func (s *server) answered(e *messages.Envelope) bool {
	switch k := e.GetKind().(type) {
	case *messages.Envelope_ForwardProposalsReply:
		if r := k.ForwardProposalsReply; r.GetIncarnation() == s.wireLife(s.life) {
			for _, result := range r.GetResults() {
				s.settleForwarded(raft.NodeID(e.GetFrom()), result)
			}
			s.ledger.forwarded = slices.DeleteFunc(s.ledger.forwarded, func(f forwardBatch) bool { return f.left == 0 })
		}
	case *messages.Envelope_ForwardReadReply:
		if r := k.ForwardReadReply; r.GetIncarnation() == s.wireLife(s.life) {
			s.settleForwardedRead(raft.NodeID(e.GetFrom()), r)
		}
	default:
		return false
	}
	return true
}

func (s *server) settleForwarded(from raft.NodeID, r *messages.ForwardedResult) {
	for i := range s.ledger.forwarded {
		f := &s.ledger.forwarded[i]
		at := r.GetId() - f.first
		if f.leader != from || r.GetId() < f.first || at >= uint64(len(f.waiters)) || f.waiters[at] == nil {
			continue
		}
		w := f.waiters[at]
		f.waiters[at] = nil
		f.left--
		switch r.GetOutcome() {
		case messages.Outcome_OUTCOME_DONE:
			w.result = Result{Index: raft.Index(r.GetIndex()), Term: raft.Term(r.GetTerm()), Value: r.GetValue()}
			if r.GetReason() != 0 {
				w.err = &Error{Group: s.cfg.Group, Reason: Reason(r.GetReason()), Done: true, Leader: from, Detail: r.GetDetail()}
			}
			w.finish()
		case messages.Outcome_OUTCOME_NOT_DONE:
			s.notDoneThere(w, r)
		default:
			err := s.unknown(Reason(r.GetReason()), r.GetDetail())
			err.Leader = from
			w.fail(err)
		}
		return
	}
}

// notDoneThere keeps a command that the other node did not take since it does not
// lead: it waits here for the next leader, and not longer than the patience.
func (s *server) notDoneThere(w *waiter, r *messages.ForwardedResult) {
	reason := Reason(r.GetReason())
	if reason != ReasonNotLeader && reason != ReasonNotReady {
		w.fail(s.fail(reason, r.GetDetail()))
		return
	}
	now := s.host.cfg.Clock.Now()
	if w.since.IsZero() {
		w.since = now
	}
	s.pauseTill = s.ticks + s.cfg.HeartbeatTicks
	if now.Sub(w.since) >= s.cfg.patience() {
		w.fail(s.noLeader("the node that was believed to lead does not"))
		return
	}
	s.board.server.returnProposals([]*waiter{w})
}

func (s *server) settleForwardedRead(from raft.NodeID, r *messages.ForwardReadReply) {
	f, ok := s.ledger.takeForwardedRead(from, r.GetId())
	if !ok {
		return
	}
	if r.GetIndex() != 0 {
		s.fresh.note(raft.Index(r.GetIndex()), f.sent)
		s.giveReads(raft.Index(r.GetIndex()), f.readers)
		return
	}
	s.pauseTill = s.ticks + s.cfg.HeartbeatTicks
	s.readLater(f.readers)
}

// readLater returns reads to the inbox, but for those that have waited enough.
func (s *server) readLater(readers []*waiter) {
	now := s.host.cfg.Clock.Now()
	again := make([]*waiter, 0, len(readers))
	for _, r := range readers {
		if now.Sub(r.since) >= s.cfg.patience() {
			r.fail(s.noLeader("the leader did not confirm the read"))
			continue
		}
		again = append(again, r)
	}
	s.board.server.returnReads(again)
}

// overdue settles what the leader should have answered long since: the messages
// were lost, or the leader is stuck.
func (s *server) overdue() {
	now, patience := s.host.cfg.Clock.Now(), s.cfg.patience()
	for len(s.ledger.forwarded) > 0 && now.Sub(s.ledger.forwarded[0].sent) >= patience {
		f := s.ledger.forwarded[0]
		s.ledger.forwarded = slices.Delete(s.ledger.forwarded, 0, 1)
		err := s.unknown(ReasonDeadline, fmt.Sprintf("the command was passed on to the leader, node %d, which did not answer within %v; read to find out what became of it", f.leader, patience))
		err.Leader = f.leader
		f.fail(err)
	}
	for len(s.ledger.forwardedReads) > 0 && now.Sub(s.ledger.forwardedReads[0].sent) >= patience/2 {
		f := s.ledger.forwardedReads[0]
		s.ledger.forwardedReads = slices.Delete(s.ledger.forwardedReads, 0, 1)
		s.readLater(f.readers)
	}
}

// asked takes a follower's requests in, on a leader; false if e is none.
func (s *server) asked(e *messages.Envelope) bool {
	switch k := e.GetKind().(type) {
	case *messages.Envelope_ForwardProposals:
		s.accept(raft.NodeID(e.GetFrom()), k.ForwardProposals)
	case *messages.Envelope_ForwardRead:
		if len(s.ledger.askedHere) < s.cfg.Limits.MaxQueuedReads {
			s.ledger.askedHere = append(s.ledger.askedHere, askedBy(e, k.ForwardRead))
		}
	default:
		return false
	}
	return true
}

func askedBy(e *messages.Envelope, r *messages.ForwardRead) remoteRead {
	return remoteRead{from: raft.NodeID(e.GetFrom()), incarnation: r.GetIncarnation(), id: r.GetId()}
}

func (s *server) accept(from raft.NodeID, m *messages.ForwardProposals) {
	ws := s.guests(from, m)
	for _, w := range ws {
		switch limit := s.cfg.Limits.MaxEntryBytes; {
		case w.op != nil && w.op.Kind == 0:
			w.take()
			w.fail(s.fail(ReasonSessionMalformed, "the leader can't read what the session is to do"))
		case w.data() > limit:
			w.take()
			w.fail(s.fail(ReasonTooLarge, fmt.Sprintf("the command has %d bytes, more than the leader's MaxEntryBytes = %d", w.data(), limit)))
		default:
			if err := s.board.server.pushProposals(w); err != nil {
				w.take()
				w.fail(err)
			}
		}
	}
}

// guests makes waiters for a follower's commands.
func (s *server) guests(from raft.NodeID, m *messages.ForwardProposals) []*waiter {
	batch := &forwardedBatch{board: s.board, from: from, incarnation: m.GetIncarnation(), left: len(m.GetProposals())}
	ws := make([]*waiter, 0, len(m.GetProposals()))
	for _, p := range m.GetProposals() {
		w := newWaiter()
		w.command, w.id, w.remote = p.GetCommand(), p.GetId(), batch
		if session := p.GetSession(); len(session) > 0 {
			op, err := raft.DecodeSessionOp(session)
			if err != nil {
				op.Kind = 0 // which accept refuses
			}
			w.op = &op
		}
		ws = append(ws, w)
	}
	return ws
}

// sentBack refuses a follower's requests, on whoever does not lead; false if e is
// none.
func (s *server) sentBack(e *messages.Envelope) bool {
	switch k := e.GetKind().(type) {
	case *messages.Envelope_ForwardProposals:
		for _, w := range s.guests(raft.NodeID(e.GetFrom()), k.ForwardProposals) {
			w.take()
			w.fail(s.notLeader())
		}
	case *messages.Envelope_ForwardRead:
		s.refuseReads([]remoteRead{askedBy(e, k.ForwardRead)})
	default:
		return false
	}
	return true
}
