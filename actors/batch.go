package actors

import (
	"errors"
	"math"

	"castaway/raft"
)

// This file is how commands become entries. A batch is what has gathered in the
// inbox while the ones before it were on their way to the disk and the others:
// no timer is needed, a lone command goes at once, and a flood goes in few writes
// and few messages.

// proposeBatches proposes what waits, as long as the limits on what is on its way
// allow. What they do not allow stays in the inbox, where nothing has been done
// for it. While the disk is low everything is refused, also behind a batch that
// waits for the disk: its end may be far.
func (s *server) proposeBatches() {
	l := &s.cfg.Limits
	if s.lowDisk && s.leads() {
		failAll(s.board.server.takeProposals(math.MaxInt, math.MaxInt), s.diskReserve())
		return
	}
	for s.mayPropose() {
		ws := s.board.server.takeProposals(l.MaxBatchCommands, l.MaxBatchBytes)
		if len(ws) == 0 {
			return
		}
		if !s.propose(ws) {
			return
		}
	}
}

func (s *server) mayPropose() bool {
	l := &s.cfg.Limits
	return s.leads() && !s.transferring &&
		len(s.unsynced) < l.MaxUnsyncedBatches &&
		len(s.ledger.pending) < l.MaxUncommittedBatches &&
		s.machine.bytes.Load() < int64(l.MaxUnappliedBytes)
}

// propose makes one batch of ws. It reports whether another may follow.
func (s *server) propose(ws []*waiter) bool {
	s.ledger.batch = ws
	proposals := make([]raft.Proposal, len(ws))
	for i, w := range ws {
		proposals[i] = s.proposal(w)
	}
	p, effects, err := s.core.Propose(proposals)
	s.ledger.batch = nil
	if errors.Is(err, raft.ErrTooManyUncommitted) {
		s.board.server.returnProposals(ws)
		return false
	}
	if err != nil {
		failAll(ws, s.refused(err))
		return true
	}
	for _, w := range ws {
		w.command = nil // it lives on in its entry
	}
	s.ledger.pending = append(s.ledger.pending, block{first: p.First, term: p.Term, waiters: ws})
	if !effects.Persist.Empty() {
		s.owes(effects.Persist.Sequence)
	}
	s.carryOut(effects)
	return true
}

// proposal is what w's entry will be. What a session does gets the leader's time and,
// for a registration, its limits.
func (s *server) proposal(w *waiter) raft.Proposal {
	if w.op == nil {
		return raft.Proposal{Kind: raft.EntryCommand, Data: w.command}
	}
	op := *w.op
	op.Command = w.command
	op.Led = uint64(max(0, s.host.cfg.Clock.Now().Sub(s.ledSince).Milliseconds()))
	op.Limits = s.cfg.Sessions.limits()
	return raft.Proposal{Kind: raft.EntrySession, Data: op.Encode()}
}
