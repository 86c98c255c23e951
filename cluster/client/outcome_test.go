package client_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"

	"castaway/actors"
	"castaway/cluster/client"
	"castaway/cluster/etcdapi/apitest"
)

// outcomeOf checks that an error is of exactly one outcome, and gives it.
func outcomeOf(t *testing.T, err error) error {
	t.Helper()
	notDone, unknown := errors.Is(err, client.ErrNotDone), errors.Is(err, client.ErrIndeterminate)
	if notDone == unknown {
		t.Fatalf("not done: %v, indeterminate: %v, in %v", notDone, unknown, err)
	}
	if unknown {
		return client.ErrIndeterminate
	}
	return client.ErrNotDone
}

// A write that is not done is tried again until it is.
func TestWhatIsNotDoneIsRepeated(t *testing.T) {
	for _, reason := range []actors.Reason{
		actors.ReasonNoLeader, actors.ReasonNotReady, actors.ReasonStopped, actors.ReasonOverloaded, actors.ReasonLeadershipLost,
	} {
		c := start(t, 1)
		c.members[0].before(failing(3, apitest.NotDone(reason, 0)))
		r, err := connect(t, c.addresses()).Put(soon(t), "k", []byte("v"))
		if err != nil || r.Header.Revision != 2 || c.members[0].asked() != 4 {
			t.Errorf("reason %d: %v, after %d attempts", reason, err, c.members[0].asked())
		}
	}
}

// A write that may have been done is not repeated, whatever lost its answer.
func TestIndeterminateWritesAreNotRepeated(t *testing.T) {
	for _, reason := range []actors.Reason{actors.ReasonLeadershipLost, actors.ReasonRestarted, actors.ReasonStopped} {
		c := start(t, 2)
		c.group.After(failing(1, apitest.Indeterminate(reason)))
		_, err := connect(t, c.addresses()).Put(soon(t), "k", []byte("v"))
		if outcomeOf(t, err) != client.ErrIndeterminate {
			t.Errorf("reason %d: %v", reason, err)
		}
		if n := len(c.group.Requests()); n != 1 {
			t.Errorf("reason %d: done %d times", reason, n)
		}
	}
}

// Unless the caller says that it may be done twice.
func TestIndeterminateWritesAreRepeatedOnRequest(t *testing.T) {
	c := start(t, 1)
	c.group.After(failing(1, apitest.Indeterminate(actors.ReasonLeadershipLost)))
	r, err := connect(t, c.addresses()).Put(soon(t), "k", []byte("v"), client.RetryIndeterminate())
	if err != nil || r.Header.Revision != 3 {
		t.Errorf("%+v, %v; want revision 3, since it was done twice", r, err)
	}
}

// Reads change nothing, so they are repeated whatever became of them.
func TestReadsAreRepeated(t *testing.T) {
	c := start(t, 1)
	c.group.After(failing(2, apitest.Indeterminate(actors.ReasonRestarted)))
	cl := connect(t, c.addresses())
	must(cl.Get(soon(t), "k"))(t)
	c.group.After(failing(2, apitest.Indeterminate(actors.ReasonRestarted)))
	must(cl.Txn(soon(t), client.Txn{Then: []client.Op{client.OpGet("k")}}))(t)
}

