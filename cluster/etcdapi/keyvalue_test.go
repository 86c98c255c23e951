package etcdapi_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"castaway/actors"
	"castaway/cluster/etcdapi"
	"castaway/cluster/etcdapi/staleness"
	"castaway/raft"
)

// A client of etcd puts, reads, deletes and transacts, and every header says which
// cluster, member, revision and term it comes from.
func TestAClientOfEtcdIsServed(t *testing.T) {
	d, ctx := open(t), soon(t)
	d.group.Publish(actors.Event{Kind: actors.EventRole, Term: 1, Leader: 1})
	header := func(name string, h *pb.ResponseHeader, revision int64) {
		t.Helper()
		want := &pb.ResponseHeader{ClusterId: clusterID, MemberId: memberID, Revision: revision, RaftTerm: 1}
		if !proto.Equal(want, h) {
			t.Errorf("%s: header %v, want %v", name, h, want)
		}
	}
	p := must(d.kv.Put(ctx, put("a", "1")))(t)
	header("put", p.Header, 2)
	p = must(d.kv.Put(ctx, &pb.PutRequest{Key: []byte("a"), Value: []byte("2"), PrevKv: true}))(t)
	header("second put", p.Header, 3)
	if string(p.PrevKv.GetValue()) != "1" {
		t.Errorf("the second put replaced %v", p.PrevKv)
	}
	r := must(d.kv.Range(ctx, get("a")))(t)
	header("range", r.Header, 3)
	if len(r.Kvs) != 1 || string(r.Kvs[0].Value) != "2" || r.Kvs[0].Version != 2 || r.Count != 1 {
		t.Errorf("range: %v", r)
	}
	x := must(d.kv.Txn(ctx, &pb.TxnRequest{
		Compare: []*pb.Compare{{Key: []byte("a"), Target: pb.Compare_VALUE, TargetUnion: &pb.Compare_Value{Value: []byte("2")}}},
		Success: []*pb.RequestOp{opPut("b", "3"), opGet(&pb.RangeRequest{Key: []byte("a"), RangeEnd: []byte{0}})},
	}))(t)
	header("txn", x.Header, 4)
	if !x.Succeeded || len(x.Responses[1].GetResponseRange().Kvs) != 2 {
		t.Errorf("txn: %v", x)
	}
	del := must(d.kv.DeleteRange(ctx, &pb.DeleteRangeRequest{Key: []byte("a"), RangeEnd: []byte("c")}))(t)
	header("delete", del.Header, 5)
	if del.Deleted != 2 {
		t.Errorf("deleted %d keys", del.Deleted)
	}
}

// A read takes the way through a quorum unless the client does without; and a
// transaction that only reads is a read.
func TestConsistencyIsWhatTheClientAsksFor(t *testing.T) {
	stale := &pb.RangeRequest{Key: []byte("k"), Serializable: true}
	linearizable, serializable := actors.ReadOptions{}, actors.ReadOptions{Consistency: actors.Serializable}
	bounded := func(ctx context.Context) context.Context { return staleness.Attach(ctx, time.Second) }
	cases := []struct {
		name  string
		do    func(d *door, t *testing.T)
		write bool
		want  actors.ReadOptions
	}{
		{"a range", func(d *door, t *testing.T) { must(d.kv.Range(soon(t), get("k")))(t) }, false, linearizable},
		{"a serializable range", func(d *door, t *testing.T) { must(d.kv.Range(soon(t), stale))(t) }, false, serializable},
		{"a serializable range with a bound", func(d *door, t *testing.T) { must(d.kv.Range(bounded(soon(t)), stale))(t) }, false,
			actors.ReadOptions{Consistency: actors.Serializable, MaxLag: time.Second}},
		{"a range with a bound", func(d *door, t *testing.T) { must(d.kv.Range(bounded(soon(t)), get("k")))(t) }, false, linearizable},
		{"a txn that reads", func(d *door, t *testing.T) {
			must(d.kv.Txn(soon(t), &pb.TxnRequest{Success: []*pb.RequestOp{opGet(get("k"))}}))(t)
		}, false, linearizable},
		{"a txn of serializable reads", func(d *door, t *testing.T) {
			must(d.kv.Txn(soon(t), &pb.TxnRequest{Success: []*pb.RequestOp{opGet(stale)}}))(t)
		}, false, serializable},
		{"a txn that only compares", func(d *door, t *testing.T) { must(d.kv.Txn(soon(t), &pb.TxnRequest{}))(t) }, false, linearizable},
		{"a txn that may write", func(d *door, t *testing.T) {
			must(d.kv.Txn(soon(t), &pb.TxnRequest{Failure: []*pb.RequestOp{opPut("k", "v")}}))(t)
		}, true, linearizable},
	}
	for _, c := range cases {
		d := open(t)
		c.do(d, t)
		asked := d.group.Requests()[0]
		if asked.Write() != c.write || (!c.write && asked.ReadOptions != c.want) {
			t.Errorf("%s: the group was asked %+v", c.name, asked)
		}
	}
}

func TestABoundThatMakesNoSenseIsRefused(t *testing.T) {
	d := open(t)
	_, err := d.kv.Range(metadata.AppendToOutgoingContext(soon(t), staleness.Header, "soon"), &pb.RangeRequest{Key: []byte("k"), Serializable: true})
	if status.Code(err) != codes.InvalidArgument || !strings.Contains(err.Error(), staleness.Header) {
		t.Errorf("refused with %v", err)
	}
}

