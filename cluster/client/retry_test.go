package client_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	"castaway/actors"
	"castaway/cluster/client"
	"castaway/cluster/etcdapi/apitest"
	"castaway/raft"
)

// A server that names the leader is taken at its word.
func TestTheClientFollowsAHint(t *testing.T) {
	c := start(t, 3)
	c.members[0].before(failing(always, apitest.NotDone(actors.ReasonNotLeader, 3)))
	cl := connect(t, c.addresses()[:1])
	must(cl.Put(soon(t), "k", []byte("v")))(t)
	if n := []int{c.members[0].asked(), c.members[1].asked(), c.members[2].asked()}; !slices.Equal(n, []int{1, 0, 1}) {
		t.Errorf("requests per member: %v", n)
	}
	if cl.Endpoints()[0] != c.members[2].address {
		t.Errorf("the client prefers %v", cl.Endpoints())
	}
}

// Two servers that take each other for the leader do not make the client run in
// circles: it pauses, and comes through when one of them leads.
func TestHintsInACircleAreFollowedWithPauses(t *testing.T) {
	c := start(t, 2)
	c.members[0].before(failing(3, apitest.NotDone(actors.ReasonNotLeader, 2)))
	c.members[1].before(failing(3, apitest.NotDone(actors.ReasonNotLeader, 1)))
	cl := connect(t, c.addresses())
	must(cl.Put(soon(t), "k", []byte("v")))(t)
	if n := c.members[0].asked() + c.members[1].asked(); n != 7 {
		t.Errorf("%d attempts, want 7", n)
	}
}

// Any server will do, but the client finds out in the background who leads, and
// turns to it; so it does when another one leads.
func TestTheClientFindsTheLeader(t *testing.T) {
	c := start(t, 3)
	c.leads(2)
	log := newMoves()
	cl := connect(t, c.addresses()[:1], func(o *client.Options) {
		o.LeaderInterval = time.Millisecond
		o.Logger = slog.New(log)
	})
	for _, leader := range []int{2, 3, 1} {
		c.leads(raft.NodeID(leader))
		want := c.members[leader-1].address
		deadline := time.After(patience)
		for moved := leader == 1 && cl.Endpoints()[0] == want; !moved; {
			must(cl.Get(soon(t), "k"))(t)
			select {
			case to := <-log.to:
				moved = to == want
			case <-deadline:
				t.Fatalf("the client prefers %v, but member %d leads", cl.Endpoints(), leader)
			default:
			}
		}
	}
}

// A read does not wait for a server that hangs: it is tried elsewhere.
func TestReadsLeaveAServerThatHangs(t *testing.T) {
	c := start(t, 2)
	c.members[0].before(func(ctx context.Context, _ apitest.Request) error {
		<-ctx.Done()
		return ctx.Err()
	})
	cl := connect(t, c.addresses(), func(o *client.Options) { o.Retry.AttemptTimeout = 20 * time.Millisecond })
	must(cl.Get(soon(t), "k"))(t)
	if c.members[0].asked() != 1 || c.members[1].asked() != 1 {
		t.Errorf("requests: %d and %d", c.members[0].asked(), c.members[1].asked())
	}
}

// When the next attempt would come too late there is none: the error comes before the
// deadline, and says what the last attempt said.
func TestNoPauseGoesBeyondTheDeadline(t *testing.T) {
	c := start(t, 1)
	c.members[0].before(failing(always, apitest.NotDone(actors.ReasonNoLeader, 0)))
	cl := connect(t, c.addresses(), func(o *client.Options) {
		o.Retry = client.RetryPolicy{MinBackoff: time.Hour, MaxBackoff: time.Hour}
	})
	ctx := soon(t)
	_, err := cl.Put(ctx, "k", nil)
	var e *client.Error
	if !errors.As(err, &e) || e.Reason != "NO_LEADER" || e.Attempts != 1 || ctx.Err() != nil {
		t.Errorf("%v; context: %v", err, ctx.Err())
	}
}

// A caller that goes away ends its request.
func TestACanceledRequestEnds(t *testing.T) {
	c := start(t, 1)
	ctx, cancel := context.WithCancel(context.Background())
	c.members[0].before(func(ctx context.Context, _ apitest.Request) error {
		cancel()
		<-ctx.Done()
		return ctx.Err()
	})
	_, err := connect(t, c.addresses()).Put(ctx, "k", nil)
	if outcomeOf(t, err) != client.ErrIndeterminate || !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestAttemptsAreLimited(t *testing.T) {
	c := start(t, 1)
	c.members[0].before(failing(always, apitest.NotDone(actors.ReasonNoLeader, 0)))
	cl := connect(t, c.addresses(), func(o *client.Options) { o.Retry.MaxAttempts = 3 })
	if _, err := cl.Put(soon(t), "k", nil); outcomeOf(t, err) != client.ErrNotDone || c.members[0].asked() != 3 {
		t.Errorf("%v, after %d attempts", err, c.members[0].asked())
	}
}

// A server that asks for a pause gets it.
func TestThePauseThatAServerAsksForIsKept(t *testing.T) {
	c := start(t, 1)
	c.members[0].before(failing(always, &actors.Error{Reason: actors.ReasonOverloaded, RetryAfter: time.Hour}))
	_, err := connect(t, c.addresses()).Put(soon(t), "k", nil)
	if outcomeOf(t, err) != client.ErrNotDone || c.members[0].asked() != 1 {
		t.Errorf("%v, after %d attempts", err, c.members[0].asked())
	}
}
