package actors

import (
	"fmt"
	"slices"
	"time"

	"castaway/raft"
)

// SessionLimits bound sessions (T6.3): see raft.SessionLimits. Those of the node that
// leads when a session is registered apply to it, and are the same on all nodes.
type SessionLimits struct {
	// Timeout ends a session that was not used for longer, while somebody led; it is
	// counted in milliseconds. Clients renew theirs every third of it.
	Timeout time.Duration
	// MaxOutstanding bounds how far a session's sequence numbers may be above the lowest
	// whose answer it still needs.
	MaxOutstanding int
	// MaxSessionBytes and MaxBytes bound the results that are kept for retries, of a
	// session and of all: what is more is not kept (ReasonResultLost).
	MaxSessionBytes int
	MaxBytes        int
	// MaxSessions bounds the sessions, and MaxAnswers the commands of all of them that
	// are kept for retries. At either, who was not heard of for half its timeout makes
	// room; else the new one is refused.
	MaxSessions int
	MaxAnswers  int
}

// DefaultSessionLimits is a minute for some ten thousand clients, and 64 MiB.
func DefaultSessionLimits() SessionLimits {
	return SessionLimits{
		Timeout:         time.Minute,
		MaxOutstanding:  1024,
		MaxSessionBytes: 1 << 20,
		MaxBytes:        64 << 20,
		MaxSessions:     1 << 14,
		MaxAnswers:      1 << 18,
	}
}

func (l *SessionLimits) limits() raft.SessionLimits {
	return raft.SessionLimits{
		Timeout:        uint64(l.Timeout.Milliseconds()),
		MaxOutstanding: l.MaxOutstanding, MaxSessionBytes: l.MaxSessionBytes,
		MaxSessions: l.MaxSessions, MaxAnswers: l.MaxAnswers, MaxBytes: l.MaxBytes,
	}
}

func (l *SessionLimits) validate() error {
	if l.Timeout < time.Millisecond {
		return invalid("GroupConfig.Sessions.Timeout", l.Timeout, "at least 1ms")
	}
	if err := l.limits().Validate(); err != nil {
		return fmt.Errorf("%w: GroupConfig.Sessions: %w", ErrConfig, err)
	}
	return nil
}

// verdict is what became of an entry of a session.
type verdict struct {
	at raft.Position
	raft.SessionVerdict
}

// keep keeps the results of sessions' commands for their retries.
func (m *machineActor) keep(commands []Command, results [][]byte, verdicts []verdict) {
	at := 0
	for i := range verdicts {
		if verdicts[i].Outcome != raft.SessionExecute {
			continue
		}
		for commands[at].Index < verdicts[i].at.Index {
			at++
		}
		m.sessions.Keep(results[at])
	}
}

// answerVerdict tells who waits for a session's entry, that was not executed, what
// became of it.
func (m *machineActor) answerVerdict(w *work, v *verdict) {
	waiter := m.claim(w, v.at)
	if waiter == nil {
		return
	}
	waiter.result = Result{Index: v.at.Index, Term: v.at.Term}
	switch v.Outcome {
	case raft.SessionDone:
		switch {
		case v.Limits != raft.SessionLimits{}:
			waiter.result.Value = v.Limits.Encode()
		case len(v.Missing) > 0:
			missing := raft.SessionOp{Kind: raft.SessionRenew, Renew: v.Missing}
			waiter.result.Value = missing.Encode()
		}
	case raft.SessionKept:
		a := v.Answer
		waiter.result = Result{Index: a.Index, Term: a.Term, Value: slices.Clone(a.Value)}
		if a.Lost {
			err := m.fail(ReasonResultLost, fmt.Sprintf("the command was done, at index %d, but its result was too large to be kept for a retry; read it", a.Index))
			err.Done = true
			waiter.err = err
		}
	default:
		waiter.err = m.refusedSession(v)
	}
	waiter.finish()
}

// refusedSession is the error of an entry that did nothing.
func (m *machineActor) refusedSession(v *verdict) *Error {
	switch v.Outcome {
	case raft.SessionUnknown:
		return m.fail(ReasonSessionUnknown, fmt.Sprintf("session %d is not, or no more, known: it ended, or was not used for its timeout; this attempt did nothing, open a new session", v.ID))
	case raft.SessionAcknowledged:
		return m.fail(ReasonSessionAcknowledged, fmt.Sprintf("session %d has acknowledged the sequence number before: this attempt did nothing, an earlier one may have", v.ID))
	case raft.SessionTooFar:
		err := m.fail(ReasonSessionTooFar, fmt.Sprintf("the sequence number is MaxOutstanding or more above the lowest outstanding one of session %d; wait for answers, and acknowledge them", v.ID))
		err.Limit = "Sessions.MaxOutstanding"
		return err
	case raft.SessionFull:
		err := m.fail(ReasonOverloaded, fmt.Sprintf("refused, since Sessions.%s is reached; back off and retry, or raise the limit", v.Limit))
		err.Limit, err.RetryAfter = "Sessions."+v.Limit, overloadPause
		return err
	default:
		return m.fail(ReasonSessionMalformed, "the entry of the session could not be read; sequence numbers start at 1, and the lowest outstanding one is not above the command's own")
	}
}
