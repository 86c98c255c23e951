package persistence

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"strconv"
)

// Badger's log of a memtable (NNNNN.mem) in the format of version 4: a header of
// 20 bytes, then for each key its meta byte, user meta byte, the varints of key
// size, value size and expiry, key, value, crc32c (big endian) of all that. The
// last eight bytes of a key are its version, complemented, big endian. The keys of
// a transaction have memBitTxn set; a key with memBitFinTxn ends it, with the
// version in decimal as its value. What follows the last whole transaction is cut
// off when Badger opens the file, without a word, so we read it first.
const (
	memHeaderBytes   = 20
	memBitTxn        = 1 << 6
	memBitFinTxn     = 1 << 7
	memMaxKeyBytes   = 1 << 16
	memChecksumBytes = 4
	memVersionBytes  = 8
)

// memSummary is what is in one memtable log.
type memSummary struct {
	// first and last are the sequences of the whole transactions that Badger will
	// find, with no gap between them; both zero if there is none.
	first, last uint64
	// gap says that a transaction did not follow the one before it.
	gap bool
	// beyond is the highest sequence of our records behind the point where Badger
	// will stop reading; zero if there is none.
	beyond uint64
	// end is where Badger will stop reading.
	end int
	// keyed says that the header names an encryption key: ours never do, and Badger
	// would not open such a file.
	keyed bool
}

// summarizeMem reads a memtable log as Badger will when it opens it, and looks
// for records of ours behind the point where that ends.
func summarizeMem(b []byte, nonce uint64) memSummary {
	s := memSummary{end: min(memHeaderBytes, len(b))}
	s.keyed = s.end == memHeaderBytes && binary.BigEndian.Uint64(b) != 0
	var open uint64 // the version of the transaction that is being read
	for at := s.end; ; {
		e, size := readMemEntry(b[at:])
		if size == 0 {
			break
		}
		at += size
		if e.meta&memBitTxn != 0 {
			if open != 0 && open != e.version {
				break
			}
			open = e.version
			continue
		}
		version, err := strconv.ParseUint(string(e.value), 10, 64)
		if e.meta&memBitFinTxn == 0 || err != nil || version != open {
			break
		}
		open = 0
		s.end = at
		s.add(version)
	}
	s.beyond = highestRecord(b[s.end:], nonce)
	return s
}

func (s *memSummary) add(version uint64) {
	if s.first == 0 {
		s.first = version
	} else if version != s.last+1 {
		s.gap = true
	}
	s.last = version
}

// memEntry is one key of a memtable log.
type memEntry struct {
	meta    byte
	version uint64
	key     []byte // with its version
	value   []byte
}

// readMemEntry gives the first key in b and its size; size 0 is the end.
func readMemEntry(b []byte) (memEntry, int) {
	if len(b) < 2 {
		return memEntry{}, 0
	}
	at := 2
	var sizes [3]uint64
	for i := range sizes {
		v, n := binary.Uvarint(b[at:])
		if n <= 0 {
			return memEntry{}, 0
		}
		sizes[i], at = v, at+n
	}
	key, value := sizes[0], sizes[1]
	left := uint64(len(b) - at)
	if key < memVersionBytes || key > memMaxKeyBytes || value > left || key+value+memChecksumBytes > left {
		return memEntry{}, 0
	}
	end := at + int(key+value)
	if crc32.Checksum(b[:end], castagnoli) != binary.BigEndian.Uint32(b[end:]) {
		return memEntry{}, 0
	}
	keyEnd := at + int(key)
	return memEntry{
		meta:    b[0],
		version: ^binary.BigEndian.Uint64(b[keyEnd-memVersionBytes:]),
		key:     b[at:keyEnd:keyEnd],
		value:   b[keyEnd:end],
	}, end + memChecksumBytes
}

// highestRecord finds our record headers anywhere in b, and gives the highest
// sequence among them.
func highestRecord(b []byte, nonce uint64) uint64 {
	var mark [8]byte
	binary.LittleEndian.PutUint64(mark[:], nonce)
	var highest uint64
	for {
		i := bytes.Index(b, mark[:])
		if i < 0 {
			return highest
		}
		if h, err := decodeHeader(b[i:], nonce); err == nil {
			highest = max(highest, h.sequence)
		}
		b = b[i+1:]
	}
}
