package client

import (
	"context"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"
)

// Txn is a transaction: if all of If hold, all of Then is carried out, otherwise all
// of Else, in one revision.
type Txn struct {
	If   []Cond
	Then []Op
	Else []Op
}

// Op is an operation of a transaction; OpPut, OpGet, OpDelete and OpTxn make it.
type Op struct {
	message *pb.RequestOp
}

// Cond is a comparison of a transaction; Value, Version, CreateRevision and
// ModRevision make it.
type Cond struct {
	message *pb.Compare
}

// Relation is how a key is compared with what is given.
type Relation = pb.Compare_CompareResult

// How a key can be compared with what is given.
const (
	Equal    = pb.Compare_EQUAL
	NotEqual = pb.Compare_NOT_EQUAL
	Greater  = pb.Compare_GREATER
	Less     = pb.Compare_LESS
)

// Txn carries out a transaction.
func (c *Client) Txn(ctx context.Context, t Txn, opts ...TxnOption) (*TxnResult, error) {
	message := t.request()
	r := request{op: "txn", key: firstKey(message), read: readOnly(message)}
	for _, o := range opts {
		o.txn(&r)
	}
	send := func(ctx context.Context, conn grpc.ClientConnInterface) (*pb.TxnResponse, error) {
		return kvOf(conn).Txn(ctx, message)
	}
	if !r.read {
		return write(ctx, c, r, send, txnResultOf)
	}
	response, err := invoke(ctx, c, r, send)
	if err != nil {
		return nil, err
	}
	return txnResultOf(response), nil
}

func (t Txn) request() *pb.TxnRequest {
	message := &pb.TxnRequest{}
	for _, cond := range t.If {
		message.Compare = append(message.Compare, cond.message)
	}
	for _, op := range t.Then {
		message.Success = append(message.Success, op.message)
	}
	for _, op := range t.Else {
		message.Failure = append(message.Failure, op.message)
	}
	return message
}

// readOnly says that a transaction changes nothing, whichever way it goes.
func readOnly(message *pb.TxnRequest) bool {
	for _, ops := range [][]*pb.RequestOp{message.Success, message.Failure} {
		for _, op := range ops {
			if nested := op.GetRequestTxn(); nested != nil && readOnly(nested) {
				continue
			}
			if op.GetRequestRange() == nil {
				return false
			}
		}
	}
	return true
}

// firstKey is a key that a transaction is about, for errors.
func firstKey(message *pb.TxnRequest) string {
	for _, compare := range message.Compare {
		return string(compare.Key)
	}
	for _, ops := range [][]*pb.RequestOp{message.Success, message.Failure} {
		for _, op := range ops {
			switch o := op.GetRequest().(type) {
			case *pb.RequestOp_RequestPut:
				return string(o.RequestPut.Key)
			case *pb.RequestOp_RequestRange:
				return string(o.RequestRange.Key)
			case *pb.RequestOp_RequestDeleteRange:
				return string(o.RequestDeleteRange.Key)
			}
		}
	}
	return ""
}

// OpPut is a put in a transaction.
func OpPut(key string, value []byte, opts ...PutOption) Op {
	message := putOf(key, value, &request{}, opts)
	return Op{&pb.RequestOp{Request: &pb.RequestOp_RequestPut{RequestPut: message}}}
}

// OpGet is a get in a transaction. MaxLag bounds nothing there, and is Serializable.
func OpGet(key string, opts ...GetOption) Op {
	message := getOf(key, &request{}, opts)
	return Op{&pb.RequestOp{Request: &pb.RequestOp_RequestRange{RequestRange: message}}}
}

// OpDelete is a delete in a transaction.
func OpDelete(key string, opts ...DeleteOption) Op {
	message := deleteOf(key, &request{}, opts)
	return Op{&pb.RequestOp{Request: &pb.RequestOp_RequestDeleteRange{RequestDeleteRange: message}}}
}

// OpTxn is a transaction in a transaction. Its comparisons are decided before the
// outer one changes anything.
func OpTxn(t Txn) Op {
	return Op{&pb.RequestOp{Request: &pb.RequestOp_RequestTxn{RequestTxn: t.request()}}}
}

// Value compares the value of a key. For a key that does not exist it never holds.
func Value(key string, is Relation, value []byte) Cond {
	return Cond{&pb.Compare{
		Key: []byte(key), Result: is, Target: pb.Compare_VALUE, TargetUnion: &pb.Compare_Value{Value: value},
	}}
}

// Version compares the version of a key; that of a key that does not exist is 0.
func Version(key string, is Relation, version int64) Cond {
	return Cond{&pb.Compare{
		Key: []byte(key), Result: is, Target: pb.Compare_VERSION, TargetUnion: &pb.Compare_Version{Version: version},
	}}
}

// CreateRevision compares the revision that created a key; that of a key that does
// not exist is 0.
func CreateRevision(key string, is Relation, revision int64) Cond {
	return Cond{&pb.Compare{
		Key: []byte(key), Result: is, Target: pb.Compare_CREATE,
		TargetUnion: &pb.Compare_CreateRevision{CreateRevision: revision},
	}}
}

// ModRevision compares the revision that last wrote a key; that of a key that does
// not exist is 0.
func ModRevision(key string, is Relation, revision int64) Cond {
	return Cond{&pb.Compare{
		Key: []byte(key), Result: is, Target: pb.Compare_MOD,
		TargetUnion: &pb.Compare_ModRevision{ModRevision: revision},
	}}
}

// Over makes a comparison hold only if it holds for every key that an option, such
// as Prefix, adds to its own.
func (c Cond) Over(keys KeysOption) Cond {
	from, end := keys(c.message.Key)
	return Cond{&pb.Compare{
		Key: from, RangeEnd: end, Result: c.message.Result,
		Target: c.message.Target, TargetUnion: c.message.TargetUnion,
	}}
}
