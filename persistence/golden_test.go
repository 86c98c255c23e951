package persistence

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"flag"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"castaway/messages"
	"castaway/raft"
)

var update = flag.Bool("update", false, "write the golden files anew: what is on people's disks can then no longer be read")

const goldenNonce = 0x0123456789abcdef

// goldenWrite and goldenStart have a different value in every field.
func goldenWrite() (recordHeader, []raft.Entry) {
	entries := []raft.Entry{
		{Term: 5, Index: 6, Kind: raft.EntryNoOp},
		{Term: 7, Index: 7, Kind: raft.EntryCommand, Data: []byte("put ship castaway")},
		{Term: 7, Index: 8, Kind: raft.EntryConfiguration, Data: []byte{1, 2, 3}},
	}
	messages.Seal(entries)
	return recordHeader{
		nonce: goldenNonce, chain: 0xc0ffee, sequence: 9, group: 10,
		hard: raft.HardState{Term: 11, Vote: 12}, previous: 4, first: 6,
	}, entries
}

func goldenStart() (recordHeader, raft.SnapshotMeta) {
	return recordHeader{
			nonce: goldenNonce, chain: 0xc0ffee, sequence: 9, group: 10,
			hard: raft.HardState{Term: 11, Vote: 12}, base: 8,
		}, raft.SnapshotMeta{
			Last: raft.Position{Term: 4, Index: 5},
			Configuration: raft.Configuration{
				Voters: []raft.NodeID{1, 2, 300}, OldVoters: []raft.NodeID{1, 2}, Learners: []raft.NodeID{7},
			},
		}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name)
	text := []byte(hex.Dump(got))
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(text)); d != "" {
		t.Fatalf("bytes on disk have changed (-want +got):\n%s", d)
	}
}

func TestBytesOnDisk(t *testing.T) {
	h, entries := goldenWrite()
	write := encodeWrite(nil, &h, entries)
	golden(t, "write.hex", write)
	got, body, err := decodeRecord(write, goldenNonce)
	if err != nil || got != h {
		t.Fatalf("decoded %+v, want %+v; error %v", got, h, err)
	}
	for i := range entries {
		var frame []byte
		if frame, body, err = frameAt(body); err != nil || !bytes.Equal(frame, entries[i].Frame) {
			t.Fatalf("frame %d: %x, error %v", i, frame, err)
		}
	}

	h, meta := goldenStart()
	start := encodeStart(nil, &h, meta)
	golden(t, "start.hex", start)
	got, body, err = decodeRecord(start, goldenNonce)
	if err != nil || got != h {
		t.Fatalf("decoded %+v, want %+v; error %v", got, h, err)
	}
	if back, err := decodeStart(&got, body); err != nil || !cmp.Equal(back, meta) {
		t.Fatalf("decoded %+v, error %v", back, err)
	}

	golden(t, "keys.hex", bytes.Join([][]byte{writeKey(1, 2, 0), writeKey(1, 2, 3), startKey(2)}, nil))
	id := identity{cluster: 0xc1, server: 2, nonce: goldenNonce}
	golden(t, "identity.hex", id.encode())
	if back, err := decodeIdentity(id.encode()); err != nil || back != id {
		t.Fatalf("decoded %+v, error %v", back, err)
	}
	w := witness{nonce: goldenNonce}
	w.encode(77)
	golden(t, "witness.hex", w.buffer[:])
	if sequence, ok := decodeWitness(w.buffer[:], goldenNonce); !ok || sequence != 77 {
		t.Fatalf("decoded %d, %v", sequence, ok)
	}
}

// TestOurReadingOfMemtableLogsIsBadgers pins Badger's file format: what we find in
// its logs before it opens them is what it finds.
func TestOurReadingOfMemtableLogsIsBadgers(t *testing.T) {
	im := newImage(t)
	last, err := im.verify(imageCommits)
	if err != nil || last != imageCommits {
		t.Fatalf("we find commit %d, error %v; want %d", last, err, imageCommits)
	}
	if n, err := im.opens(); err != nil || n != imageCommits {
		t.Fatalf("badger finds %d entries, error %v; want %d", n, err, imageCommits)
	}
}

