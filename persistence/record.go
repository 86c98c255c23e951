package persistence

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"castaway/raft"
)

// A record is what one commit writes for one group. Its header is of fixed size,
// little endian, and carries a checksum of its own; the body follows.
//
//	 0  nonce      8   the store's own; tells our records from whatever a client stores
//	 8  checksum   4   crc32c of the header from byte 12 on
//	12  body sum   4   crc32c of the body
//	16  body size  4
//	20  chain      4   checksum of the group's previous record
//	24  sequence   8   of the commit, store-wide
//	32  group      8
//	40  term       8   hard state after this record
//	48  vote       8
//	56  previous   8   write: term of the entry before first; start: the snapshot's
//	64  first      8   write: index of the first entry; start: the snapshot's index
//	72  base       8   start: sequence of the last record that is dropped, else 0
//	80  count      4   write: number of entries
//	84  kind       1
//	85  flags      1
//	86  zero       2
//
// A write record says that the log holds what it held before first, and then its
// entries: a truncation needs nothing else. Its body is, for each entry, the
// frame's size (varint) and the frame. A start record's body is the snapshot's
// configuration.
const recordHeaderBytes = 88

type recordKind uint8

const (
	recordWrite recordKind = 1
	recordStart recordKind = 2
)

// flagConfigurations says that there is a configuration among the entries.
const flagConfigurations = 1

// recordHeader is a header in the open; see the layout above.
type recordHeader struct {
	nonce    uint64
	sum      uint32
	bodySum  uint32
	bodySize uint32
	chain    uint32
	sequence uint64
	group    raft.GroupID
	hard     raft.HardState
	previous raft.Term
	first    raft.Index
	base     uint64
	count    uint32
	kind     recordKind
	flags    uint8
}

// errRecord means that bytes are not a record; it never leaves the package alone.
var errRecord = errors.New("not a valid record")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// seal completes the header over the body that follows it in b, and stores the
// checksum in h for the chain.
func (h *recordHeader) seal(b []byte) {
	body := b[recordHeaderBytes:]
	h.bodySum = crc32.Checksum(body, castagnoli)
	h.bodySize = uint32(len(body))
	binary.LittleEndian.PutUint64(b[0:], h.nonce)
	binary.LittleEndian.PutUint32(b[12:], h.bodySum)
	binary.LittleEndian.PutUint32(b[16:], h.bodySize)
	binary.LittleEndian.PutUint32(b[20:], h.chain)
	binary.LittleEndian.PutUint64(b[24:], h.sequence)
	binary.LittleEndian.PutUint64(b[32:], uint64(h.group))
	binary.LittleEndian.PutUint64(b[40:], uint64(h.hard.Term))
	binary.LittleEndian.PutUint64(b[48:], uint64(h.hard.Vote))
	binary.LittleEndian.PutUint64(b[56:], uint64(h.previous))
	binary.LittleEndian.PutUint64(b[64:], uint64(h.first))
	binary.LittleEndian.PutUint64(b[72:], h.base)
	binary.LittleEndian.PutUint32(b[80:], h.count)
	b[84], b[85], b[86], b[87] = byte(h.kind), h.flags, 0, 0
	h.sum = crc32.Checksum(b[12:recordHeaderBytes], castagnoli)
	binary.LittleEndian.PutUint32(b[8:], h.sum)
}

// decodeHeader reads and verifies a header; the body is not looked at.
func decodeHeader(b []byte, nonce uint64) (recordHeader, error) {
	if len(b) < recordHeaderBytes {
		return recordHeader{}, fmt.Errorf("%w: %d bytes are too few for a header", errRecord, len(b))
	}
	b = b[:recordHeaderBytes]
	h := recordHeader{
		nonce:    binary.LittleEndian.Uint64(b[0:]),
		sum:      binary.LittleEndian.Uint32(b[8:]),
		bodySum:  binary.LittleEndian.Uint32(b[12:]),
		bodySize: binary.LittleEndian.Uint32(b[16:]),
		chain:    binary.LittleEndian.Uint32(b[20:]),
		sequence: binary.LittleEndian.Uint64(b[24:]),
		group:    raft.GroupID(binary.LittleEndian.Uint64(b[32:])),
		hard: raft.HardState{
			Term: raft.Term(binary.LittleEndian.Uint64(b[40:])),
			Vote: raft.NodeID(binary.LittleEndian.Uint64(b[48:])),
		},
		previous: raft.Term(binary.LittleEndian.Uint64(b[56:])),
		first:    raft.Index(binary.LittleEndian.Uint64(b[64:])),
		base:     binary.LittleEndian.Uint64(b[72:]),
		count:    binary.LittleEndian.Uint32(b[80:]),
		kind:     recordKind(b[84]),
		flags:    b[85],
	}
	if h.nonce != nonce {
		return recordHeader{}, fmt.Errorf("%w: it is not this store's", errRecord)
	}
	if got := crc32.Checksum(b[12:], castagnoli); got != h.sum {
		return recordHeader{}, fmt.Errorf("%w: header checksum is %08x, it says %08x", errRecord, got, h.sum)
	}
	if h.kind != recordWrite && h.kind != recordStart {
		return recordHeader{}, fmt.Errorf("%w: kind %d, of a newer version", errRecord, h.kind)
	}
	return h, nil
}

// decodeRecord reads a whole record and verifies both checksums.
func decodeRecord(b []byte, nonce uint64) (recordHeader, []byte, error) {
	h, err := decodeHeader(b, nonce)
	if err != nil {
		return h, nil, err
	}
	body := b[recordHeaderBytes:]
	if uint64(len(body)) != uint64(h.bodySize) {
		return h, nil, fmt.Errorf("%w: the body has %d bytes, it says %d", errRecord, len(body), h.bodySize)
	}
	if got := crc32.Checksum(body, castagnoli); got != h.bodySum {
		return h, nil, fmt.Errorf("%w: body checksum is %08x, it says %08x", errRecord, got, h.bodySum)
	}
	return h, body, nil
}

// encodeWrite appends a write record to buffer and gives the checksum for the
// chain in h. h's first, previous, hard state, sequence, group and chain are set
// by the caller.
func encodeWrite(buffer []byte, h *recordHeader, entries []raft.Entry) []byte {
	start := len(buffer)
	h.kind, h.count, h.flags = recordWrite, uint32(len(entries)), 0
	buffer = append(buffer, make([]byte, recordHeaderBytes)...)
	for i := range entries {
		buffer = binary.AppendUvarint(buffer, uint64(len(entries[i].Frame)))
		buffer = append(buffer, entries[i].Frame...)
		if entries[i].Kind == raft.EntryConfiguration {
			h.flags |= flagConfigurations
		}
	}
	h.seal(buffer[start:])
	return buffer
}

// writeSize is the size of a write record, or a little more.
func writeSize(entries []raft.Entry) int64 {
	size := int64(recordHeaderBytes)
	for i := range entries {
		size += int64(len(entries[i].Frame)) + frameSizeBytes
	}
	return size
}

// frameSizeBytes is the most that a frame's size takes.
const frameSizeBytes = binary.MaxVarintLen32

// frameAt splits the first frame off a body.
func frameAt(body []byte) (frame, rest []byte, err error) {
	size, n := binary.Uvarint(body)
	if n <= 0 || size > uint64(len(body)-n) {
		return nil, nil, fmt.Errorf("%w: a frame of %d bytes does not fit into the %d that are left", errRecord, size, len(body))
	}
	end := n + int(size)
	return body[n:end], body[end:], nil
}
