package actors

import (
	"castaway/messages"
	"castaway/raft"
)

// This file is how a linearizable read finds its index (T6.4): the leader notes
// its commit index and has its leadership confirmed by a round of heartbeats that
// began after the read, unless it holds a lease (leases.go); a follower asks the
// leader for such an index. The machine of the node where the read came in answers it
// once it has applied that far.

// askReads asks the core for as many confirmations as may be under way; reads that
// come meanwhile gather for the next. With a lease it takes what is there once: what
// comes meanwhile wakes the server again, and ticks have their turn before that.
func (s *server) askReads() {
	for s.leads() && len(s.ledger.reads) < s.cfg.Limits.MaxReadBatches {
		batch := readBatch{readers: s.board.server.takeReads(nil), remote: s.ledger.askedHere}
		if len(batch.readers) == 0 && len(batch.remote) == 0 {
			return
		}
		s.nextRead++
		batch.id, batch.asked = s.nextRead, s.host.cfg.Clock.Now()
		s.ledger.askedHere = nil
		if s.byLease(batch) {
			return
		}
		s.ledger.reads = append(s.ledger.reads, batch)
		effects, err := s.core.ReadIndex(batch.id)
		if err != nil {
			// Not ready: a leader that has not yet committed in its term cannot
			// answer. The reads wait here until it has, or has lost its leadership.
			s.ledger.takeRead(batch.id)
			s.board.server.returnReads(batch.readers)
			s.ledger.askedHere = batch.remote
			return
		}
		s.carryOut(effects)
	}
}

// confirmed passes reads on that may be answered once their index is applied.
func (s *server) confirmed(states []raft.ReadState) {
	for _, state := range states {
		if batch, ok := s.ledger.takeRead(state.ID); ok {
			s.answerBatch(batch, state.Index)
		}
	}
}

// answerBatch lets reads be answered once index is applied, where they came in.
func (s *server) answerBatch(batch readBatch, index raft.Index) {
	s.fresh.note(index, batch.asked)
	s.giveReads(index, batch.readers)
	s.answerReads(batch.remote, index)
}

func (s *server) giveReads(index raft.Index, readers []*waiter) {
	if len(readers) == 0 {
		return
	}
	if limit := s.cfg.Limits.MaxQueuedReads; s.machine.reads.Load() >= int64(limit) {
		failAll(readers, overloaded(s.cfg.Group, "MaxQueuedReads", limit))
		return
	}
	w := &work{index: index, readers: readers}
	if !s.machine.give(w) {
		w.fail(s.goodbye(false))
		s.machine.finished(w)
	}
}

// unconfirmed asks again for reads whose confirmation was given up, wherever the
// leader then is.
func (s *server) unconfirmed(ids []raft.ReadID) {
	for _, id := range ids {
		if batch, ok := s.ledger.takeRead(id); ok {
			s.readAgain(batch)
		}
	}
}

func (s *server) readAgain(batch readBatch) {
	s.board.server.returnReads(batch.readers)
	s.refuseReads(batch.remote)
}

// answerReads tells followers their index.
func (s *server) answerReads(asked []remoteRead, index raft.Index) {
	s.replyReads(asked, func(r *messages.ForwardReadReply) { r.Index = uint64(index) })
}

// refuseReads tells followers to ask elsewhere.
func (s *server) refuseReads(asked []remoteRead) {
	s.replyReads(asked, func(r *messages.ForwardReadReply) {
		r.Reason, r.Detail = uint32(ReasonNotLeader), "this node does not lead the group"
	})
}

func (s *server) replyReads(asked []remoteRead, fill func(*messages.ForwardReadReply)) {
	if len(asked) == 0 {
		return
	}
	out := make([]*messages.Envelope, len(asked))
	for i, a := range asked {
		reply := &messages.ForwardReadReply{Incarnation: a.incarnation, Id: a.id}
		fill(reply)
		out[i] = s.envelope(a.from)
		out[i].Kind = &messages.Envelope_ForwardReadReply{ForwardReadReply: reply}
	}
	s.send(s.pids.transport, Outbound{Envelopes: out})
}