func FuzzDecodeRecord(f *testing.F) {
	h, entries := goldenWrite()
	write := encodeWrite(nil, &h, entries)
	h, meta := goldenStart()
	start := encodeStart(nil, &h, meta)
	for _, seed := range [][]byte{write, start, write[:recordHeaderBytes], nil} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	f.Fuzz(func(t *testing.T, b []byte, repair bool) {
		if repair && len(b) >= recordHeaderBytes {
			// Checksums that fit, so that what is behind them is reached.
			kind := recordKind(b[84]%2 + 1)
			h := recordHeader{nonce: goldenNonce, kind: kind, count: uint32(b[80]), first: raft.Index(b[64])}
			h.seal(b)
		}
		h, body, err := decodeRecord(b, goldenNonce)
		if err != nil {
			return
		}
		if h.kind == recordStart {
			if meta, err := decodeStart(&h, body); err == nil {
				if n := len(meta.Configuration.Voters); n > len(b) {
					t.Fatalf("%d voters out of %d bytes", n, len(b))
				}
			}
			return
		}
		g := &badgerGroup{state: groupState{last: h.first - 1, snapshot: raft.SnapshotMeta{Last: raft.Position{Index: h.first - 1}}}}
		if g.replayEntries(&h, body) == nil && uint64(g.state.last) != uint64(h.first)+uint64(h.count)-1 {
			t.Fatalf("replayed up to %d", g.state.last)
		}
	})
}

// memFile writes a memtable log as Badger does, a key a transaction.
func memFile(versions ...uint64) []byte {
	b := append([]byte(nil), make([]byte, memHeaderBytes)...)
	put := func(meta byte, key string, version uint64, value []byte) {
		start := len(b)
		b = append(b, meta, 0, byte(len(key)+memVersionBytes), byte(len(value)), 0)
		b = append(b, key...)
		b = binary.BigEndian.AppendUint64(b, ^version)
		b = append(b, value...)
		b = binary.BigEndian.AppendUint32(b, crc32.Checksum(b[start:], castagnoli))
	}
	for _, version := range versions {
		h := recordHeader{nonce: goldenNonce, sequence: version, kind: recordWrite}
		record := make([]byte, recordHeaderBytes)
		h.seal(record)
		put(memBitTxn, "a key", version, record)
		put(memBitFinTxn, "!badger!txn", version, strconv.AppendUint(nil, version, 10))
	}
	return append(b, make([]byte, 50)...)
}

func TestSummariesOfMemtableLogs(t *testing.T) {
	whole := memFile(4, 5, 6)
	one := (len(whole) - memHeaderBytes - 50) / 3
	for name, c := range map[string]struct {
		file []byte
		want memSummary
	}{
		"nothing":             {nil, memSummary{}},
		"a header":            {memFile(), memSummary{end: memHeaderBytes}},
		"three commits":       {whole, memSummary{first: 4, last: 6, end: len(whole) - 50}},
		"one is missing":      {memFile(4, 6), memSummary{first: 4, last: 6, gap: true, end: len(whole) - 50 - one}},
		"the last is cut":     {whole[:len(whole)-51], memSummary{first: 4, last: 5, beyond: 6, end: memHeaderBytes + 2*one}},
		"the middle is off":   {damaged(whole, memHeaderBytes+one+9), memSummary{first: 4, last: 4, beyond: 6, end: memHeaderBytes + one}},
		"the first is off":    {damaged(whole, memHeaderBytes+3), memSummary{beyond: 6, end: memHeaderBytes}},
		"the header is off":   {damaged(whole, 5), memSummary{first: 4, last: 6, end: len(whole) - 50, keyed: true}},
		"an end without keys": {slices.Concat(whole[:memHeaderBytes], whole[memHeaderBytes+one-33:]), memSummary{beyond: 6, end: memHeaderBytes}},
	} {
		if got := summarizeMem(c.file, goldenNonce); got != c.want {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
}

// zeroed is b with one byte damaged.
func damaged(b []byte, at int) []byte {
	b = slices.Clone(b)
	b[at]++
	return b
}

func FuzzSummarizeMem(f *testing.F) {
	f.Add(memFile(1, 2, 3))
	f.Add(memFile(1, 2, 5)[:300])
	f.Fuzz(func(t *testing.T, b []byte) {
		s := summarizeMem(b, goldenNonce)
		if s.end > len(b) || s.first > s.last {
			t.Fatalf("%+v out of %d bytes", s, len(b))
		}
	})
}
