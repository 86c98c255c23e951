package persistence

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/zstd"

	"castaway/raft"
)

// A snapshot file, little endian:
//
//	magic (8) | size of the header (4) | crc32c of the header (4) | header
//	then blocks: size (4) | crc32c (4) | zstd of at most snapshotBlockBytes of payload
//	then the end: zero (4) | crc32c of the payload's size (4) | payload's size (8) | sum (8)
//
// The header is cluster (8), group (8), term (8), index (8), and the configuration as of
// that index, encoded. The sum is the first eight bytes of the SHA-256 of all before it.
// Every block can be verified by itself, so that a transfer that was cut short can go on
// behind the last whole one.
const (
	snapshotMagic       = "CASTSNP1"
	snapshotPrefixBytes = 16
	snapshotFixedBytes  = 32
	snapshotBlockBytes  = 256 << 10
	snapshotBlockHeader = 8
	snapshotEndBytes    = 24
	// maxSnapshotHeader bounds what a damaged header can make us allocate.
	maxSnapshotHeader = 1 << 20
	// maxSnapshotBlock is the most that a block takes compressed.
	maxSnapshotBlock = snapshotBlockBytes + 64<<10
)

// snapshotEncoder and snapshotDecoder compress and decompress blocks, without
// goroutines of their own.
var (
	snapshotEncoder, _ = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithZeroFrames(true))
	snapshotDecoder, _ = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(snapshotBlockBytes))
)

// encodeSnapshotHeader gives the beginning of a file.
func encodeSnapshotHeader(cluster uint64, group raft.GroupID, meta *raft.SnapshotMeta) []byte {
	b := append([]byte(snapshotMagic), make([]byte, snapshotPrefixBytes-len(snapshotMagic))...)
	b = binary.LittleEndian.AppendUint64(b, cluster)
	b = binary.LittleEndian.AppendUint64(b, uint64(group))
	b = binary.LittleEndian.AppendUint64(b, uint64(meta.Last.Term))
	b = binary.LittleEndian.AppendUint64(b, uint64(meta.Last.Index))
	b = append(b, meta.Configuration.Encode()...)
	header := b[snapshotPrefixBytes:]
	binary.LittleEndian.PutUint32(b[8:], uint32(len(header)))
	binary.LittleEndian.PutUint32(b[12:], crc32.Checksum(header, castagnoli))
	return b
}

// snapshotHeader is a file's beginning.
type snapshotHeader struct {
	cluster uint64
	group   raft.GroupID
	meta    raft.SnapshotMeta
	size    int64 // where the blocks begin
}

// readSnapshotHeader reads and verifies the beginning of a file.
func readSnapshotHeader(r io.ReaderAt) (snapshotHeader, error) {
	var prefix [snapshotPrefixBytes]byte
	if _, err := r.ReadAt(prefix[:], 0); err != nil {
		return snapshotHeader{}, shortSnapshot("header", err)
	}
	size := binary.LittleEndian.Uint32(prefix[8:])
	if string(prefix[:8]) != snapshotMagic || size < snapshotFixedBytes || size > maxSnapshotHeader {
		return snapshotHeader{}, badSnapshot("it does not begin as a snapshot does")
	}
	b := make([]byte, size)
	if _, err := r.ReadAt(b, snapshotPrefixBytes); err != nil {
		return snapshotHeader{}, shortSnapshot("header", err)
	}
	if crc32.Checksum(b, castagnoli) != binary.LittleEndian.Uint32(prefix[12:]) {
		return snapshotHeader{}, badSnapshot("the checksum of its header is wrong")
	}
	configuration, err := raft.DecodeConfiguration(b[snapshotFixedBytes:])
	if err != nil {
		return snapshotHeader{}, badSnapshot("%v", err)
	}
	return snapshotHeader{
		cluster: binary.LittleEndian.Uint64(b),
		group:   raft.GroupID(binary.LittleEndian.Uint64(b[8:])),
		meta: raft.SnapshotMeta{
			Last: raft.Position{
				Term:  raft.Term(binary.LittleEndian.Uint64(b[16:])),
				Index: raft.Index(binary.LittleEndian.Uint64(b[24:])),
			},
			Configuration: configuration,
		},
		size: snapshotPrefixBytes + int64(size),
	}, nil
}

