package actors

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"castaway/raft"
)

// Session executes each command exactly once, whatever happens on the way (T6.3): it
// tries again by itself, also across changes of the leader and crashes, and the group
// recognizes the retries. It renews itself. Safe for concurrent use.
type Session struct {
	group *Group
	grant SessionGrant

	mu          sync.Mutex
	next        uint64
	outstanding []uint64  // sequence numbers whose answer is still needed, ascending
	used        time.Time // when the group last heard of it, or later
	renewer     Timer
	ended       *Error
}

// OpenSession registers a session, and tries to until ctx ends.
func (g *Group) OpenSession(ctx context.Context) (*Session, error) {
	for {
		grant, err := g.RegisterSession(ctx)
		if err == nil {
			return g.newSession(grant), nil
		}
		if e := (*Error)(nil); !errors.As(err, &e) || !e.passes() || !g.pause(ctx, e) {
			return nil, err
		}
	}
}

func (g *Group) newSession(grant SessionGrant) *Session {
	s := &Session{group: g, grant: grant, next: 1, used: g.host.cfg.Clock.Now()}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.arm(grant.Timeout / renewalsInTimeout)
	return s
}

// Renewals come every third of the timeout, and sooner after one that failed.
const (
	renewalsInTimeout = 3
	retriesInTimeout  = 12
)

// ID names the session.
func (s *Session) ID() raft.SessionID { return s.grant.ID }

// Propose is Group.Propose, with a certain outcome unless ctx ends: then, if the error is
// ErrIndeterminate, the command may have been done; it can't be done any more once a
// later command of the session has been. Use Begin to be able to ask again.
func (s *Session) Propose(ctx context.Context, command []byte) (Result, error) {
	p, err := s.Begin(command)
	if err != nil {
		return Result{}, err
	}
	defer p.Forget()
	return p.Propose(ctx)
}

// Begin gives a command its place in the session; nothing is proposed yet. Its Pending
// must end: by an answer, or by Forget.
func (s *Session) Begin(command []byte) (*Pending, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended != nil {
		return nil, s.ended
	}
	if n := len(s.outstanding); n > 0 && s.next-s.outstanding[0] >= uint64(s.grant.MaxOutstanding) {
		return nil, overloaded(s.group.cfg.Group, "Sessions.MaxOutstanding", s.grant.MaxOutstanding)
	}
	p := &Pending{session: s, sequence: s.next, command: command}
	s.outstanding = append(s.outstanding, s.next)
	s.next++
	return p, nil
}

// Close ends the session: none of its commands is done any more. Those under way end
// as their last attempt does.
func (s *Session) Close(ctx context.Context) error {
	s.end(s.group.fail(ReasonSessionUnknown, fmt.Sprintf("session %d was closed here", s.grant.ID)))
	return s.group.EndSession(ctx, s.grant.ID)
}

// Err says why the session has ended; nil while it has not, as far as is known here.
func (s *Session) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended == nil {
		return nil
	}
	return s.ended
}

func (s *Session) end(why *Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended == nil {
		s.ended = why
	}
	s.renewer.Stop()
}

// arm looks after the renewal when d has passed. The session is locked.
func (s *Session) arm(d time.Duration) {
	s.renewer = s.group.host.cfg.Clock.AfterFunc(d, s.renew)
}

// renew renews what was not used meanwhile.
func (s *Session) renew() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended != nil {
		return
	}
	each := s.grant.Timeout / renewalsInTimeout
	if left := each - s.group.host.cfg.Clock.Now().Sub(s.used); left > 0 {
		s.arm(left)
		return
	}
	s.mu.Unlock() // what is refused is answered at once
	s.group.renewals.ask(s.group, s.grant.ID, s.renewed)
	s.mu.Lock()
}

func (s *Session) renewed(err error) {
	if e := (*Error)(nil); errors.As(err, &e) && (e.Reason == ReasonSessionUnknown || e.final()) {
		s.end(e)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended != nil {
		return
	}
	if err != nil {
		s.arm(s.grant.Timeout / retriesInTimeout)
		return
	}
	s.used = s.group.host.cfg.Clock.Now()
	s.arm(s.grant.Timeout / renewalsInTimeout)
}

// lowest is what the session still needs an answer for: at most sequence.
func (s *Session) lowest(sequence uint64) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.outstanding) > 0 {
		return min(s.outstanding[0], sequence)
	}
	return sequence
}

// settle takes note that nobody will ask for sequence again.
func (s *Session) settle(sequence uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i, found := slices.BinarySearch(s.outstanding, sequence); found {
		s.outstanding = slices.Delete(s.outstanding, i, i+1)
	}
}

func (s *Session) heard() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used = s.group.host.cfg.Clock.Now()
}
