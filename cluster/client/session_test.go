package client_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"castaway/actors"
	"castaway/cluster/client"
	"castaway/cluster/etcdapi/apitest"
	"castaway/cluster/etcdapi/sessions"
	"castaway/raft"
)

// lossy loses the answers of writes, after they were carried out, as long as lose says.
func lossy(lose func(method string) bool) func(*client.Options) {
	return func(o *client.Options) {
		o.NoSession = false
		o.DialOptions = append(o.DialOptions, grpc.WithUnaryInterceptor(
			func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
				err := invoke(ctx, method, req, reply, cc, opts...)
				if err == nil && !strings.HasSuffix(method, "Range") && !strings.HasSuffix(method, "Status") && lose(method) {
					return status.Error(codes.Unavailable, "the answer was lost")
				}
				return err
			}))
	}
}

// incoming makes what is sent with ctx what came in.
func incoming(ctx context.Context) context.Context {
	sent, _ := metadata.FromOutgoingContext(ctx)
	return metadata.NewIncomingContext(ctx, sent)
}

// sessionsOf is how many sessions the cluster has.
func (c *cast) sessionsOf(t *testing.T) int {
	t.Helper()
	return must(c.groups[c.leader(t, -1)].Status(soon(t)))(t).Sessions
}

// With most answers lost, each write is done once, and its answer is the first.
func TestC29_LostAnswersAreAskedForAgain(t *testing.T) {
	c := startCast(t)
	c.leader(t, -1)
	var n atomic.Int64
	opts := client.Options{Endpoints: c.doors, Retry: fast, LeaderInterval: -1}
	lossy(func(string) bool { return n.Add(1)%4 != 0 })(&opts)
	cl := must(client.New(opts))(t)
	var before int64
	for i := range 10 {
		r := must(cl.Put(soon(t), "k", fmt.Append(nil, i), client.PrevKV()))(t)
		if i > 0 && (r.Prev == nil || r.Prev.Version != int64(i) || r.Header.Revision != before+1) {
			t.Errorf("put %d replaced %+v, at revision %d after %d", i, r.Prev, r.Header.Revision, before)
		}
		before = r.Header.Revision
	}
	must(cl.Txn(soon(t), client.Txn{Then: []client.Op{client.OpPut("k", nil)}}))(t)
	if r := must(cl.Get(soon(t), "k"))(t); r.KVs[0].Version != 11 {
		t.Errorf("eleven writes came to version %d", r.KVs[0].Version)
	}
	if r := must(cl.Delete(soon(t), "k"))(t); r.Deleted != 1 {
		t.Errorf("%d deleted, as the first attempt did", r.Deleted)
	}
	if n := c.sessionsOf(t); n != 1 {
		t.Errorf("%d sessions of one client", n)
	}
	if err := cl.Close(); err != nil {
		t.Fatal(err)
	}
	if n := c.sessionsOf(t); n != 0 {
		t.Errorf("%d sessions of a client that was closed", n)
	}
}

// When time is up before an answer comes, the outcome is unknown; Resolve finds it out,
// also after other writes, and does not do it again.
func TestC29_ResolveTellsWhatBecameOfAWrite(t *testing.T) {
	c := startCast(t)
	c.leader(t, -1)
	var losing atomic.Bool
	cl := connect(t, c.doors, lossy(func(string) bool { return losing.Load() }))
	first := must(cl.Put(soon(t), "k", []byte("1")))(t)
	losing.Store(true)
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	_, lost := cl.Put(ctx, "k", []byte("2"))
	if outcomeOf(t, lost) != client.ErrIndeterminate {
		t.Fatalf("with all answers lost: %v", lost)
	}
	losing.Store(false)
	must(cl.Put(soon(t), "k", []byte("3")))(t)
	r, ok := must(cl.Resolve(soon(t), lost))(t).(*client.PutResult)
	if !ok || r.Header.Revision != first.Header.Revision+1 {
		t.Errorf("resolved to %+v, the write before was at %d", r, first.Header.Revision)
	}
	if got := must(cl.Get(soon(t), "k"))(t).KVs[0]; string(got.Value) != "3" || got.Version != 3 {
		t.Errorf("after all, there is %+v", got)
	}
	if _, err := cl.Resolve(soon(t), lost); outcomeOf(t, err) != client.ErrIndeterminate {
		t.Errorf("resolved twice: %v", err)
	}
	if _, err := cl.Resolve(soon(t), context.Canceled); !errors.Is(err, context.Canceled) {
		t.Errorf("what is no write's error: %v", err)
	}
}

