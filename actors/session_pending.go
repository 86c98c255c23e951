package actors

import (
	"context"
	"errors"
)

// Pending is a command of a session that has its sequence number. It is for one caller
// at a time.
type Pending struct {
	session  *Session
	sequence uint64
	command  []byte
	doubt    bool // an attempt may have done it
}

// Sequence is the command's number in its session.
func (p *Pending) Sequence() uint64 { return p.sequence }

// Propose has the command executed, or learns what became of it: it may be called again
// when an earlier call ended with its context. Its errors are *Error: indeterminate only
// if the context, the session or the node ended while an attempt was in doubt.
func (p *Pending) Propose(ctx context.Context) (Result, error) {
	for {
		ref := SessionRef{
			ID: p.session.grant.ID, Sequence: p.sequence, Acknowledged: p.session.lowest(p.sequence),
			First: !p.doubt,
		}
		result, err := p.session.group.ProposeInSession(ctx, ref, p.command)
		var e *Error
		if err == nil || !errors.As(err, &e) || e.Done {
			p.session.heard()
			p.Forget()
			return result, err
		}
		p.doubt = p.doubt || e.Indeterminate
		if e.Reason == ReasonSessionUnknown {
			p.session.end(p.session.group.unknownSession(p.session.grant.ID))
			return Result{}, p.verdict(e)
		}
		if ctx.Err() != nil || e.final() || (!p.doubt && !e.passes()) || !p.session.group.pause(ctx, e) {
			return Result{}, p.verdict(e)
		}
	}
}

// Forget says that nobody will ask for this command's answer again. If it was not done
// yet, it can't be any more once a later command of the session has been.
func (p *Pending) Forget() { p.session.settle(p.sequence) }

// verdict is e, with the doubt that earlier attempts leave.
func (p *Pending) verdict(e *Error) error {
	if !p.doubt || e.Indeterminate {
		return e
	}
	doubted := *e
	doubted.Indeterminate = true
	doubted.Detail = "an earlier attempt may have done the command, and the last one ended with: " + e.Detail
	return &doubted
}

// passes says whether a refusal ends by itself when another server leads, or soon.
func (e *Error) passes() bool {
	switch e.Reason {
	case ReasonNoLeader, ReasonNotLeader, ReasonNotReady, ReasonLeadershipLost, ReasonRestarted:
		return true
	case ReasonDeadline: // of the leader, not of the caller
		return e.Cause == nil
	}
	return false
}

// final says that no other attempt here comes to anything else.
func (e *Error) final() bool {
	switch e.Reason {
	case ReasonHalted, ReasonStopped, ReasonSessionAcknowledged, ReasonSessionMalformed, ReasonTooLarge:
		return true
	}
	return false
}

// pause waits for as long as e asks for, and at least for a tick; false if ctx
// ended first.
func (g *Group) pause(ctx context.Context, e *Error) bool {
	passed := make(chan struct{})
	timer := g.host.cfg.Clock.AfterFunc(max(e.RetryAfter, g.cfg.TickInterval), func() { close(passed) })
	select {
	case <-passed:
		return true
	case <-ctx.Done():
		timer.Stop()
		return false
	}
}
