package actors

import (
	"context"
	"errors"
	"fmt"

	"castaway/raft"
)

// ErrRemoved is in what OnFail gets when this node was removed from a group.
var ErrRemoved = errors.New("actors: this node was removed from the group")

// changeRequest is Group.ChangeConfiguration; transferRequest is
// Group.TransferLeadership. Each is answered once.
type (
	changeRequest struct {
		change raft.ConfigurationChange
		answer chan changeAnswer
	}
	changeAnswer struct {
		state raft.ConfigurationState
		err   error
	}
	transferRequest struct {
		to     raft.NodeID
		answer chan error
	}
)

// pendingChange was appended here, and is not known to be committed.
type pendingChange struct {
	index  raft.Index
	answer chan changeAnswer
}

// ChangeConfiguration changes who the members are, on the node that leads, and returns
// once the change is committed and no joint configuration is left. Its errors are
// *Error: with ErrIndeterminate the change may be in force, which Status shows. The
// core's reasons (raft.ErrChanging, raft.ErrMember, …) are found by errors.Is.
func (g *Group) ChangeConfiguration(ctx context.Context, change raft.ConfigurationChange) (raft.ConfigurationState, error) {
	if ctx.Err() != nil {
		return raft.ConfigurationState{}, g.tooLate(ctx)
	}
	ask := &changeRequest{change: change, answer: make(chan changeAnswer, 1)}
	if err := g.server.pushControl(ask); err != nil {
		return raft.ConfigurationState{}, err
	}
	select {
	case a, ok := <-ask.answer:
		if !ok {
			return raft.ConfigurationState{}, g.goodbye(true)
		}
		return a.state, a.err
	case <-ctx.Done():
		err := g.fail(ReasonDeadline, "the change was not known to be committed when the context ended; the group's status shows whether it is in force")
		err.Indeterminate, err.Cause = true, context.Cause(ctx)
		return raft.ConfigurationState{}, err
	}
}

// TransferLeadership hands leadership from this node, which must lead, to a voter: the
// one named or, for None, the best prepared. It returns once the transfer has ended.
func (g *Group) TransferLeadership(ctx context.Context, to raft.NodeID) error {
	if ctx.Err() != nil {
		return g.tooLate(ctx)
	}
	ask := &transferRequest{to: to, answer: make(chan error, 1)}
	if err := g.server.pushControl(ask); err != nil {
		return err
	}
	select {
	case err, ok := <-ask.answer:
		if !ok {
			return g.goodbye(true)
		}
		return err
	case <-ctx.Done():
		err := g.fail(ReasonDeadline, "the transfer had not ended when the context did")
		err.Indeterminate, err.Cause = true, context.Cause(ctx)
		return err
	}
}

// Configuration is the one in force, as far as this node has said; false until its
// log was read.
func (g *Group) Configuration() (raft.ConfigurationState, bool) {
	if s := g.configuration.Load(); s != nil {
		return *s, true
	}
	return raft.ConfigurationState{}, false
}

// changeMembers carries a changeRequest out, or refuses it.
func (s *server) changeMembers(r *changeRequest) {
	if !s.leads() {
		r.answer <- changeAnswer{err: s.notLeader()}
		return
	}
	p, effects, err := s.core.ProposeConfiguration(r.change)
	if err != nil {
		r.answer <- changeAnswer{err: s.declined(err)}
		return
	}
	s.ledger.changes = append(s.ledger.changes, pendingChange{index: p.First, answer: r.answer})
	s.carryOut(effects)
}

// transfer carries a transferRequest out, or refuses it.
func (s *server) transfer(r *transferRequest) {
	switch {
	case !s.leads():
		r.answer <- s.notLeader()
		return
	case r.to == s.host.cfg.ID:
		r.answer <- nil
		return
	}
	effects, err := s.core.TransferLeadership(r.to)
	if err != nil {
		r.answer <- s.declined(err)
		return
	}
	s.transferring = true
	s.ledger.transfers = append(s.ledger.transfers, r.answer)
	s.carryOut(effects)
}

// declined is an error of the core about members and leadership; nothing was done.
func (s *server) declined(err error) *Error {
	e := s.fail(ReasonRefused, err.Error())
	e.Cause, e.Leader = err, s.role.Leader
	if errors.Is(err, raft.ErrNotReady) {
		e.Reason = ReasonNotReady
	}
	return e
}

// transferred answers those who wait for the end of a transfer.
func (s *server) transferred(r *raft.TransferResult) {
	s.transferring = false
	var err error
	if r.Err != nil {
		err = s.declined(r.Err)
	}
	for _, answer := range s.ledger.transfers {
		answer <- err
	}
	s.ledger.transfers = nil
}

// configured follows the configuration in force: the transport needs to know it, and
// who waits for a change.
func (s *server) configured(state raft.ConfigurationState) {
	s.board.configuration.Store(&state)
	cfg := &state.Configuration
	members := make([]raft.Member, 0, len(cfg.Voters)+len(cfg.Learners))
	cfg.EachMember(func(id raft.NodeID) { members = append(members, cfg.Member(id)) })
	s.know(members)
	if !state.Committed || cfg.Joint() || len(cfg.Voters) == 0 {
		return
	}
	left := s.ledger.changes[:0]
	for _, c := range s.ledger.changes {
		if c.index <= state.Index {
			c.answer <- changeAnswer{state: state}
		} else {
			left = append(left, c)
		}
	}
	s.ledger.changes = left
	s.publish(Event{Kind: EventConfiguration, Incarnation: s.life, Detail: describe(cfg)})
}

// memberEffects is what the core says of members and of leadership.
func (s *server) memberEffects(e *raft.Effects) {
	if e.Configuration != nil {
		s.configured(*e.Configuration)
	}
	for _, id := range e.GaveUp {
		s.publish(Event{Kind: EventGaveUp, Incarnation: s.life, Detail: fmt.Sprintf("node %d did not catch up within CatchUpRounds or CatchUpTicks, and is removed; nobody else was harmed", id)})
	}
	if e.Transfer != nil {
		s.transferred(e.Transfer)
	}
}

func describe(cfg *raft.Configuration) string {
	text := fmt.Sprintf("voters %v", cfg.Voters)
	if len(cfg.Learners) > 0 {
		text += fmt.Sprintf(", learners %v", cfg.Learners)
	}
	return text
}

// outOfGroup ends this node's part: a committed configuration is without it.
func (s *server) outOfGroup(r *raft.Removed) {
	why := fmt.Sprintf("node %d is no member any more, by the configuration of entry %d", s.host.cfg.ID, r.Index)
	s.halt(why)
	s.host.fail(s.self, fmt.Errorf("group %d: %w: %s", s.cfg.Group, ErrRemoved, why))
}

// abandonChanges answers who waits for a change or a transfer at a server that leads
// no longer, or is gone.
func (l *ledger) abandonChanges(err *Error) {
	unknown := *err
	unknown.Indeterminate = true
	for _, c := range l.changes {
		c.answer <- changeAnswer{err: &unknown}
	}
	for _, answer := range l.transfers {
		answer <- &unknown
	}
	l.changes, l.transfers = nil, nil
}
