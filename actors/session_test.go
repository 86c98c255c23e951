package actors

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"castaway/raft"
)

// sessionLoad is clients, each with a session of its own: what they begin must be done.
type sessionLoad struct {
	*load
	t testing.TB
}

// beginSessions returns when all sessions are registered. One that is registered while
// something crashes may be so twice, and the first would be left to its timeout.
func (c *cluster) beginSessions(clients int) *sessionLoad {
	l := &sessionLoad{load: &load{c: c, stop: make(chan struct{}), told: make(map[string]Outcome)}, t: c.t}
	var opened sync.WaitGroup
	for _, id := range c.ids {
		for i := range clients {
			opened.Add(1)
			l.clients.Go(func() { l.client(c.nodes[id].group, fmt.Sprintf("%d/%d", id, i), opened.Done) })
		}
	}
	opened.Wait()
	return l
}

func (l *sessionLoad) client(g *Group, name string, opened func()) {
	ctx, cancel := context.WithTimeout(context.Background(), 100*l.c.timeout())
	defer cancel()
	s, err := g.OpenSession(ctx)
	opened()
	if err != nil {
		l.t.Errorf("no session: %v", err)
		return
	}
	for i := 0; ; i++ {
		select {
		case <-l.stop:
			if err := s.Close(ctx); err != nil {
				l.t.Errorf("closing: %v", err)
			}
			return
		default:
		}
		command := fmt.Sprintf("%s/%d", name, i)
		r, err := s.Propose(ctx, []byte(command))
		if err != nil {
			l.t.Errorf("%s: %v", command, err)
			return
		}
		l.mu.Lock()
		l.told[command] = Outcome{Result: r}
		l.mu.Unlock()
	}
}

// Whatever crashes and whoever leads, a session's commands are done, and done once; at
// the end nothing is left of the sessions, and all nodes agree.
func TestC29_SessionsThroughCrashesAndFailovers(t *testing.T) {
	anyActor(t, func(t *testing.T, name string) {
		crashers := make(map[raft.NodeID]*crasher)
		c := newCluster(t, 3, func(h *HostConfig, g *GroupConfig) {
			crashers[h.ID] = &crasher{actor: name}
			h.Inject = crashers[h.ID].inject
			plenty := Budget{Restarts: 1000, Within: time.Minute}
			h.HostBudget, h.TransportBudget, h.GroupBudget = plenty, plenty, plenty
			g.ServerBudget, g.LogBudget, g.MachineBudget = plenty, plenty, plenty
		})
		c.leader()
		load := c.beginSessions(2)
		for range 6 {
			load.commitsAgain(20)
			id := c.ids[rand.IntN(len(c.ids))]
			before := crashers[id].fired.Load()
			crashers[id].arm(40)
			c.poke(c.nodes[id], 40)
			c.eventually(10, "crash", func() bool { return crashers[id].fired.Load() > before })
			if err := c.nodes[c.ids[rand.IntN(len(c.ids))]].group.Campaign(t.Context()); err != nil {
				t.Error(err)
			}
		}
		load.commitsAgain(20)
		load.end()
		first := c.nodes[1].status()
		for _, id := range c.ids {
			if st := c.nodes[id].status(); st.Sessions != 0 || st.SessionsHash != first.SessionsHash {
				t.Errorf("node %d has %d sessions, hash %x; node 1 has hash %x", id, st.Sessions, st.SessionsHash, first.SessionsHash)
			}
		}
	})
}

// When the caller's context ends first, the outcome is unknown; who asks again later
// learns it, and gets the first answer.
func TestC29_ALaterRetryLearnsWhatBecameOfIt(t *testing.T) {
	c := newCluster(t, 3, nil)
	leader := c.leader()
	s, err := leader.group.OpenSession(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Begin([]byte("in doubt"))
	if err != nil {
		t.Fatal(err)
	}
	c.network.Isolate(leader.id)
	ctx, cancel := context.WithTimeout(t.Context(), c.timeout()/4)
	defer cancel()
	if _, err := p.Propose(ctx); !errors.Is(err, ErrIndeterminate) || !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("cut off, the proposal ends with %v", err)
	}
	c.network.HealAll()
	second, err := s.Propose(t.Context(), []byte("behind it")) // whose acknowledgement must leave the first alone
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.Propose(t.Context())
	if err != nil || r.Index == second.Index || !c.observer.holds(r.Index, "in doubt") {
		t.Fatalf("asked again: %+v, %v", r, err)
	}
	c.agree()
	times, err := leader.group.Read(t.Context(), "in doubt", Linearizable)
	if err != nil || times != 1 {
		t.Errorf("it was done %v times (%v)", times, err)
	}
	// It is answered, so that whatever follows acknowledges it.
	if _, err := s.Propose(t.Context(), []byte("more")); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Propose(t.Context()); !isReason(err, ReasonSessionAcknowledged) || !errors.Is(err, ErrIndeterminate) {
		t.Errorf("what was acknowledged is answered: %v", err)
	}
}

