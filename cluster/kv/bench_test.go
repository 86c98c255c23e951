package kv

import (
	"fmt"
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"castaway/actors"
)

const benchBatch = 64

// benchCommands are puts of 16 B keys and 256 B values.
func benchCommands(b *testing.B, keys int) []actors.Command {
	b.Helper()
	commands := make([]actors.Command, keys)
	value := make([]byte, 256)
	for i := range commands {
		key := fmt.Sprintf("key-%012d", (i*7919)%keys)
		data, err := EncodePut(&pb.PutRequest{Key: []byte(key), Value: value})
		if err != nil {
			b.Fatal(err)
		}
		commands[i].Data = data
	}
	return commands
}

// One operation is one put, in batches of 64, over 100,000 keys that exist.
func BenchmarkPut(b *testing.B) {
	commands := benchCommands(b, 100_000)
	m := New()
	m.Apply(commands)
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N; i += benchBatch {
		at := i % (len(commands) - benchBatch)
		m.Apply(commands[at : at+benchBatch])
	}
}

// The same, but every 64 puts someone reads a range, so that the tree is shared.
func BenchmarkPutBesideRanges(b *testing.B) {
	commands := benchCommands(b, 100_000)
	m := New()
	m.Apply(commands)
	read := &pb.RangeRequest{Key: []byte("key-"), RangeEnd: []byte("key."), Limit: 10}
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N; i += benchBatch {
		at := i % (len(commands) - benchBatch)
		m.Apply(commands[at : at+benchBatch])
		if _, err := m.Query(read); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGet(b *testing.B) {
	m := New()
	m.Apply(benchCommands(b, 100_000))
	request := &pb.RangeRequest{Key: []byte("key-000000050000")}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.read(request); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRange1000(b *testing.B) {
	m := New()
	m.Apply(benchCommands(b, 100_000))
	request := &pb.RangeRequest{Key: []byte("key-000000050000"), RangeEnd: []byte("key-000000051000")}
	b.ReportAllocs()
	for b.Loop() {
		if r, err := m.read(request); err != nil || len(r.Kvs) != 1000 {
			b.Fatal(err)
		}
	}
}
