package messages

import (
	"encoding/binary"
	"fmt"

	"castaway/raft"
)

// packFrames puts frames one after another, each behind its length. Entries
// without a frame are sealed on the way, in a copy: what a core emitted is never
// changed.
func packFrames(entries []raft.Entry) []byte {
	if len(entries) == 0 {
		return nil
	}
	total := 0
	for i := range entries {
		size := len(entries[i].Frame)
		if size == 0 {
			return packFrames(sealedCopy(entries))
		}
		total += varintSize(uint64(size)) + size
	}
	packed := make([]byte, 0, total)
	for i := range entries {
		packed = binary.AppendUvarint(packed, uint64(len(entries[i].Frame)))
		packed = append(packed, entries[i].Frame...)
	}
	return packed
}

func sealedCopy(entries []raft.Entry) []raft.Entry {
	sealed := make([]raft.Entry, len(entries))
	copy(sealed, entries)
	Seal(sealed)
	return sealed
}

// unpackFrames reads what packFrames made, into one slice of entries whose bytes
// alias packed. It counts the frames first, so that what it allocates is bounded
// by what came in: every entry took at least frameDataOffsetMin+1 bytes of it.
func unpackFrames(packed []byte) ([]raft.Entry, error) {
	count, err := countFrames(packed)
	if err != nil || count == 0 {
		return nil, err
	}
	entries := make([]raft.Entry, 0, count)
	for len(packed) > 0 {
		size, n := binary.Uvarint(packed)
		end := n + int(size)
		entry, err := DecodeEntry(packed[n:end:end])
		if err != nil {
			return nil, fmt.Errorf("entry %d of %d: %w", len(entries)+1, count, err)
		}
		entries = append(entries, entry)
		packed = packed[end:]
	}
	return entries, nil
}

// countFrames checks every length, so that unpackFrames can trust them.
func countFrames(packed []byte) (int, error) {
	count := 0
	for len(packed) > 0 {
		size, n := minimalUvarint(packed)
		if n == 0 || size < frameDataOffsetMin || size > uint64(len(packed)-n) {
			return 0, fmt.Errorf("%w: the length of entry %d does not fit the %d bytes that are left",
				ErrMalformed, count+1, len(packed))
		}
		packed = packed[n+int(size):]
		count++
	}
	return count, nil
}
