package kv

import (
	"encoding/hex"
	"errors"
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
)

// Commands are in logs and results travel between servers: these bytes stay.
func TestGoldenBytes(t *testing.T) {
	request := &pb.PutRequest{Key: []byte("k"), Value: []byte("v"), PrevKv: true}
	commands := []struct {
		name    string
		command func() ([]byte, error)
		want    string
	}{
		{"put", func() ([]byte, error) { return EncodePut(request) }, "01010a016b12017620" + "01"},
		{"delete", func() ([]byte, error) {
			return EncodeDeleteRange(&pb.DeleteRangeRequest{Key: []byte("a"), RangeEnd: []byte("b")})
		}, "01020a0161120162"},
		{"txn", func() ([]byte, error) { return EncodeTxn(&pb.TxnRequest{Success: ops{opPut("a")}}) }, "01031208" + "12060a0161120176"},
	}
	for _, c := range commands {
		got, err := c.command()
		if err != nil || hex.EncodeToString(got) != c.want {
			t.Errorf("%s: %x, error %v; want %s", c.name, got, err, c.want)
		}
	}
	m := New()
	command, err := EncodePut(request)
	for i, want := range []string{"010002", "0100031" + "20c0a016b100218022001" + "2a0176"} {
		if got := hex.EncodeToString(apply(m, command, err)); got != want {
			t.Errorf("result %d of the put: %s, want %s", i, got, want)
		}
	}
	if got := hex.EncodeToString(apply(m, nil, nil)); got != "010103" {
		t.Errorf("result of nothing: %s", got)
	}
}

// Codes of errors are for ever, and each leads back to its error.
func TestCodesOfErrors(t *testing.T) {
	want := map[byte]error{
		1: ErrMalformed, 2: ErrEmptyKey, 3: ErrKeyNotFound, 4: ErrEmptyOperation, 5: ErrValueProvided,
		6: ErrLeaseProvided, 7: ErrLeaseUnsupported, 8: ErrDuplicateKey, 9: ErrInvalidSort,
		10: ErrCompacted, 11: ErrFutureRevision, 12: ErrTooManyOperations, 13: ErrKeyTooLarge, 14: ErrMalformed, 255: ErrMalformed,
	}
	for c, sentinel := range want {
		if _, err := DecodePut([]byte{resultVersion, c, 1}); !errors.Is(err, sentinel) {
			t.Errorf("code %d is %v, want %v", c, err, sentinel)
		}
		if c <= 13 && codeOf(sentinel) != code(c) {
			t.Errorf("%v has code %d, want %d", sentinel, codeOf(sentinel), c)
		}
	}
}