// A session renews itself, alone; once it is closed or unknown, its commands fail as not
// done, and nothing is executed.
func TestC29_ASessionLivesUntilItIsClosed(t *testing.T) {
	c := newCluster(t, 3, func(_ *HostConfig, g *GroupConfig) { g.Sessions.Timeout = 300 * time.Millisecond })
	leader := c.leader()
	idle, err := leader.group.OpenSession(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	busy, err := c.followers(leader)[0].group.OpenSession(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for start := time.Now(); time.Since(start) < 900*time.Millisecond; {
		if _, err := busy.Propose(t.Context(), []byte("busy")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := idle.Propose(t.Context(), []byte("still there")); err != nil || idle.Err() != nil {
		t.Fatalf("after three timeouts: %v, %v", err, idle.Err())
	}
	if err := leader.group.EndSession(t.Context(), idle.ID()); err != nil { // by somebody else
		t.Fatal(err)
	}
	if err := busy.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, s := range []*Session{idle, busy} {
		_, err := s.Propose(t.Context(), []byte("too late"))
		var e *Error
		if !errors.As(err, &e) || e.Reason != ReasonSessionUnknown || e.Indeterminate || s.Err() == nil {
			t.Errorf("session %d has ended: %v, %v", s.ID(), err, s.Err())
		}
	}
	if n, err := leader.group.Read(t.Context(), "too late", Linearizable); err != nil || n != 0 {
		t.Errorf("done %v times (%v)", n, err)
	}
	if err := leader.group.RenewSession(t.Context(), idle.ID()); !isReason(err, ReasonSessionUnknown) {
		t.Errorf("renewed: %v", err)
	}
}

func isReason(err error, reason Reason) bool {
	var e *Error
	return errors.As(err, &e) && e.Reason == reason
}

// What a door can get wrong, and what each means for the command.
func TestProposeInSession_SaysWhatAnErrorMeans(t *testing.T) {
	c := newCluster(t, 1, func(_ *HostConfig, g *GroupConfig) {
		g.Sessions.MaxOutstanding, g.Sessions.MaxSessions, g.Sessions.MaxSessionBytes = 4, 1, 0
	})
	g := c.leader().group
	grant, err := g.RegisterSession(t.Context())
	if err != nil || grant.MaxOutstanding != 4 || grant.Timeout != time.Minute {
		t.Fatalf("%+v, %v", grant, err)
	}
	if _, err := g.RegisterSession(t.Context()); !isReason(err, ReasonOverloaded) || errors.Is(err, ErrIndeterminate) {
		t.Errorf("one session too many: %v", err)
	}
	for _, x := range []struct {
		ref    SessionRef
		reason Reason
		doubt  bool
	}{
		{SessionRef{ID: grant.ID}, ReasonSessionMalformed, false},
		{SessionRef{Sequence: 1}, ReasonSessionMalformed, false},
		{SessionRef{ID: grant.ID, Sequence: 1, Acknowledged: 2}, ReasonSessionMalformed, false},
		{SessionRef{ID: grant.ID, Sequence: 5}, ReasonSessionTooFar, false},
		{SessionRef{ID: grant.ID, Sequence: 2, Acknowledged: 2}, ReasonNone, false},
		{SessionRef{ID: grant.ID, Sequence: 1}, ReasonSessionAcknowledged, true},
		{SessionRef{ID: grant.ID, Sequence: 2}, ReasonResultLost, false}, // MaxSessionBytes is zero
		{SessionRef{ID: grant.ID + 1, Sequence: 1}, ReasonSessionUnknown, true},
		{SessionRef{ID: grant.ID + 1, Sequence: 1, First: true}, ReasonSessionUnknown, false},
	} {
		r, err := g.ProposeInSession(t.Context(), x.ref, []byte("x"))
		if x.reason == ReasonNone && err != nil || x.reason != ReasonNone && !isReason(err, x.reason) ||
			errors.Is(err, ErrIndeterminate) != x.doubt || errors.Is(err, ErrDone) != (x.reason == ReasonResultLost) {
			t.Errorf("%+v: %+v, %v", x.ref, r, err)
		}
	}
	if n, err := g.Read(t.Context(), "x", Linearizable); err != nil || n != 1 {
		t.Errorf("done %v times (%v)", n, err)
	}
	large := make([]byte, g.Config().Limits.MaxEntryBytes)
	if _, err := g.ProposeInSession(t.Context(), SessionRef{ID: grant.ID, Sequence: 3}, large); !isReason(err, ReasonTooLarge) {
		t.Errorf("no room for what is around the command: %v", err)
	}
}

// Commands of one session that wait together are in order, and the window bounds them.
func TestSession_BoundsWhatIsOutstanding(t *testing.T) {
	c := newCluster(t, 1, func(_ *HostConfig, g *GroupConfig) { g.Sessions.MaxOutstanding = 3 })
	s, err := c.leader().group.OpenSession(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var pending []*Pending
	for range 3 {
		p, err := s.Begin([]byte("x"))
		if err != nil {
			t.Fatal(err)
		}
		pending = append(pending, p)
	}
	if _, err := s.Begin(nil); !isReason(err, ReasonOverloaded) {
		t.Errorf("a fourth begins: %v", err)
	}
	slices.Reverse(pending)
	var all sync.WaitGroup
	for _, p := range pending {
		all.Go(func() {
			if _, err := p.Propose(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	p, err := s.Begin([]byte("y"))
	if err != nil || p.Sequence() != 4 {
		t.Errorf("when they are answered: %v", err)
	}
}

// BenchmarkProposeInSession is BenchmarkPropose with a session for each client.
func BenchmarkProposeInSession(b *testing.B) {
	c := newCluster(b, 3, func(_ *HostConfig, g *GroupConfig) {
		g.TickInterval, g.ElectionTicks, g.HeartbeatTicks = 20*time.Millisecond, 50, 5
		g.Machine = func() StateMachine { return &journal{} }
	})
	leader := c.leader()
	b.SetParallelism(512)
	command := make([]byte, 256)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		s, err := leader.group.OpenSession(context.Background())
		if err != nil {
			b.Error(err)
			return
		}
		for pb.Next() {
			if _, err := s.Propose(context.Background(), command); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
