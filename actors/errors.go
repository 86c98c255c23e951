package actors

import (
	"errors"
	"fmt"
	"time"

	"castaway/raft"
)

// ErrIndeterminate is in every error that leaves open whether the command was, or
// will be, carried out. Retry only what may safely happen twice, or find out by
// reading. An *Error without it, and without ErrDone, means: definitely not done.
var ErrIndeterminate = errors.New("the outcome is unknown: it may have been done, or still be done later")

// ErrDone is in the error of a command that was carried out, once, and whose result
// could not be handed over: the Result beside the error has its Index and Term, and
// no Value. Do not retry it.
var ErrDone = errors.New("it was done; only its result is missing")

// Reason says why a request failed. Its values are on the wire.
type Reason uint32

const (
	// ReasonNone: it did not fail.
	ReasonNone Reason = iota
	// ReasonNoLeader: no leader is known; try again after an election timeout.
	ReasonNoLeader
	// ReasonNotLeader: this server does not lead, and forwarding is off or failed.
	ReasonNotLeader
	// ReasonNotReady: the server is recovering, or leads but has not committed yet.
	ReasonNotReady
	// ReasonTooLarge: the command exceeds MaxEntryBytes.
	ReasonTooLarge
	// ReasonOverloaded: a named limit is reached; back off.
	ReasonOverloaded
	// ReasonDiskReserve: the disk's reserve would be touched; free some space.
	ReasonDiskReserve
	// ReasonHalted: the group has stopped for good; see its status.
	ReasonHalted
	// ReasonStopped: the node is shutting down.
	ReasonStopped
	// ReasonLeadershipLost: it was proposed, and then the leader changed.
	ReasonLeadershipLost
	// ReasonRestarted: it was proposed, and then an actor crashed.
	ReasonRestarted
	// ReasonDeadline: the caller's context ended first.
	ReasonDeadline
	// ReasonMachineFailed: the machine refused or failed the query.
	ReasonMachineFailed
	// ReasonResultTooLarge: the command was done, and its result is too large to be
	// passed on between nodes.
	ReasonResultTooLarge
	// ReasonSessionUnknown: there is no such session, or no more. This attempt did
	// nothing; an earlier one with the same sequence number may have.
	ReasonSessionUnknown
	// ReasonSessionAcknowledged: the client had said that it needs no answer for the
	// sequence number any more. This attempt did nothing; an earlier one may have.
	ReasonSessionAcknowledged
	// ReasonSessionTooFar: the sequence number is too far above the lowest outstanding one.
	ReasonSessionTooFar
	// ReasonSessionMalformed: the sequence number makes no sense, or another node can't
	// read what was asked.
	ReasonSessionMalformed
	// ReasonResultLost: the command was done in an earlier attempt, and its result was
	// too much to be kept.
	ReasonResultLost
	// ReasonRefused: a change of members or of leadership is not possible, or not now;
	// Cause says why.
	ReasonRefused
	// ReasonBehind: a read must see an entry that is not committed.
	ReasonBehind
)

// Error is the error of every request to a group. Its outcome is unknown if
// errors.Is(err, ErrIndeterminate), done if errors.Is(err, ErrDone), and else not
// done.
type Error struct {
	Group         raft.GroupID
	Reason        Reason
	Indeterminate bool
	Done          bool          // never with Indeterminate
	Leader        raft.NodeID   // who leads, if known
	Limit         string        // the name of the limit, with ReasonOverloaded and ReasonTooLarge
	RetryAfter    time.Duration // zero: at once, or never; see Reason
	Detail        string        // what happened, and what to do next
	Cause         error         // e.g. context.DeadlineExceeded
}

func (e *Error) Error() string {
	if e.Indeterminate {
		return fmt.Sprintf("group %d: %s (%v)", e.Group, e.Detail, ErrIndeterminate)
	}
	if e.Done {
		return fmt.Sprintf("group %d: %s (%v)", e.Group, e.Detail, ErrDone)
	}
	return fmt.Sprintf("group %d: %s (not done)", e.Group, e.Detail)
}

// Unwrap gives ErrIndeterminate or ErrDone, where they apply, and the cause.
func (e *Error) Unwrap() []error {
	var errs []error
	if e.Indeterminate {
		errs = append(errs, ErrIndeterminate)
	}
	if e.Done {
		errs = append(errs, ErrDone)
	}
	if e.Cause != nil {
		errs = append(errs, e.Cause)
	}
	return errs
}

func overloaded(group raft.GroupID, limit string, value int) *Error {
	return &Error{
		Group: group, Reason: ReasonOverloaded, Limit: limit, RetryAfter: overloadPause,
		Detail: fmt.Sprintf("refused, since %s = %d is reached; back off and retry, or raise the limit", limit, value),
	}
}

// tooSlow refuses what would wait too long. What is before it takes about
// MaxQueueWait; half of that on, there is room again.
func tooSlow(group raft.GroupID, l *Limits) *Error {
	return &Error{
		Group: group, Reason: ReasonOverloaded, Limit: "MaxQueueWait", RetryAfter: max(l.MaxQueueWait/2, overloadPause),
		Detail: fmt.Sprintf("refused, since it would wait for its turn longer than MaxQueueWait = %v; back off and retry, or spread the load", l.MaxQueueWait),
	}
}

// overloadPause is how long a refused client is asked to wait.
const overloadPause = 50 * time.Millisecond