// A session that has ended is replaced without a word, unless a write is in doubt: that
// stays in doubt, and is not done again.
func TestC29_ASessionThatEnded(t *testing.T) {
	c := startCast(t)
	g := c.groups[c.leader(t, -1)]
	var losing, ending atomic.Bool
	var session atomic.Uint64
	see := func(o *client.Options) {
		o.DialOptions = append(o.DialOptions, grpc.WithChainUnaryInterceptor(
			func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
				if sent, err := sessions.RequestOf(incoming(ctx)); err == nil && sent.Session != 0 {
					session.Store(sent.Session)
				}
				return invoke(ctx, method, req, reply, cc, opts...)
			}))
	}
	end := func() {
		if err := g.EndSession(soon(t), raft.SessionID(session.Load())); err != nil {
			t.Error(err)
		}
	}
	cl := connect(t, c.doors, see, lossy(func(string) bool {
		if ending.CompareAndSwap(true, false) {
			end() // between two attempts
			return true
		}
		return losing.Load()
	}))
	must(cl.Put(soon(t), "k", nil))(t)
	end()
	must(cl.Put(soon(t), "k", nil))(t)
	losing.Store(true)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, lost := cl.Put(ctx, "k", nil)
	losing.Store(false)
	end()
	_, err := cl.Resolve(soon(t), lost)
	var e *client.Error
	if outcomeOf(t, err) != client.ErrIndeterminate || !errors.As(err, &e) || e.Reason != "SESSION_UNKNOWN" {
		t.Errorf("its session has ended: %v", err)
	}
	ending.Store(true)
	if _, err := cl.Put(soon(t), "k", nil); outcomeOf(t, err) != client.ErrIndeterminate {
		t.Errorf("its session ended between two attempts: %v", err)
	}
	must(cl.Put(soon(t), "k", nil))(t)
	if r := must(cl.Get(soon(t), "k"))(t); r.KVs[0].Version != 5 {
		t.Errorf("five writes came to version %d", r.KVs[0].Version)
	}
}

// A write in doubt keeps its session alive; one that nobody asks about does not keep the
// others out, and then nobody can say any more what became of it.
func TestC29_AWriteInDoubt(t *testing.T) {
	const timeout = 500 * time.Millisecond
	c := startCast(t, func(g *actors.GroupConfig) { g.Sessions.Timeout, g.Sessions.MaxOutstanding = timeout, 4 })
	c.leader(t, -1)
	var losing atomic.Bool
	cl := connect(t, c.doors, lossy(func(string) bool { return losing.Load() }))
	other := connect(t, c.doors, func(o *client.Options) { o.NoSession = false })
	lose := func() error {
		t.Helper()
		losing.Store(true)
		defer losing.Store(false)
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		_, err := cl.Put(ctx, "k", nil)
		if outcomeOf(t, err) != client.ErrIndeterminate {
			t.Fatalf("with all answers lost: %v", err)
		}
		return err
	}
	must(cl.Put(soon(t), "k", nil))(t)
	lost := lose()
	for began := time.Now(); time.Since(began) < 3*timeout; { // others make the time of sessions pass
		must(other.Put(soon(t), "other", nil))(t)
	}
	if _, err := cl.Resolve(soon(t), lost); err != nil {
		t.Errorf("after three timeouts: %v", err)
	}
	lost = lose()
	for range 10 {
		must(cl.Put(soon(t), "k", nil))(t)
	}
	if _, err := cl.Resolve(soon(t), lost); outcomeOf(t, err) != client.ErrIndeterminate {
		t.Errorf("behind a window's worth of writes: %v", err)
	}
	if r := must(cl.Get(soon(t), "k"))(t); r.KVs[0].Version != 13 {
		t.Errorf("thirteen writes came to version %d", r.KVs[0].Version)
	}
}

// Servers without sessions are told apart: then nothing that is in doubt is repeated.
func TestServersWithoutSessions(t *testing.T) {
	c := start(t, 1)
	c.group.After(failing(1, apitest.Indeterminate(actors.ReasonRestarted)))
	cl := connect(t, c.addresses(), func(o *client.Options) { o.NoSession = false })
	c.group.Before(func(_ context.Context, r apitest.Request) error {
		if _, read := r.Query.(*pb.RangeRequest); read {
			t.Error("the session's read was carried out")
		}
		return nil
	})
	_, err := cl.Put(soon(t), "k", nil)
	if outcomeOf(t, err) != client.ErrIndeterminate {
		t.Errorf("%v", err)
	}
	if _, err := cl.Resolve(soon(t), err); outcomeOf(t, err) != client.ErrIndeterminate {
		t.Errorf("%v", err)
	}
	must(cl.Put(soon(t), "k", nil))(t)
}

// Without a leader no session is opened, and the write was not done.
func TestAWriteWithoutASessionIsNotDone(t *testing.T) {
	c := startCast(t)
	c.leader(t, -1)
	for _, g := range c.groups {
		c.network.Isolate(g.Node())
	}
	cl := connect(t, c.doors, func(o *client.Options) { o.NoSession = false })
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	_, err := cl.Put(ctx, "k", nil)
	var e *client.Error
	if outcomeOf(t, err) != client.ErrNotDone || !errors.As(err, &e) || e.Op != "put" || e.Key != "k" {
		t.Errorf("%v", err)
	}
	c.network.HealAll()
	must(cl.Put(soon(t), "k", nil))(t)
}
