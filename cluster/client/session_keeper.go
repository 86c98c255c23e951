package client

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"castaway/cluster/etcdapi/sessions"
)

// sessionKeeper has the client's one session, which is opened with the first write and
// anew when it has ended.
type sessionKeeper struct {
	mu      sync.Mutex
	current *session
	// opening is closed when the opening under way has ended; nil if there is none.
	opening chan struct{}
	// none: the servers know of no sessions, or the client is to have none.
	none       bool
	closed     bool
	background sync.WaitGroup // renewals
}

// enter lets one request of the keeper's own begin, unless the client is closed.
func (k *sessionKeeper) enter() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return false
	}
	k.background.Add(1)
	return true
}

// lose takes note that a session is gone.
func (k *sessionKeeper) lose(s *session) {
	k.mu.Lock()
	if k.current == s {
		k.current = nil
	}
	k.mu.Unlock()
	s.end()
}

// sessionFor gives the session, and opens one if there is none; nil if there is none to
// be had. Of several that ask, one opens it.
func (c *Client) sessionFor(ctx context.Context) (*session, error) {
	k := &c.sessions
	for {
		k.mu.Lock()
		if k.none || k.current != nil {
			current := k.current
			k.mu.Unlock()
			return current, nil
		}
		opening := k.opening
		if opening == nil {
			k.opening = make(chan struct{})
			k.mu.Unlock()
			return c.openFor(ctx)
		}
		k.mu.Unlock()
		select {
		case <-opening:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// openFor is the opening of the one who opens.
func (c *Client) openFor(ctx context.Context) (s *session, err error) {
	k := &c.sessions
	defer func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.current = s
		k.none = k.none || (s == nil && err == nil)
		close(k.opening)
		k.opening = nil
	}()
	s, err = c.openSession(ctx)
	if e := (*Error)(nil); errors.As(err, &e) && e.Code == codes.Unimplemented {
		return nil, nil
	}
	return s, err
}

// endOfSession is how long Close waits for the cluster to end the session; else that
// ends by itself.
const endOfSession = 500 * time.Millisecond

// close ends the session.
func (k *sessionKeeper) close(c *Client) {
	k.mu.Lock()
	s := k.current
	k.current, k.none = nil, true
	k.mu.Unlock()
	if s != nil {
		s.end()
		_ = c.useSession(sessions.End(context.Background(), s.grant.Session), endOfSession)
	}
	k.mu.Lock()
	k.closed = true
	k.mu.Unlock()
	k.background.Wait()
}

// place gives a write its place in a session; nil where there are none.
func (c *Client) place(ctx context.Context, r *request) (*ticket, error) {
	for {
		s, err := c.sessionFor(ctx)
		if s == nil && err == nil {
			return nil, nil
		}
		var t *ticket
		if err == nil {
			t, err = s.begin(ctx)
		}
		if t != nil {
			return t, nil
		}
		if err != nil {
			return nil, notPlaced(r, c.endpoint(), err)
		}
		c.sessions.lose(s)
	}
}

// notPlaced is the error of a write that was not sent, since it had no session.
func notPlaced(r *request, at *endpoint, err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		e.Op, e.Key = r.op, r.key
		e.Detail = fmt.Sprintf("the session could not be opened: %s", e.why())
		return e
	}
	return &Error{
		Op: r.op, Key: r.key, Endpoint: at.address, Err: err, Code: status.FromContextError(err).Code(),
		Detail: fmt.Sprintf("it had no turn in the session, in which too much is outstanding: %v", err),
	}
}
