package kv

import (
	"errors"
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"pgregory.net/rapid"
)

func opPut(key string) *pb.RequestOp {
	return &pb.RequestOp{Request: &pb.RequestOp_RequestPut{RequestPut: put(key, "v")}}
}

func opDelete(key, rangeEnd string) *pb.RequestOp {
	return &pb.RequestOp{Request: &pb.RequestOp_RequestDeleteRange{
		RequestDeleteRange: &pb.DeleteRangeRequest{Key: []byte(key), RangeEnd: []byte(rangeEnd)},
	}}
}

func opGet(key string) *pb.RequestOp {
	return &pb.RequestOp{Request: &pb.RequestOp_RequestRange{RequestRange: get(key)}}
}

func opTxn(success, failure []*pb.RequestOp) *pb.RequestOp {
	return &pb.RequestOp{Request: &pb.RequestOp_RequestTxn{RequestTxn: &pb.TxnRequest{Success: success, Failure: failure}}}
}

type ops = []*pb.RequestOp

// Requests that no server could carry out are refused with the error that etcd has
// for them, by the door and by the machine alike.
func TestRequestsAreChecked(t *testing.T) {
	cases := []struct {
		name string
		op   *pb.RequestOp
		want error
	}{
		{"a put without a key", opPut(""), ErrEmptyKey},
		{"a deletion without a key", opDelete("", ""), ErrEmptyKey},
		{"a read without a key", opGet(""), ErrEmptyKey},
		{"an empty operation", &pb.RequestOp{}, ErrEmptyOperation},
		{"a value to ignore", &pb.RequestOp{Request: &pb.RequestOp_RequestPut{RequestPut: &pb.PutRequest{Key: []byte("k"), Value: []byte("v"), IgnoreValue: true}}}, ErrValueProvided},
		{"a lease to ignore", &pb.RequestOp{Request: &pb.RequestOp_RequestPut{RequestPut: &pb.PutRequest{Key: []byte("k"), Lease: 1, IgnoreLease: true}}}, ErrLeaseProvided},
		{"a lease", &pb.RequestOp{Request: &pb.RequestOp_RequestPut{RequestPut: &pb.PutRequest{Key: []byte("k"), Lease: 1}}}, ErrLeaseUnsupported},
		{"an unknown order", &pb.RequestOp{Request: &pb.RequestOp_RequestRange{RequestRange: &pb.RangeRequest{Key: []byte("k"), SortOrder: 7}}}, ErrInvalidSort},
		{"an unknown target", &pb.RequestOp{Request: &pb.RequestOp_RequestRange{RequestRange: &pb.RangeRequest{Key: []byte("k"), SortTarget: 7}}}, ErrInvalidSort},
		{"a good put", opPut("k"), nil},
	}
	for _, c := range cases {
		for place, r := range map[string]*pb.TxnRequest{
			"as success": {Success: ops{c.op}},
			"as failure": {Failure: ops{c.op}},
			"nested":     {Success: ops{opTxn(nil, ops{c.op})}},
		} {
			if err := CheckTxn(r, DefaultMaxTxnOperations); !errors.Is(err, c.want) {
				t.Errorf("%s, %s: error %v, want %v", c.name, place, err, c.want)
			}
			if _, err := New().txn(r); !errors.Is(err, c.want) {
				t.Errorf("%s, %s: the machine's error is %v, want %v", c.name, place, err, c.want)
			}
		}
	}
	if err := CheckTxn(&pb.TxnRequest{Compare: []*pb.Compare{{}}}, 1); !errors.Is(err, ErrEmptyKey) {
		t.Errorf("a compare without a key: %v", err)
	}
}