// snapshotEncoding writes a file: the header first, then blocks, then the end.
type snapshotEncoding struct {
	out     io.Writer
	sum     hash.Hash
	pending []byte // payload that does not fill a block yet
	block   []byte
	payload uint64
	size    int64
}

func newSnapshotEncoding(out io.Writer, header []byte) (*snapshotEncoding, error) {
	e := &snapshotEncoding{out: out, sum: sha256.New(), pending: make([]byte, 0, snapshotBlockBytes)}
	err := e.emit(header)
	return e, err
}

func (e *snapshotEncoding) emit(b []byte) error {
	_, _ = e.sum.Write(b)
	n, err := e.out.Write(b)
	e.size += int64(n)
	return err
}

// Write takes payload.
func (e *snapshotEncoding) Write(p []byte) (int, error) {
	taken := 0
	for len(p) > 0 {
		n := min(len(p), snapshotBlockBytes-len(e.pending))
		e.pending = append(e.pending, p[:n]...)
		p, taken = p[n:], taken+n
		if len(e.pending) == snapshotBlockBytes {
			if err := e.flush(); err != nil {
				return taken, err
			}
		}
	}
	return taken, nil
}

func (e *snapshotEncoding) flush() error {
	if len(e.pending) == 0 {
		return nil
	}
	e.block = snapshotEncoder.EncodeAll(e.pending, append(e.block[:0], make([]byte, snapshotBlockHeader)...))
	data := e.block[snapshotBlockHeader:]
	binary.LittleEndian.PutUint32(e.block, uint32(len(data)))
	binary.LittleEndian.PutUint32(e.block[4:], crc32.Checksum(data, castagnoli))
	e.payload += uint64(len(e.pending))
	e.pending = e.pending[:0]
	return e.emit(e.block)
}

// finish writes the end and gives the sum.
func (e *snapshotEncoding) finish() (uint64, error) {
	if err := e.flush(); err != nil {
		return 0, err
	}
	end := make([]byte, snapshotEndBytes)
	binary.LittleEndian.PutUint64(end[8:], e.payload)
	binary.LittleEndian.PutUint32(end[4:], crc32.Checksum(end[8:16], castagnoli))
	_, _ = e.sum.Write(end[:16])
	sum := binary.LittleEndian.Uint64(e.sum.Sum(nil))
	binary.LittleEndian.PutUint64(end[16:], sum)
	n, err := e.out.Write(end)
	e.size += int64(n)
	return sum, err
}

// snapshotBlocks reads the blocks of a file, verifying each.
type snapshotBlocks struct {
	in   io.ReaderAt
	at   int64 // where the next block begins
	data []byte
	ends bool // the end was read
	sum  uint64
	// payload is what the end says, seen what the blocks so far hold, and plain what the
	// last one of them does.
	payload, seen uint64
	plain         int
}

// next reads one block's compressed bytes; false at the end.
func (b *snapshotBlocks) next() (bool, error) {
	var header [snapshotBlockHeader]byte
	if _, err := b.in.ReadAt(header[:], b.at); err != nil {
		return false, shortSnapshot("block", err)
	}
	size, want := binary.LittleEndian.Uint32(header[:]), binary.LittleEndian.Uint32(header[4:])
	if size == 0 {
		if err := b.end(want); err != nil {
			return false, err
		}
		if b.payload != b.seen {
			return false, badSnapshot("its blocks hold %d bytes, and its end says %d", b.seen, b.payload)
		}
		return false, nil
	}
	if size > maxSnapshotBlock {
		return false, badSnapshot("the block at %d says that it has %d bytes", b.at, size)
	}
	b.data = append(b.data[:0], make([]byte, size)...)
	if _, err := b.in.ReadAt(b.data, b.at+snapshotBlockHeader); err != nil {
		return false, shortSnapshot("block", err)
	}
	if crc32.Checksum(b.data, castagnoli) != want {
		return false, badSnapshot("the checksum of the block at %d is wrong", b.at)
	}
	var err error
	if b.plain, err = plainBytes(b.data); err != nil {
		return false, badSnapshot("the block at %d: %s", b.at, err)
	}
	b.seen += uint64(b.plain)
	b.at += snapshotBlockHeader + int64(size)
	return true, nil
}

