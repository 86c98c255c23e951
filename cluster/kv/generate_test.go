package kv

import (
	"fmt"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"pgregory.net/rapid"
)

// Random requests over few keys, so that they meet.

func drawKey(t *rapid.T) []byte {
	return []byte(rapid.SampledFrom([]string{"a", "ab", "abc", "b", "b\x00", "c", "\xff", "d/1", "d/2", "\x00"}).Draw(t, "key"))
}

func drawRangeEnd(t *rapid.T) []byte {
	return []byte(rapid.SampledFrom([]string{"", "", "", "\x00", "b", "c", "e", "\xff\xff", "a"}).Draw(t, "range_end"))
}

func drawValue(t *rapid.T) []byte {
	return []byte(rapid.SampledFrom([]string{"", "x", "y", "a longer value"}).Draw(t, "value"))
}

func drawPut(t *rapid.T) *pb.PutRequest {
	r := &pb.PutRequest{Key: drawKey(t), Value: drawValue(t), PrevKv: rapid.Bool().Draw(t, "prev_kv")}
	switch rapid.IntRange(0, 9).Draw(t, "ignore") {
	case 0:
		r.IgnoreValue, r.Value = true, nil
	case 1:
		r.IgnoreLease = true
	}
	return r
}

func drawDelete(t *rapid.T) *pb.DeleteRangeRequest {
	return &pb.DeleteRangeRequest{Key: drawKey(t), RangeEnd: drawRangeEnd(t), PrevKv: rapid.Bool().Draw(t, "prev_kv")}
}

func drawRange(t *rapid.T, revision int64) *pb.RangeRequest {
	r := &pb.RangeRequest{
		Key: drawKey(t), RangeEnd: drawRangeEnd(t),
		Limit:      rapid.Int64Range(0, 4).Draw(t, "limit"),
		SortOrder:  pb.RangeRequest_SortOrder(rapid.IntRange(0, 2).Draw(t, "sort_order")),
		SortTarget: pb.RangeRequest_SortTarget(rapid.IntRange(0, 4).Draw(t, "sort_target")),
		KeysOnly:   rapid.Bool().Draw(t, "keys_only"),
		CountOnly:  rapid.IntRange(0, 4).Draw(t, "count_only") == 0,
	}
	if rapid.IntRange(0, 3).Draw(t, "filtered") == 0 {
		r.MinModRevision = rapid.Int64Range(0, revision).Draw(t, "min_mod")
		r.MaxModRevision = rapid.Int64Range(0, revision).Draw(t, "max_mod")
		r.MinCreateRevision = rapid.Int64Range(0, revision).Draw(t, "min_create")
		r.MaxCreateRevision = rapid.Int64Range(0, revision).Draw(t, "max_create")
	}
	if rapid.IntRange(0, 3).Draw(t, "at") == 0 {
		r.Revision = revision
	}
	return r
}

func drawCompare(t *rapid.T, revision int64) *pb.Compare {
	c := &pb.Compare{
		Key: drawKey(t), RangeEnd: drawRangeEnd(t),
		Result: pb.Compare_CompareResult(rapid.IntRange(0, 3).Draw(t, "result")),
		Target: pb.Compare_CompareTarget(rapid.IntRange(0, 4).Draw(t, "target")),
	}
	number := rapid.Int64Range(0, revision).Draw(t, "number")
	switch c.Target {
	case pb.Compare_VERSION:
		c.TargetUnion = &pb.Compare_Version{Version: number}
	case pb.Compare_CREATE:
		c.TargetUnion = &pb.Compare_CreateRevision{CreateRevision: number}
	case pb.Compare_MOD:
		c.TargetUnion = &pb.Compare_ModRevision{ModRevision: number}
	case pb.Compare_VALUE:
		c.TargetUnion = &pb.Compare_Value{Value: drawValue(t)}
	case pb.Compare_LEASE:
		c.TargetUnion = &pb.Compare_Lease{}
	}
	return c
}

func drawTxn(t *rapid.T, revision int64, depth int) *pb.TxnRequest {
	r := &pb.TxnRequest{}
	for range rapid.IntRange(0, 2).Draw(t, "compares") {
		r.Compare = append(r.Compare, drawCompare(t, revision))
	}
	for range rapid.IntRange(0, 3).Draw(t, "success") {
		r.Success = append(r.Success, drawOperation(t, revision, depth))
	}
	for range rapid.IntRange(0, 3).Draw(t, "failure") {
		r.Failure = append(r.Failure, drawOperation(t, revision, depth))
	}
	return r
}

func drawOperation(t *rapid.T, revision int64, depth int) *pb.RequestOp {
	kinds := 3
	if depth > 0 {
		kinds = 4
	}
	switch rapid.IntRange(1, kinds).Draw(t, "operation") {
	case 1:
		return &pb.RequestOp{Request: &pb.RequestOp_RequestPut{RequestPut: drawPut(t)}}
	case 2:
		return &pb.RequestOp{Request: &pb.RequestOp_RequestRange{RequestRange: drawRange(t, revision)}}
	case 3:
		return &pb.RequestOp{Request: &pb.RequestOp_RequestDeleteRange{RequestDeleteRange: drawDelete(t)}}
	default:
		return &pb.RequestOp{Request: &pb.RequestOp_RequestTxn{RequestTxn: drawTxn(t, revision, depth-1)}}
	}
}

// manyKeys names keys enough for a tree of several levels.
func manyKeys(i int) []byte { return []byte(fmt.Sprintf("d/%05d", i)) }
