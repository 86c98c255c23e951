package kv

import (
	"fmt"
	"strings"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
)

// describedBytes is the most of a key that a description shows.
const describedBytes = 48

// Describe says in a line what a command asks for, for people who read a log. It
// shows keys and sizes, and no values; what is no command is described as such.
func Describe(command []byte) string {
	if len(command) < commandHeader || command[0] != commandVersion {
		return fmt.Sprintf("no command: %d bytes", len(command))
	}
	data := command[commandHeader:]
	var text string
	var err error
	switch command[1] {
	case kindPut:
		var r *pb.PutRequest
		if r, err = decode(&pb.PutRequest{}, data); err == nil {
			text = describePut(r)
		}
	case kindDeleteRange:
		var r *pb.DeleteRangeRequest
		if r, err = decode(&pb.DeleteRangeRequest{}, data); err == nil {
			text = "delete " + describeRange(r.Key, r.RangeEnd)
		}
	case kindTxn:
		var r *pb.TxnRequest
		if r, err = decode(&pb.TxnRequest{}, data); err == nil {
			text = describeTxn(r)
		}
	default:
		return fmt.Sprintf("a command of kind %d, which this version does not know", command[1])
	}
	if err != nil {
		return fmt.Sprintf("a malformed command of kind %d: %d bytes", command[1], len(data))
	}
	return text
}

func describePut(r *pb.PutRequest) string {
	return fmt.Sprintf("put %s, %d bytes", describeKey(r.Key), len(r.Value))
}

func describeKey(key []byte) string {
	if len(key) > describedBytes {
		return fmt.Sprintf("%q…", key[:describedBytes])
	}
	return fmt.Sprintf("%q", key)
}

func describeRange(key, end []byte) string {
	if len(end) == 0 {
		return describeKey(key)
	}
	return fmt.Sprintf("[%s, %s)", describeKey(key), describeKey(end))
}

func describeTxn(r *pb.TxnRequest) string {
	parts := []string{fmt.Sprintf("txn: %d compares", len(r.Compare))}
	for _, branch := range []struct {
		name string
		ops  []*pb.RequestOp
	}{{"then", r.Success}, {"else", r.Failure}} {
		if len(branch.ops) > 0 {
			parts = append(parts, branch.name+" "+describeOps(branch.ops))
		}
	}
	return strings.Join(parts, "; ")
}

// describeOps shows the first request of a branch, and counts the others.
func describeOps(ops []*pb.RequestOp) string {
	var text string
	switch op := ops[0].Request.(type) {
	case *pb.RequestOp_RequestPut:
		text = describePut(op.RequestPut)
	case *pb.RequestOp_RequestDeleteRange:
		text = "delete " + describeRange(op.RequestDeleteRange.Key, op.RequestDeleteRange.RangeEnd)
	case *pb.RequestOp_RequestRange:
		text = "get " + describeRange(op.RequestRange.Key, op.RequestRange.RangeEnd)
	case *pb.RequestOp_RequestTxn:
		text = "a transaction"
	default:
		text = "nothing"
	}
	if more := len(ops) - 1; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
