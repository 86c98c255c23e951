package actors

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"castaway/raft"
)

// This file is reads that may be stale, but not more than their caller bears. This node
// remembers the last index that a leader's quorum confirmed to it, for whatever read, and
// when it asked: whoever has applied that index is no further behind than since then. So a
// bound rests on this node's clock alone, and on no leader's word that was not confirmed.
// Where what is here does not suffice, the read becomes linearizable, and renews the
// bound for those after it: one round of heartbeats a bound's time and node.

// ReadOptions says what a read must see.
type ReadOptions struct {
	Consistency Consistency
	// MaxLag, unless zero, bounds how stale a Serializable read may be: it sees all that
	// was acknowledged longer ago than that. The bound holds as well as this node's clock
	// measures that time.
	MaxLag time.Duration
	// MinIndex, unless zero, is the entry that a Serializable read must see, such as the
	// Result.Index of the caller's last write, on whatever node that was.
	MinIndex raft.Index
}

func (o *ReadOptions) validate(g *Group) error {
	refuse := func(detail string) error {
		return &Error{Group: g.cfg.Group, Reason: ReasonRefused, Detail: detail}
	}
	switch {
	case o.Consistency > Serializable:
		return refuse(fmt.Sprintf("ReadOptions.Consistency is %d, and must be Linearizable or Serializable", o.Consistency))
	case o.MaxLag < 0:
		return refuse(fmt.Sprintf("ReadOptions.MaxLag is %v, and must be at least 0, which is no bound", o.MaxLag))
	case o.Consistency == Linearizable && (o.MaxLag != 0 || o.MinIndex != 0):
		return refuse("ReadOptions.MaxLag and MinIndex are for Serializable reads; a Linearizable one is never behind")
	}
	return nil
}

// ReadWith is Read with bounds on how stale a Serializable read may be. A read whose
// bounds this node can't keep by itself is answered as a Linearizable one is, and fails
// as one does: a bound is never broken. A MinIndex that is not committed is refused with
// ReasonBehind.
func (g *Group) ReadWith(ctx context.Context, query any, o ReadOptions) (any, error) {
	if err := o.validate(g); err != nil {
		return nil, err
	}
	if o.Consistency == Serializable {
		if least, known := g.fresh.within(g.host.cfg.Clock.Now(), o.MaxLag); known {
			value, err := g.read(ctx, query, g.machine.inbox, max(least, o.MinIndex))
			if !errors.As(err, new(*behindError)) {
				return value, err
			}
		}
	}
	value, err := g.read(ctx, query, g.server, o.MinIndex)
	if b := new(behindError); errors.As(err, &b) {
		return nil, &Error{Group: g.cfg.Group, Reason: ReasonBehind, RetryAfter: g.cfg.heartbeat(), Cause: b, Detail: fmt.Sprintf(
			"ReadOptions.MinIndex is %d, and entry %d was the last one committed; use the index of a Result, or try again if it is still to be committed",
			o.MinIndex, b.applied)}
	}
	return value, err
}

// freshness is the last index that was confirmed to this node.
type freshness struct {
	confirmed atomic.Pointer[confirmedIndex]
}

type confirmedIndex struct {
	index raft.Index
	asked time.Time
}

// note is called by the server: index was confirmed to a question that was asked then.
func (f *freshness) note(index raft.Index, asked time.Time) {
	if last := f.confirmed.Load(); last == nil || asked.After(last.asked) {
		f.confirmed.Store(&confirmedIndex{index, asked})
	}
}

// within gives the index that whoever has applied it is behind by no more than lag; false
// if none is known. Zero is no bound.
func (f *freshness) within(now time.Time, lag time.Duration) (raft.Index, bool) {
	if lag == 0 {
		return 0, true
	}
	last := f.confirmed.Load()
	if last == nil || now.Sub(last.asked) > lag {
		return 0, false
	}
	return last.index, true
}

// behindError is the machine's answer to a read that must see more than it has applied.
type behindError struct{ applied raft.Index }

func (b *behindError) Error() string {
	return fmt.Sprintf("the machine has applied entry %d", b.applied)
}
