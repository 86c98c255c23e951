package persistence

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"testing"

	"castaway/raft"
)

// snapshotBytes is a whole file.
func snapshotBytes(t testing.TB, payload []byte) []byte {
	t.Helper()
	s := NewMemorySnapshots(snapshotCluster)
	info := mustPublish(t, s, 1, snapshotMeta(9), payload)
	file := make([]byte, info.Size)
	if _, err := s.Read(info, 0, file); err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	return file
}

// mended is the file with its checksums made right, as far as it can be told where they
// are: what is behind them would never be looked at otherwise.
func mended(file []byte) []byte {
	b := bytes.Clone(file)
	if len(b) < snapshotPrefixBytes {
		return b
	}
	at := uint64(snapshotPrefixBytes)
	sumOf := func(size uint64, to int) bool {
		if at+size > uint64(len(b)) {
			return false
		}
		binary.LittleEndian.PutUint32(b[to:], crc32.Checksum(b[at:at+size], castagnoli))
		return true
	}
	size := uint64(binary.LittleEndian.Uint32(b[8:]))
	for whole := sumOf(size, 12); whole; {
		if at += size; at+snapshotBlockHeader > uint64(len(b)) {
			return b
		}
		head := int(at)
		size, at = uint64(binary.LittleEndian.Uint32(b[head:])), at+snapshotBlockHeader
		if size == 0 {
			if at+16 <= uint64(len(b)) {
				sumOf(8, head+4)
				sum := sha256.Sum256(b[:at+8])
				copy(b[at+8:at+16], sum[:8])
			}
			return b
		}
		whole = sumOf(size, head+4)
	}
	return b
}

// FuzzSnapshotFile: whatever is in a file, it is found out before a byte of it is used.
// One that is whole gives as much as its end says, and there is no other outcome.
func FuzzSnapshotFile(f *testing.F) {
	// Few bytes on the disk each: one block, two, and none.
	for _, payload := range [][]byte{nil, []byte("a"), payload(300), make([]byte, snapshotBlockBytes+1)} {
		file := snapshotBytes(f, payload)
		f.Add(file)
		f.Add(file[:len(file)-1])
		f.Add(file[:len(file)/2])
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		readSnapshotBytes(t, file)
		readSnapshotBytes(t, mended(file))
	})
}

func readSnapshotBytes(t *testing.T, file []byte) {
	in := bytes.NewReader(file)
	if whole := wholeBytes(in); whole < 0 || whole > int64(len(file)) {
		t.Fatalf("%d bytes of %d are whole", whole, len(file))
	}
	cluster := uint64(snapshotCluster)
	if len(file) >= snapshotPrefixBytes+8 {
		cluster = binary.LittleEndian.Uint64(file[snapshotPrefixBytes:])
	}
	info, err := describeFile(in, int64(len(file)), cluster)
	if err == nil {
		_, err = verifySnapshot(in, cluster, &info)
	}
	if err != nil {
		wantCorrupt(t, err)
		return
	}
	h, err := readSnapshotHeader(in)
	if err != nil {
		t.Fatalf("verified, and then: %v", err)
	}
	p := &snapshotPayload{blocks: snapshotBlocks{in: in, at: h.size}}
	n, err := io.Copy(io.Discard, p)
	if err != nil {
		wantCorrupt(t, err) // a checksum is no proof that it can be decompressed
	} else if uint64(n) != p.blocks.payload {
		t.Fatalf("it gives %d bytes, and its end says %d", n, p.blocks.payload)
	}
}

func wantCorrupt(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, ErrCorrupt) {
		t.Fatalf("it is refused with %v", err)
	}
}

// TestAFileThatLacksABlockIsRefused: all of its checksums are right, as after a write that
// was lost where the file was put together.
func TestAFileThatLacksABlockIsRefused(t *testing.T) {
	file := snapshotBytes(t, payload(3*snapshotBlockBytes))
	h, err := readSnapshotHeader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	first := snapshotBlockHeader + int64(binary.LittleEndian.Uint32(file[h.size:]))
	lacking := mended(append(bytes.Clone(file[:h.size]), file[h.size+first:]...))
	doubled := mended(append(bytes.Clone(file[:h.size+first]), file[h.size:]...))
	for name, bad := range map[string][]byte{"lacks one": lacking, "has one twice": doubled} {
		in := bytes.NewReader(bad)
		info, err := describeFile(in, int64(len(bad)), snapshotCluster)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := verifySnapshot(in, snapshotCluster, &info); !errors.Is(err, ErrCorrupt) {
			t.Errorf("a file that %s of its blocks is verified with %v", name, err)
		}
		r := &memoryReceiver{NewMemorySnapshots(snapshotCluster), &memorySnapshot{info: info, bytes: bad}}
		if _, err := r.Publish(); !errors.Is(err, ErrCorrupt) {
			t.Errorf("a file that %s of its blocks is published with %v", name, err)
		}
	}
	if whole := mended(file); !bytes.Equal(whole, file) {
		t.Error("mending a whole file changes it: the test shows little")
	}
}

// A block says how much it holds, and holds that.
func TestABlockHoldsWhatItSays(t *testing.T) {
	frame := func(b []byte) []byte { return snapshotEncoder.EncodeAll(b, nil) }
	for name, block := range map[string][]byte{
		"nothing":        frame(nil),
		"too much":       frame(make([]byte, snapshotBlockBytes+1)),
		"no frame":       []byte("no frame"),
		"a skipped part": {0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4},
		"two frames":     append(frame(make([]byte, 1000)), frame(make([]byte, 1000))...),
	} {
		b := append([]byte(nil), encodeSnapshotHeader(snapshotCluster, 1, &raft.SnapshotMeta{Last: raft.Position{Term: 3, Index: 9}})...)
		start := int64(len(b))
		b = binary.LittleEndian.AppendUint32(b, uint32(len(block)))
		b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(block, castagnoli))
		p := &snapshotPayload{blocks: snapshotBlocks{in: bytes.NewReader(append(b, block...)), at: start}}
		if n, err := p.Read(make([]byte, 100)); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %d bytes are read with %v", name, n, err)
		}
	}
}