// What no server could ever do is not tried again.
func TestRefusalsAreFinal(t *testing.T) {
	c := start(t, 2)
	cl, ctx := connect(t, c.addresses()), soon(t)
	must(cl.Put(ctx, "k", []byte("1")))(t)
	must(cl.Put(ctx, "k", []byte("2")))(t)
	cases := map[error]func() error{
		rpctypes.ErrCompacted: func() error { _, err := cl.Get(ctx, "k", client.AtRevision(2)); return err },
		rpctypes.ErrFutureRev: func() error { _, err := cl.Get(ctx, "k", client.AtRevision(9)); return err },
		rpctypes.ErrEmptyKey:  func() error { _, err := cl.Put(ctx, "", nil); return err },
		rpctypes.ErrRequestTooLarge: func() error {
			_, err := cl.Put(ctx, "k", make([]byte, 3<<19))
			return err
		},
		rpctypes.ErrDuplicateKey: func() error {
			_, err := cl.Txn(ctx, client.Txn{Then: []client.Op{client.OpPut("a", nil), client.OpPut("a", nil)}})
			return err
		},
		rpctypes.ErrKeyNotFound: func() error { _, err := cl.Put(ctx, "none", nil, client.IgnoreValue()); return err },
	}
	for want, do := range cases {
		err := do()
		var e *client.Error
		if !errors.Is(err, want) || outcomeOf(t, err) != client.ErrNotDone || !errors.As(err, &e) || e.Attempts != 1 {
			t.Errorf("want %v in one attempt, not done: %v", want, err)
		}
	}
	if _, err := cl.Put(ctx, "k", make([]byte, 10<<20)); outcomeOf(t, err) != client.ErrNotDone {
		t.Errorf("what the server does not even read: %v", err)
	}
	c.group.Before(failing(always, apitest.NotDone(actors.ReasonDiskReserve, 0)))
	if _, err := cl.Put(ctx, "k", nil); !errors.Is(err, rpctypes.ErrNoSpace) || outcomeOf(t, err) != client.ErrNotDone {
		t.Errorf("a full disk: %v", err)
	}
}

// Once an attempt may have had an effect, no later refusal makes that undone.
func TestTheWorstOutcomeCounts(t *testing.T) {
	c := start(t, 1)
	c.group.After(failing(1, apitest.Indeterminate(actors.ReasonLeadershipLost)))
	c.members[0].before(func(context.Context, apitest.Request) error {
		if len(c.group.Requests()) == 0 {
			return nil
		}
		return apitest.NotDone(actors.ReasonDiskReserve, 0)
	})
	_, err := connect(t, c.addresses()).Put(soon(t), "k", nil, client.RetryIndeterminate())
	if outcomeOf(t, err) != client.ErrIndeterminate || !errors.Is(err, rpctypes.ErrNoSpace) {
		t.Errorf("first lost, then refused: %v", err)
	}
}

// A server that dies with a write in hand may have done it.
func TestAServerThatDiesInMidWriteIsIndeterminate(t *testing.T) {
	c := start(t, 2)
	begun := make(chan struct{})
	c.members[0].before(func(ctx context.Context, _ apitest.Request) error {
		close(begun)
		<-ctx.Done()
		return ctx.Err()
	})
	go func() {
		<-begun
		c.members[0].kill()
	}()
	cl := connect(t, c.addresses())
	_, err := cl.Put(soon(t), "k", []byte("v"))
	if outcomeOf(t, err) != client.ErrIndeterminate {
		t.Errorf("%v", err)
	}
	if _, err := cl.Put(soon(t), "k", []byte("v")); err != nil {
		t.Errorf("the next write, at the other member: %v", err)
	}
}

// A server that is not there has done nothing: the write goes to the next one.
func TestAServerThatIsNotThereIsPassedOver(t *testing.T) {
	c := start(t, 1)
	gone := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	if err := gone.Close(); err != nil {
		t.Fatal(err)
	}
	cl := connect(t, append([]string{gone.Addr().String()}, c.addresses()...))
	must(cl.Put(soon(t), "k", []byte("v")))(t)
	if cl.Endpoints()[0] != c.members[0].address {
		t.Errorf("the client prefers %v", cl.Endpoints())
	}
}

// A write that never left is not done, even when time is up while it waits for a
// connection to a server that accepts it and says nothing.
func TestWhatNeverLeftIsNotDone(t *testing.T) {
	mute := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	t.Cleanup(func() {
		if err := mute.Close(); err != nil {
			t.Error(err)
		}
	})
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	_, err := connect(t, []string{mute.Addr().String()}).Put(ctx, "k", []byte("v"))
	if outcomeOf(t, err) != client.ErrNotDone || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}