func TestNoKeyIsModifiedTwiceInATransaction(t *testing.T) {
	cases := []struct {
		name string
		ops  ops
		twin bool
	}{
		{"two puts", ops{opPut("a"), opPut("a")}, true},
		{"puts of two keys", ops{opPut("a"), opPut("b")}, false},
		{"a put and its deletion", ops{opPut("a"), opDelete("a", "")}, true},
		{"a put in a deleted range", ops{opDelete("a", "c"), opPut("b")}, true},
		{"a put at the end of a deleted range", ops{opDelete("a", "c"), opPut("c")}, false},
		{"a put behind an endless deletion", ops{opDelete("a", "\x00"), opPut("b")}, true},
		{"two deletions", ops{opDelete("a", ""), opDelete("a", "")}, false},
		{"a put here and in a nested transaction", ops{opPut("a"), opTxn(ops{opPut("a")}, nil)}, true},
		{"puts on both sides of a nested transaction", ops{opTxn(ops{opPut("a")}, ops{opPut("a")})}, false},
		{"puts in two nested transactions", ops{opTxn(ops{opPut("a")}, nil), opTxn(nil, ops{opPut("a")})}, true},
		{"a nested put of what is deleted here", ops{opTxn(ops{opPut("a")}, nil), opDelete("a", "")}, true},
		{"a nested deletion of what is put here", ops{opTxn(ops{opDelete("a", "")}, nil), opPut("a")}, true},
	}
	for _, c := range cases {
		err := CheckTxn(&pb.TxnRequest{Success: c.ops}, DefaultMaxTxnOperations)
		if errors.Is(err, ErrDuplicateKey) != c.twin {
			t.Errorf("%s: error %v, duplicate: %v", c.name, err, c.twin)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		r := drawTxn(t, 3, 3)
		if got, want := errors.Is(checkIntervals(r), ErrDuplicateKey), duplicates(r); got != want {
			t.Fatalf("duplicate: %v, by brute force: %v, in %v", got, want, r)
		}
	})
}

func TestTransactionsAreLimited(t *testing.T) {
	many := func(n int) (list ops) {
		for range n {
			list = append(list, opGet("k"))
		}
		return list
	}
	deep := opGet("k")
	for range MaxTxnDepth {
		deep = opTxn(ops{deep}, nil)
	}
	cases := []struct {
		name  string
		r     *pb.TxnRequest
		limit int
		fits  bool
	}{
		{"as many as allowed on each side", &pb.TxnRequest{Success: many(128), Failure: many(128)}, 128, true},
		{"one more", &pb.TxnRequest{Failure: many(129)}, 128, false},
		{"too many compares", &pb.TxnRequest{Compare: make([]*pb.Compare, 129)}, 128, false},
		{"nested ones have what is left", &pb.TxnRequest{Success: append(many(99), opTxn(many(28), nil))}, 128, true},
		{"nested ones have no more than that", &pb.TxnRequest{Success: append(many(99), opTxn(many(29), nil))}, 128, false},
		{"more in all than the machine takes", &pb.TxnRequest{Success: ops{opTxn(many(MaxTxnOperations), nil)}}, MaxTxnOperations, false},
		{"deeper than the machine takes", &pb.TxnRequest{Success: ops{deep}}, MaxTxnOperations, false},
		{"as deep as the machine takes", deep.GetRequestTxn(), MaxTxnOperations, true},
	}
	for _, c := range cases {
		err := CheckTxn(c.r, c.limit)
		if errors.Is(err, ErrTooManyOperations) == c.fits {
			t.Errorf("%s: error %v, fits: %v", c.name, err, c.fits)
		}
	}
	if _, err := New().txn(&pb.TxnRequest{Success: ops{deep}}); !errors.Is(err, ErrTooManyOperations) {
		t.Errorf("the machine took what is too deep: %v", err)
	}
}

func TestReadOnlyTransactions(t *testing.T) {
	stale := &pb.RequestOp{Request: &pb.RequestOp_RequestRange{RequestRange: &pb.RangeRequest{Key: []byte("k"), Serializable: true}}}
	cases := []struct {
		name                   string
		r                      *pb.TxnRequest
		readOnly, serializable bool
	}{
		{"no operations", &pb.TxnRequest{}, true, false},
		{"a read", &pb.TxnRequest{Success: ops{opGet("k")}}, true, false},
		{"a stale read", &pb.TxnRequest{Failure: ops{stale}}, true, true},
		{"a stale read and a read", &pb.TxnRequest{Success: ops{stale, opGet("k")}}, true, false},
		{"a put on one side", &pb.TxnRequest{Success: ops{stale}, Failure: ops{opPut("k")}}, false, false},
		{"a nested transaction", &pb.TxnRequest{Success: ops{opTxn(ops{stale}, nil)}}, false, false},
	}
	for _, c := range cases {
		if ReadOnly(c.r) != c.readOnly || Serializable(c.r) != c.serializable {
			t.Errorf("%s: read-only %v, serializable %v", c.name, ReadOnly(c.r), Serializable(c.r))
		}
	}
}
