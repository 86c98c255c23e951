package etcdapi_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"castaway/actors"
	"castaway/cluster/etcdapi"
	"castaway/cluster/etcdapi/outcome"
	"castaway/cluster/etcdapi/sessions"
	"castaway/cluster/kv"
	"castaway/persistence"
	"castaway/raft"
)

// castGroup is a group of one that is made of actors.
func castGroup(t *testing.T) *actors.Group {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	system := actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return quiet }),
		actor.WithDeadLetterThrottleInterval(time.Millisecond))
	t.Cleanup(system.Shutdown)
	host := actors.DefaultHostConfig()
	host.ID, host.ClusterID, host.Logger = 1, clusterID, quiet
	host.Network, host.Store = actors.NewLocalNetwork(1).Node(1), persistence.NewMemory()
	h := must(actors.StartHost(system, host))(t)
	t.Cleanup(func() { _ = h.Stop(context.Background()) })
	cfg := actors.DefaultGroupConfig()
	cfg.Voters, cfg.TickInterval, cfg.ElectionTicks = []raft.NodeID{1}, 2*time.Millisecond, 20
	cfg.Sessions.MaxOutstanding = 8
	cfg.Machine = func() actors.StateMachine { return kv.New() }
	return must(h.AddGroup(cfg))(t)
}

func openSession(t *testing.T, d *door) sessions.Grant {
	t.Helper()
	var header metadata.MD
	must(d.kv.Range(sessions.Open(soon(t)), get("k"), grpc.Header(&header)))(t)
	grant, granted := sessions.GrantOf(header)
	if !granted || grant.Window != 8 || grant.Timeout != time.Minute {
		t.Fatalf("granted was %+v, in %v", grant, header)
	}
	return grant
}

// A write of a session is carried out once, however often it is sent: each answer is the
// first one's, for each kind of write.
func TestC29_AWriteWithHeadersIsDoneOnce(t *testing.T) {
	d := open(t, func(c *etcdapi.Config) { c.Group = castGroup(t) })
	session := openSession(t, d).Session
	write := sessions.Write{Session: session, Acknowledged: 1}
	revisions := func(sequence uint64, send func(ctx context.Context) *pb.ResponseHeader) {
		t.Helper()
		write.Sequence = sequence
		first := send(write.Attach(soon(t)))
		must(d.kv.Put(soon(t), put("other", "x")))(t)
		if again := send(write.Attach(soon(t))); again.Revision != first.Revision || first.Revision == 0 {
			t.Errorf("write %d was answered with revision %d, and sent again with %d", sequence, first.Revision, again.Revision)
		}
	}
	revisions(1, func(ctx context.Context) *pb.ResponseHeader { return must(d.kv.Put(ctx, put("k", "1")))(t).Header })
	revisions(2, func(ctx context.Context) *pb.ResponseHeader {
		r := must(d.kv.Txn(ctx, &pb.TxnRequest{Success: []*pb.RequestOp{opPut("k", "2"), opGet(get("k"))}}))(t)
		if len(r.Responses) != 2 {
			t.Errorf("answered %v", r)
		}
		return r.Header
	})
	revisions(3, func(ctx context.Context) *pb.ResponseHeader {
		r := must(d.kv.DeleteRange(ctx, &pb.DeleteRangeRequest{Key: []byte("k")}))(t)
		if r.Deleted != 1 {
			t.Errorf("deleted %d", r.Deleted)
		}
		return r.Header
	})
	if r := must(d.kv.Range(soon(t), get("other")))(t); r.Header.Revision != 1+6 {
		t.Errorf("six writes came to revision %d", r.Header.Revision)
	}
}

// Each thing that can be wrong with a session has its status, reason and outcome.
func TestErrorsOfSessions(t *testing.T) {
	d := open(t, func(c *etcdapi.Config) { c.Group = castGroup(t) })
	session := openSession(t, d).Session
	used := openSession(t, d).Session
	must(d.kv.Put(sessions.Write{Session: used, Sequence: 2, Acknowledged: 2}.Attach(soon(t)), put("k", "v")))(t)
	must(d.kv.Range(sessions.Use(soon(t), session), get("k")))(t)
	must(d.kv.Range(sessions.End(soon(t), session), get("k")))(t)
	for name, x := range map[string]struct {
		ctx    context.Context
		code   codes.Code
		reason string
		doubt  bool
	}{
		"ended":        {sessions.Write{Session: session, Sequence: 1, Acknowledged: 1}.Attach(soon(t)), codes.FailedPrecondition, "SESSION_UNKNOWN", true},
		"ended, first": {sessions.Write{Session: session, Sequence: 1, Acknowledged: 1, First: true}.Attach(soon(t)), codes.FailedPrecondition, "SESSION_UNKNOWN", false},
		"acknowledged": {sessions.Write{Session: used, Sequence: 1, Acknowledged: 1}.Attach(soon(t)), codes.FailedPrecondition, "SESSION_ACKNOWLEDGED", true},
		"too far":      {sessions.Write{Session: used, Sequence: 10, Acknowledged: 2}.Attach(soon(t)), codes.FailedPrecondition, "SESSION_TOO_FAR", false},
		"malformed":    {metadata.AppendToOutgoingContext(soon(t), sessions.SessionHeader, "x"), codes.InvalidArgument, "SESSION_MALFORMED", false},
		"no sequence":  {sessions.Use(soon(t), used), codes.InvalidArgument, "SESSION_MALFORMED", false},
	} {
		_, err := d.kv.Put(x.ctx, put("k", "w"))
		info, told := outcome.Of(status.Convert(err))
		if status.Code(err) != x.code || !told || info.Reason != x.reason || info.Indeterminate != x.doubt {
			t.Errorf("%s: %v, %+v", name, err, info)
		}
	}
	if _, err := d.kv.Range(sessions.Use(soon(t), session), get("k")); status.Code(err) != codes.FailedPrecondition {
		t.Errorf("a session that has ended is renewed: %v", err)
	}
	if _, err := d.kv.Range(metadata.AppendToOutgoingContext(soon(t), sessions.SessionHeader, "x"), get("k")); status.Code(err) != codes.InvalidArgument {
		t.Errorf("a read with metadata that makes no sense: %v", err)
	}
	if r := must(d.kv.Range(soon(t), get("k")))(t); string(r.Kvs[0].Value) != "v" {
		t.Errorf("what failed was done: %v", r)
	}
	plain := open(t)
	for _, ctx := range []context.Context{sessions.Open(soon(t)), sessions.Use(soon(t), 1)} {
		if _, err := plain.kv.Range(ctx, get("k")); status.Code(err) != codes.Unimplemented {
			t.Errorf("a group without sessions: %v", err)
		}
	}
	if _, err := plain.kv.Put(sessions.Write{Session: 1, Sequence: 1, Acknowledged: 1}.Attach(soon(t)), put("k", "v")); status.Code(err) != codes.Unimplemented {
		t.Errorf("a group without sessions: %v", err)
	}
}