// What no server could do is refused in etcd's own words, and never proposed.
func TestRefusalsAreEtcds(t *testing.T) {
	d, ctx := open(t), soon(t)
	many := make([]*pb.RequestOp, 129)
	for i := range many {
		many[i] = opGet(get("k"))
	}
	txn := func(ops ...*pb.RequestOp) func() error {
		return func() error { _, err := d.kv.Txn(ctx, &pb.TxnRequest{Success: ops}); return err }
	}
	putting := func(r *pb.PutRequest) func() error {
		return func() error { _, err := d.kv.Put(ctx, r); return err }
	}
	ranging := func(r *pb.RangeRequest) func() error {
		return func() error { _, err := d.kv.Range(ctx, r); return err }
	}
	cases := []struct {
		name string
		do   func() error
		want error
	}{
		{"put without a key", putting(put("", "v")), rpctypes.ErrGRPCEmptyKey},
		{"range without a key", ranging(get("")), rpctypes.ErrGRPCEmptyKey},
		{"delete without a key", func() error { _, err := d.kv.DeleteRange(ctx, &pb.DeleteRangeRequest{}); return err }, rpctypes.ErrGRPCEmptyKey},
		{"value to ignore", putting(&pb.PutRequest{Key: []byte("k"), Value: []byte("v"), IgnoreValue: true}), rpctypes.ErrGRPCValueProvided},
		{"too large", putting(put("k", string(bytes.Repeat([]byte("x"), etcdapi.DefaultMaxRequestBytes)))), rpctypes.ErrGRPCRequestTooLarge},
		{"too many operations", txn(many...), rpctypes.ErrGRPCTooManyOps},
		{"one key twice", txn(opPut("k", "1"), opPut("k", "2")), rpctypes.ErrGRPCDuplicateKey},
		{"empty operation", txn(&pb.RequestOp{}), rpctypes.ErrGRPCKeyNotFound},
		{"unknown sort", ranging(&pb.RangeRequest{Key: []byte("k"), SortTarget: 9}), rpctypes.ErrGRPCInvalidSortOption},
		{"the future", ranging(&pb.RangeRequest{Key: []byte("k"), Revision: 99}), rpctypes.ErrGRPCFutureRev},
		{"the future of a range", ranging(&pb.RangeRequest{Key: []byte("k"), RangeEnd: []byte("l"), Revision: 99}), rpctypes.ErrGRPCFutureRev},
	}
	for _, c := range cases {
		err := c.do()
		if status.Code(err) != status.Code(c.want) || rpctypes.ErrorDesc(err) != rpctypes.ErrorDesc(c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	if err := putting(&pb.PutRequest{Key: []byte("k"), Lease: 5})(); status.Code(err) != codes.Unimplemented {
		t.Errorf("put with a lease: %v", err)
	}
	for _, r := range d.group.Requests() {
		if r.Write() {
			t.Errorf("proposed: %x", r.Command)
		}
	}
	must(d.kv.Put(ctx, put("k", "1")))(t)
	must(d.kv.Put(ctx, put("k", "2")))(t)
	if err := ranging(&pb.RangeRequest{Key: []byte("k"), Revision: 2})(); rpctypes.ErrorDesc(err) != rpctypes.ErrorDesc(rpctypes.ErrGRPCCompacted) {
		t.Errorf("the past: %v", err)
	}
	if err := putting(&pb.PutRequest{Key: []byte("none"), IgnoreValue: true})(); rpctypes.ErrorDesc(err) != rpctypes.ErrorDesc(rpctypes.ErrGRPCKeyNotFound) {
		t.Errorf("a value to keep of a key that is not there: %v", err)
	}
}

// The term in headers follows the group, and does not go back.
func TestHeadersFollowTheTerm(t *testing.T) {
	d, ctx := open(t), soon(t)
	for _, step := range []struct{ published, want raft.Term }{{0, 1}, {5, 5}, {4, 5}} {
		d.group.Publish(actors.Event{Kind: actors.EventRole, Term: step.published})
		if r := must(d.kv.Range(ctx, get("k")))(t); r.Header.RaftTerm != uint64(step.want) {
			t.Errorf("after term %d the header says %d, want %d", step.published, r.Header.RaftTerm, step.want)
		}
	}
}

// A stream of a range, merged, is the range.
func TestRangeStreamIsRangeInPieces(t *testing.T) {
	d, ctx := open(t), soon(t)
	value := string(bytes.Repeat([]byte("v"), 300<<10))
	for _, key := range []string{"a", "b", "c", "d", "e", "f"} {
		must(d.kv.Put(ctx, put(key, value)))(t)
	}
	request := &pb.RangeRequest{Key: []byte("a"), RangeEnd: []byte{0}, Limit: 5}
	want := must(d.kv.Range(ctx, &pb.RangeRequest{Key: []byte("a"), RangeEnd: []byte{0}, Limit: 5}))(t)
	stream := must(d.kv.RangeStream(ctx, request))(t)
	merged, pieces := &pb.RangeResponse{}, 0
	for {
		piece, err := stream.Recv()
		if err != nil {
			break
		}
		proto.Merge(merged, piece.RangeResponse)
		pieces++
	}
	if !proto.Equal(want, merged) || pieces < 2 {
		t.Fatalf("%d pieces with %d pairs, want the %d of the range", pieces, len(merged.Kvs), len(want.Kvs))
	}
	refused := must(d.kv.RangeStream(ctx, get("")))(t)
	if _, err := refused.Recv(); rpctypes.ErrorDesc(err) != rpctypes.ErrorDesc(rpctypes.ErrGRPCEmptyKey) {
		t.Errorf("a stream without a key: %v", err)
	}
}
