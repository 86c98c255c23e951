package client

import (
	"context"
	"slices"
	"sync"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"castaway/cluster/etcdapi/outcome"
	"castaway/cluster/etcdapi/sessions"
)

// session is the client's with the cluster: each of its writes has a number in it, by
// which the cluster knows a retry. It is renewed only while a write is outstanding: one
// that ended in idle time is replaced without harm.
type session struct {
	client *Client
	grant  sessions.Grant

	mu   sync.Mutex
	next uint64
	// outstanding are the numbers whose answer may still be asked for, ascending; parked
	// are those of them that nobody asks for just now: see Client.Resolve.
	outstanding []uint64
	parked      map[uint64]bool
	waiting     int           // for room in the window
	room        chan struct{} // closed when there may be some
	used        time.Time
	timer       *time.Timer // nil while nothing is outstanding
	gone        bool
}

// ticket is a write's place in a session.
type ticket struct {
	session  *session
	sequence uint64
}

// begin gives a write its number, and waits for room in the window for it. It is nil if
// the session is gone.
func (s *session) begin(ctx context.Context) (*ticket, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.outstanding) > 0 && s.next-s.outstanding[0] >= uint64(s.grant.Window) && !s.gone {
		if lowest := s.outstanding[0]; s.parked[lowest] {
			s.drop(lowest) // or it would keep everyone out
			continue
		}
		s.waiting++
		room := s.room
		s.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
		}
		s.mu.Lock()
		s.waiting--
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	if s.gone {
		return nil, nil
	}
	t := &ticket{session: s, sequence: s.next}
	s.next++
	s.outstanding = append(s.outstanding, t.sequence)
	if s.timer == nil {
		s.timer = time.AfterFunc(s.grant.Timeout/renewalsInTimeout, s.renew)
	}
	return t, nil
}

// renewalsInTimeout is how often in its timeout a session is used at least.
const renewalsInTimeout = 3

// drop takes a number out. The session is locked.
func (s *session) drop(sequence uint64) {
	if i, found := slices.BinarySearch(s.outstanding, sequence); found {
		s.outstanding = slices.Delete(s.outstanding, i, i+1)
	}
	delete(s.parked, sequence)
	if s.waiting > 0 {
		close(s.room)
		s.room = make(chan struct{})
	}
}

// attach adds the write's name to an attempt at it.
func (t *ticket) attach(ctx context.Context, first bool) context.Context {
	s := t.session
	s.mu.Lock()
	lowest := t.sequence
	if len(s.outstanding) > 0 {
		lowest = min(lowest, s.outstanding[0])
	}
	s.mu.Unlock()
	return sessions.Write{Session: s.grant.Session, Sequence: t.sequence, Acknowledged: lowest, First: first}.Attach(ctx)
}

// done says that nobody will ask for the answer again.
func (t *ticket) done() {
	t.session.mu.Lock()
	defer t.session.mu.Unlock()
	t.session.used = time.Now()
	t.session.drop(t.sequence)
}

// park keeps the number for who may ask later.
func (t *ticket) park() {
	t.session.mu.Lock()
	defer t.session.mu.Unlock()
	t.session.parked[t.sequence] = true
}

// unpark is false if the number was given up meanwhile, or somebody else asks.
func (t *ticket) unpark() bool {
	t.session.mu.Lock()
	defer t.session.mu.Unlock()
	parked := t.session.parked[t.sequence]
	delete(t.session.parked, t.sequence)
	return parked && !t.session.gone
}

// renew uses the session, if nothing else has and a write is outstanding.
func (s *session) renew() {
	s.mu.Lock()
	each := s.grant.Timeout / renewalsInTimeout
	left := each - time.Since(s.used)
	switch {
	case s.gone || len(s.outstanding) == 0:
		s.timer = nil
		s.mu.Unlock()
		return
	case left > 0:
		s.timer.Reset(left)
		s.mu.Unlock()
		return
	}
	s.mu.Unlock()
	err := s.client.useSession(sessions.Use(context.Background(), s.grant.Session), each)
	if err != nil && isUnknownSession(err) {
		s.client.sessions.lose(s)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone {
		return
	}
	if err == nil {
		s.used = time.Now()
	}
	s.timer.Reset(each / renewalsInTimeout)
}

// end makes whoever waits for room, and the renewal, find that it is gone.
func (s *session) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone = true
	if s.timer != nil {
		s.timer.Stop()
	}
	close(s.room)
	s.room = make(chan struct{})
}

func isUnknownSession(err error) bool {
	info, told := outcome.Of(status.Convert(err))
	return told && info.Reason == reasonSessionUnknown
}

const reasonSessionUnknown = "SESSION_UNKNOWN"

// useSession sends a Range for what its metadata says about a session.
func (c *Client) useSession(ctx context.Context, within time.Duration) error {
	if !c.sessions.enter() {
		return context.Canceled
	}
	defer c.sessions.background.Done()
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	_, err := kvOf(c.endpoint().conn).Range(ctx, nothing())
	return err
}

// nothing is a read that costs nothing.
func nothing() *pb.RangeRequest {
	return &pb.RangeRequest{Key: noEnd, Serializable: true, CountOnly: true}
}

// openSession registers a session; nil if the server knows of none.
func (c *Client) openSession(ctx context.Context) (*session, error) {
	var header metadata.MD
	r := request{op: "open session", read: true}
	_, err := invoke(ctx, c, r, func(ctx context.Context, conn grpc.ClientConnInterface) (*pb.RangeResponse, error) {
		return kvOf(conn).Range(sessions.Open(ctx), nothing(), grpc.Header(&header))
	})
	if err != nil {
		return nil, err
	}
	grant, granted := sessions.GrantOf(header)
	if !granted {
		return nil, nil
	}
	return &session{
		client: c, grant: grant, next: 1, used: time.Now(),
		parked: make(map[uint64]bool), room: make(chan struct{}),
	}, nil
}
