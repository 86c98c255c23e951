package actors

import (
	"context"
	"errors"
	"fmt"
	"time"

	"castaway/raft"
)

// This file is what doors need to give their clients sessions: each is one entry, or a
// share of one. Who is in the same process has it easier with Group.OpenSession.

// SessionGrant is what a client gets that registers.
type SessionGrant struct {
	ID raft.SessionID
	// Timeout is how long the session lives without a use: renew every third of it.
	Timeout time.Duration
	// MaxOutstanding bounds how far sequence numbers may be above the lowest one that is
	// outstanding.
	MaxOutstanding int
}

// SessionRef names a command of a session, so that it is executed at most once however
// often it is proposed.
type SessionRef struct {
	ID raft.SessionID
	// Sequence is the command's number in its session, from 1 on: a retry has the same
	// number and the same command.
	Sequence uint64
	// Acknowledged is the lowest sequence number whose answer is still needed, at most
	// Sequence: what is below it is forgotten, and can't be done any more. Zero is 1.
	Acknowledged uint64
	// First says that nobody has proposed this sequence number before. Then a session
	// that is unknown means that the command was not done; else it may have been.
	First bool
}

func (r *SessionRef) op() *raft.SessionOp {
	return &raft.SessionOp{Kind: raft.SessionRun, ID: r.ID, Sequence: r.Sequence, Acknowledged: max(1, r.Acknowledged)}
}

// RegisterSession opens a session for a client, who must renew it. If the outcome is
// indeterminate, try again: a session that nobody uses ends by itself.
func (g *Group) RegisterSession(ctx context.Context) (SessionGrant, error) {
	result, err := g.submit(ctx, &raft.SessionOp{Kind: raft.SessionRegister, Limits: g.cfg.Sessions.limits()}, nil)
	if err != nil {
		return SessionGrant{}, err
	}
	limits, err := raft.DecodeSessionLimits(result.Value)
	if err != nil {
		return SessionGrant{}, fmt.Errorf("actors: the answer to a registration can't be read: %w", err)
	}
	return SessionGrant{
		ID:             raft.SessionID(result.Index),
		Timeout:        time.Duration(limits.Timeout) * time.Millisecond,
		MaxOutstanding: limits.MaxOutstanding,
	}, nil
}

// ProposeInSession is Propose for a command that is executed at most once, however
// often it is proposed with the same ref: a retry gets the first Result. An error with
// ReasonSessionUnknown or ReasonSessionAcknowledged is indeterminate, unless ref is the
// first: this attempt did nothing, but whether an earlier one did is not known any more.
func (g *Group) ProposeInSession(ctx context.Context, ref SessionRef, command []byte) (Result, error) {
	if op := ref.op(); op.Sequence < op.Acknowledged || op.ID == 0 {
		return Result{}, g.fail(ReasonSessionMalformed, fmt.Sprintf(
			"sequence number %d of session %d, with %d as the lowest outstanding one: the session's id and sequence numbers start at 1, and the lowest outstanding one is not above the command's own", ref.Sequence, ref.ID, ref.Acknowledged))
	}
	result, err := g.submit(ctx, ref.op(), command)
	return result, ref.judge(err)
}

// judge says what an error of an attempt means for the command.
func (r *SessionRef) judge(err error) error {
	var e *Error
	if r.First || !errors.As(err, &e) || (e.Reason != ReasonSessionUnknown && e.Reason != ReasonSessionAcknowledged) {
		return err
	}
	judged := *e
	judged.Indeterminate = true
	judged.Detail = e.Detail + "; read to find out what became of earlier ones"
	return &judged
}

// EndSession ends a session, with all answers that it keeps. One that is unknown has
// ended: that is no error.
func (g *Group) EndSession(ctx context.Context, id raft.SessionID) error {
	if id == 0 {
		return nil
	}
	_, err := g.submit(ctx, &raft.SessionOp{Kind: raft.SessionEnd, ID: id}, nil)
	if e := (*Error)(nil); errors.As(err, &e) && e.Reason == ReasonSessionUnknown {
		return nil
	}
	return err
}

// RenewSession uses a session without a command. All that are renewed at the same time
// share entries. ReasonSessionUnknown says that it has ended.
func (g *Group) RenewSession(ctx context.Context, id raft.SessionID) error {
	if err := ctx.Err(); err != nil {
		return g.tooLate(ctx)
	}
	answer := make(chan error, 1)
	g.renewals.ask(g, id, func(err error) { answer <- err })
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return &Error{Group: g.cfg.Group, Reason: ReasonDeadline, Indeterminate: true, Cause: context.Cause(ctx),
			Detail: fmt.Sprintf("session %d was being renewed when the context ended: %v", id, context.Cause(ctx))}
	}
}

// submit proposes what a session does.
func (g *Group) submit(ctx context.Context, op *raft.SessionOp, command []byte) (Result, error) {
	w := newWaiter()
	w.command, w.op = command, op
	if err := g.admitSize(ctx, w.data()); err != nil {
		w.release()
		return Result{}, err
	}
	if err := g.server.pushProposals(w); err != nil {
		w.release()
		return Result{}, err
	}
	return g.awaitResult(ctx, w)
}

// submitAsync is submit without a deadline: see ProposeAsync.
func (g *Group) submitAsync(op *raft.SessionOp, command []byte, then func(Result, error)) {
	w := newWaiter()
	w.command, w.op, w.then = command, op, then
	err := g.admitSize(context.Background(), w.data())
	if err == nil {
		if full := g.server.pushProposals(w); full != nil {
			err = full
		}
	}
	if err != nil {
		w.release()
		then(Result{}, err)
	}
}
