package messages

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/bits"

	"castaway/raft"
)

// A frame is an entry's only encoding, on the wire and on disk alike:
//
//	crc32c (4 bytes, little endian, over all that follows) |
//	kind (1 byte) | term (varint) | index (varint) | data
//
// It has no length: whoever stores or sends frames says where each one ends.
const (
	frameChecksumBytes = 4
	frameKindBytes     = 1
	frameDataOffsetMin = frameChecksumBytes + frameKindBytes + 1 + 1
)

// MaxFrameOverhead is the most that a frame adds to its entry's Data, in bytes.
const MaxFrameOverhead = frameChecksumBytes + frameKindBytes + 2*binary.MaxVarintLen64

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Seal gives each entry its Frame, in place, and lets Data alias it, so that the
// bytes that Data held before are the caller's again. All frames of one call
// share one allocation; each has its capacity cut, so that an append to one can
// not reach the next. It is what raft.Config.Seal wants.
func Seal(entries []raft.Entry) {
	total := 0
	for i := range entries {
		total += frameSize(&entries[i])
	}
	buffer := make([]byte, 0, total)
	for i := range entries {
		start := len(buffer)
		buffer = appendFrame(buffer, &entries[i])
		frame := buffer[start:len(buffer):len(buffer)]
		entries[i].Data = dataOf(frame, len(frame)-len(entries[i].Data))
		entries[i].Frame = frame
	}
}

func frameSize(e *raft.Entry) int {
	return frameChecksumBytes + frameKindBytes + varintSize(uint64(e.Term)) + varintSize(uint64(e.Index)) + len(e.Data)
}

func appendFrame(buffer []byte, e *raft.Entry) []byte {
	start := len(buffer)
	buffer = append(buffer, 0, 0, 0, 0, byte(e.Kind))
	buffer = binary.AppendUvarint(buffer, uint64(e.Term))
	buffer = binary.AppendUvarint(buffer, uint64(e.Index))
	buffer = append(buffer, e.Data...)
	putChecksum(buffer[start:])
	return buffer
}

func putChecksum(frame []byte) {
	binary.LittleEndian.PutUint32(frame, crc32.Checksum(frame[frameChecksumBytes:], castagnoli))
}

// DecodeEntry reads a frame and verifies its checksum. The entry's Frame is the
// frame itself and its Data aliases it, so the frame must not be changed from
// then on. Empty data is nil. Errors are ErrCorruptFrame and ErrUnknownEntry.
//
// Each entry has exactly one frame: what DecodeEntry accepts, Seal would have
// made, byte for byte.
func DecodeEntry(frame []byte) (raft.Entry, error) {
	if len(frame) < frameDataOffsetMin {
		return raft.Entry{}, fmt.Errorf("%w: %d bytes are too few for one", ErrCorruptFrame, len(frame))
	}
	want := binary.LittleEndian.Uint32(frame)
	if got := crc32.Checksum(frame[frameChecksumBytes:], castagnoli); got != want {
		return raft.Entry{}, fmt.Errorf("%w: its %d bytes have the checksum %08x, not %08x as it says",
			ErrCorruptFrame, len(frame), got, want)
	}
	offset := frameChecksumBytes + frameKindBytes
	term, n := minimalUvarint(frame[offset:])
	if n == 0 || term == 0 {
		return raft.Entry{}, fmt.Errorf("%w: its term is zero or not a minimal varint", ErrCorruptFrame)
	}
	offset += n
	index, n := minimalUvarint(frame[offset:])
	if n == 0 || index == 0 {
		return raft.Entry{}, fmt.Errorf("%w: its index is zero or not a minimal varint", ErrCorruptFrame)
	}
	offset += n
	kind := raft.EntryKind(frame[frameChecksumBytes])
	if kind < raft.EntryCommand || kind > raft.EntrySession {
		return raft.Entry{}, fmt.Errorf("%w: %d, at index %d of term %d; a newer version made it",
			ErrUnknownEntry, kind, index, term)
	}
	return raft.Entry{
		Term:  raft.Term(term),
		Index: raft.Index(index),
		Kind:  kind,
		Data:  dataOf(frame, offset),
		Frame: frame[:len(frame):len(frame)],
	}, nil
}

// dataOf gives the part of a frame after offset, or nil if there is none.
func dataOf(frame []byte, offset int) []byte {
	if offset == len(frame) {
		return nil
	}
	return frame[offset:len(frame):len(frame)]
}

// minimalUvarint reads a varint; n is zero unless it is there, fits, and is the
// shortest encoding of its value.
func minimalUvarint(b []byte) (value uint64, n int) {
	value, n = binary.Uvarint(b)
	if n <= 0 || n != varintSize(value) {
		return 0, 0
	}
	return value, n
}

// varintSize is the length of v as a varint: seven bits a byte, at least one.
func varintSize(v uint64) int { return (bits.Len64(v|1) + 6) / 7 }
