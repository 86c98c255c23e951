package kv

import (
	"strings"
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
)

func TestDescribeSaysWhatACommandAsksFor(t *testing.T) {
	put := &pb.PutRequest{Key: []byte("island"), Value: []byte("secret")}
	txn := &pb.TxnRequest{
		Compare: []*pb.Compare{{}},
		Success: []*pb.RequestOp{{Request: &pb.RequestOp_RequestPut{RequestPut: put}}, {}},
		Failure: []*pb.RequestOp{{Request: &pb.RequestOp_RequestRange{RequestRange: &pb.RangeRequest{Key: []byte("a"), RangeEnd: []byte("b")}}}},
	}
	command := func(b []byte, err error) []byte {
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for want, data := range map[string][]byte{
		`put "island", 6 bytes`: command(EncodePut(put)),
		`delete "x"`:            command(EncodeDeleteRange(&pb.DeleteRangeRequest{Key: []byte("x")})),
		`delete ["x", "y")`:     command(EncodeDeleteRange(&pb.DeleteRangeRequest{Key: []byte("x"), RangeEnd: []byte("y")})),
		`txn: 1 compares; then put "island", 6 bytes and 1 more; else get ["a", "b")`: command(EncodeTxn(txn)),
		`no command: 0 bytes`: nil,
		`no command: 3 bytes`: []byte("abc"),
		`a command of kind 9, which this version does not know`: {commandVersion, 9},
		`a malformed command of kind 1: 1 bytes`:                {commandVersion, kindPut, 0xff},
		`put "` + strings.Repeat("k", 48) + `"…, 0 bytes`:       command(EncodePut(&pb.PutRequest{Key: []byte(strings.Repeat("k", 100))})),
	} {
		if got := Describe(data); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