// plainBytes is how much payload a block holds, at least one byte: most say it, and a
// short one that does not is soon decompressed.
func plainBytes(block []byte) (int, error) {
	var h zstd.Header
	if err := h.Decode(block); err != nil {
		return 0, errors.New(brief(err))
	}
	size := h.FrameContentSize
	if !h.HasFCS {
		plain, err := snapshotDecoder.DecodeAll(block, nil)
		if err != nil {
			return 0, errors.New(brief(err))
		}
		size = uint64(len(plain))
	}
	if size == 0 || size > snapshotBlockBytes {
		return 0, fmt.Errorf("it holds %d bytes, where 1 to %d are possible", size, snapshotBlockBytes)
	}
	return int(size), nil
}

func (b *snapshotBlocks) end(want uint32) error {
	var end [snapshotEndBytes - snapshotBlockHeader]byte
	if _, err := b.in.ReadAt(end[:], b.at+snapshotBlockHeader); err != nil {
		return shortSnapshot("end", err)
	}
	if crc32.Checksum(end[:8], castagnoli) != want {
		return badSnapshot("the checksum of its end is wrong")
	}
	b.payload, b.sum = binary.LittleEndian.Uint64(end[:]), binary.LittleEndian.Uint64(end[8:])
	b.at += snapshotEndBytes
	b.ends = true
	return nil
}

// verifySnapshot reads all of a file, which must be the one that info names.
func verifySnapshot(in io.ReaderAt, cluster uint64, info *SnapshotInfo) (snapshotHeader, error) {
	h, err := readSnapshotHeader(in)
	if err != nil {
		return h, err
	}
	if h.cluster != cluster || h.group != info.Group || h.meta.Last != info.Meta.Last {
		return h, badSnapshot("it is of group %d of cluster %016x at %s", h.group, h.cluster, h.meta.Last)
	}
	blocks := &snapshotBlocks{in: in, at: h.size}
	for more := true; more; {
		if more, err = blocks.next(); err != nil {
			return h, err
		}
	}
	if blocks.at != info.Size {
		return h, badSnapshot("it ends after %d bytes of %d", blocks.at, info.Size)
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, io.NewSectionReader(in, 0, info.Size-8)); err != nil {
		return h, shortSnapshot("file", err)
	}
	if got := binary.LittleEndian.Uint64(sum.Sum(nil)); got != blocks.sum || got != info.Sum {
		return h, badSnapshot("its sum is %016x, it says %016x, and %016x was expected", got, blocks.sum, info.Sum)
	}
	return h, nil
}

// wholeBytes is how much of an unfinished file is whole: up to the end of its last good
// block.
func wholeBytes(in io.ReaderAt) int64 {
	h, err := readSnapshotHeader(in)
	if err != nil {
		return 0
	}
	blocks := &snapshotBlocks{in: in, at: h.size}
	for {
		if more, err := blocks.next(); err != nil || !more {
			return blocks.at
		}
	}
}

// snapshotPayload gives the payload of a verified file.
type snapshotPayload struct {
	blocks snapshotBlocks
	plain  []byte
	rest   []byte
	close  func() error
}

func (p *snapshotPayload) Read(b []byte) (int, error) {
	for len(p.rest) == 0 {
		more, err := p.blocks.next()
		if err != nil {
			return 0, err
		}
		if !more {
			return 0, io.EOF
		}
		if p.plain, err = snapshotDecoder.DecodeAll(p.blocks.data, p.plain[:0]); err != nil {
			return 0, badSnapshot("%s", brief(err))
		}
		if len(p.plain) != p.blocks.plain {
			return 0, badSnapshot("a block holds %d bytes, and says that it has %d", len(p.plain), p.blocks.plain)
		}
		p.rest = p.plain
	}
	n := copy(b, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

func (p *snapshotPayload) Close() error { return p.close() }

// badSnapshot is an error about a file that is not what was written.
func badSnapshot(format string, args ...any) error {
	return fmt.Errorf("%w: a snapshot is not to be used: %s", errSnapshot, fmt.Sprintf(format, args...))
}

// errSnapshot Is ErrCorrupt, but the server is none the worse for it.
var errSnapshot error = snapshotError{}

type snapshotError struct{}

func (snapshotError) Error() string        { return "persistence: damaged" }
func (snapshotError) Is(target error) bool { return target == ErrCorrupt }

// shortSnapshot tells a file that is too short from one that cannot be read.
func shortSnapshot(what string, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return badSnapshot("its %s is cut off", what)
	}
	return fmt.Errorf("persistence: read a snapshot: %w", err)
}
