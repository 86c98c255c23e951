package kv

import (
	"bytes"
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/protobuf/proto"

	"castaway/actors"
)

func seeds(f *testing.F) (commands [][]byte) {
	f.Helper()
	put, err := EncodePut(&pb.PutRequest{Key: []byte("k"), Value: []byte("v"), PrevKv: true})
	if err != nil {
		f.Fatal(err)
	}
	remove, err := EncodeDeleteRange(&pb.DeleteRangeRequest{Key: []byte{0}, RangeEnd: []byte{0}, PrevKv: true})
	if err != nil {
		f.Fatal(err)
	}
	txn, err := EncodeTxn(&pb.TxnRequest{
		Compare: []*pb.Compare{{Key: []byte("k"), Target: pb.Compare_VALUE, TargetUnion: &pb.Compare_Value{Value: []byte("v")}}},
		Success: ops{opPut("a"), opGet("k"), opTxn(ops{opDelete("b", "c")}, nil)},
	})
	if err != nil {
		f.Fatal(err)
	}
	return [][]byte{put, remove, txn, {}, {1}, {1, 1}, {1, 2}, {1, 3}, {9, 9, 9}}
}

// Whatever is committed is answered, without a panic, alike by every machine, and
// what is refused changes nothing.
func FuzzApply(f *testing.F) {
	for _, command := range seeds(f) {
		f.Add(command, command)
	}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		one, other := New(), New()
		commands := []actors.Command{{Data: first}, {Data: second}, {Data: first}}
		batch := one.Apply(commands)
		for i, c := range commands {
			before := other.StateHash()
			result := other.Apply([]actors.Command{{Data: bytes.Clone(c.Data)}})[0]
			if !bytes.Equal(batch[i], result) {
				t.Fatalf("command %d: %x in a batch, %x alone", i, batch[i], result)
			}
			if len(result) < resultHeader {
				t.Fatalf("command %d has no result", i)
			}
			if code(result[1]) != codeOK && other.StateHash() != before {
				t.Fatalf("command %d was refused and changed the state", i)
			}
		}
		if one.StateHash() != other.StateHash() || rehash(one) != one.StateHash() {
			t.Fatalf("hashes %x, %x, from the state %x", one.StateHash(), other.StateHash(), rehash(one))
		}
	})
}

// A put is read in place as protobuf would read it.
func FuzzReadPut(f *testing.F) {
	for _, command := range seeds(f) {
		f.Add(command[min(len(command), commandHeader):])
	}
	f.Add([]byte{0x0a, 1, 'a', 0x0a, 1, 'b', 0x20, 0x80, 0x01, 0x40, 5})
	f.Add([]byte{0x99, 0x99, 0x99, 0x99, 0x30, 0, 0, 0, 0, 0, 0, 0, 0}) // a field beyond the largest
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := readPut(data)
		var want pb.PutRequest
		wantErr := proto.Unmarshal(data, &want)
		if (err != nil) != (wantErr != nil) {
			t.Fatalf("error %v, protobuf's %v", err, wantErr)
		}
		if err != nil {
			return
		}
		read := &pb.PutRequest{
			Key: got.key, Value: got.value, Lease: got.lease,
			PrevKv: got.prevKV, IgnoreValue: got.ignoreValue, IgnoreLease: got.ignoreLease,
		}
		want.ProtoReflect().SetUnknown(nil)
		if diff := differ(&want, read); diff != "" {
			t.Fatalf("(-protobuf +in place):\n%s", diff)
		}
	})
}

// No result, however damaged, makes its reader panic.
func FuzzDecodeResult(f *testing.F) {
	m := New()
	for _, command := range seeds(f) {
		f.Add(m.Apply([]actors.Command{{Data: command}})[0])
	}
	f.Fuzz(func(t *testing.T, result []byte) {
		if r, err := DecodePut(result); err == nil && r.Header == nil {
			t.Fatal("a response without a header")
		}
		if r, err := DecodeDeleteRange(result); err == nil && r.Header == nil {
			t.Fatal("a response without a header")
		}
		if r, err := DecodeTxn(result); err == nil && r.Header == nil {
			t.Fatal("a response without a header")
		}
	})
}
