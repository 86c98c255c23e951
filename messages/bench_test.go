package messages

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"castaway/raft"
)

// The usual load: 64 entries of 256 bytes in one AppendEntries. Every number is
// per message, so a follower's cost an entry is the sum of the last two over 64.

func benchmarkMessage() *raft.AppendEntries {
	data := make([]string, 64)
	for i := range data {
		data[i] = strings.Repeat("x", 256)
	}
	previous := raft.Position{Term: 7, Index: 1_000_000}
	return &raft.AppendEntries{
		Header:   raft.Header{From: 1, To: 2, Term: 7},
		Previous: previous,
		Commit:   previous.Index,
		Entries:  sealed(previous, 7, data...),
	}
}

func BenchmarkSeal(b *testing.B) {
	entries := benchmarkMessage().Entries
	b.ReportAllocs()
	for b.Loop() {
		Seal(entries)
	}
}

func BenchmarkToWire(b *testing.B) {
	m := benchmarkMessage()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := proto.Marshal(ToEnvelope(sampleCluster, 1, m)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkUnmarshal(b *testing.B) {
	wire := benchmarkWire(b)
	b.ReportAllocs()
	for b.Loop() {
		var e Envelope
		if err := proto.Unmarshal(wire, &e); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFromEnvelope(b *testing.B) {
	var e Envelope
	if err := proto.Unmarshal(benchmarkWire(b), &e); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := FromEnvelope(&e); err != nil {
			b.Fatal(err)
		}
	}
}

func benchmarkWire(b *testing.B) []byte {
	wire, err := proto.Marshal(ToEnvelope(sampleCluster, 1, benchmarkMessage()))
	if err != nil {
		b.Fatal(err)
	}
	return wire
}

// TestAppendEntriesDecodesInThreeAllocations holds what the packed field is for.
func TestAppendEntriesDecodesInThreeAllocations(t *testing.T) {
	e := ToEnvelope(sampleCluster, 1, benchmarkMessage())
	n := testing.AllocsPerRun(100, func() {
		if _, err := FromEnvelope(e); err != nil {
			t.Fatal(err)
		}
	})
	if n > 3 {
		t.Errorf("64 entries: %v allocations", n)
	}
}
