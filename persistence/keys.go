package persistence

import (
	"encoding/binary"
	"fmt"

	"castaway/raft"
)

// Keys in Badger:
//
//	'e' | sequence (8, big endian) | group (8, big endian)             a write record, or its first part
//	'e' | sequence | group | part (2, big endian, from 1)              a further part of a long one
//	's' | group                                                        the group's start record
//	'z'                                                                once in each memtable; see below
//
// Write records are sorted by commit, not by group: then each memtable that
// Badger writes out lies behind all before it, and compaction has nothing to
// merge with what is older, unless there are deletions: they reach back as far as
// what they delete. The one key 'z' makes the newest tables overlap each other, so
// that they are compacted together, and what was written and deleted meanwhile is
// not written again. The version of a key is the sequence of its commit.
const (
	prefixWrite = 'e'
	prefixStart = 's'
	keyOverlap  = "z"

	writeKeyBytes = 1 + 8 + 8
	partKeyBytes  = writeKeyBytes + 2
	startKeyBytes = 1 + 8

	// partBytes is the largest value that is given to Badger. Values of a megabyte
	// would leave the log-structured tree for the value log, whose failed syncs
	// Badger only logs; and while it builds a table, values that are larger than
	// a block take three times their size.
	partBytes = 64 << 10
	// blockBytes is the size of a block in Badger's tables.
	blockBytes = 4 * partBytes
)

// writeKey gives the key of a write record's part; part 0 is the first.
func writeKey(sequence uint64, group raft.GroupID, part int) []byte {
	key := make([]byte, writeKeyBytes, partKeyBytes)
	key[0] = prefixWrite
	binary.BigEndian.PutUint64(key[1:], sequence)
	binary.BigEndian.PutUint64(key[9:], uint64(group))
	if part > 0 {
		key = binary.BigEndian.AppendUint16(key, uint16(part))
	}
	return key
}

func startKey(group raft.GroupID) []byte {
	key := make([]byte, startKeyBytes)
	key[0] = prefixStart
	binary.BigEndian.PutUint64(key[1:], uint64(group))
	return key
}

// parseWriteKey undoes writeKey.
func parseWriteKey(key []byte) (sequence uint64, group raft.GroupID, part int, err error) {
	if (len(key) != writeKeyBytes && len(key) != partKeyBytes) || key[0] != prefixWrite {
		return 0, 0, 0, fmt.Errorf("%w: %x is no key of a write record", errRecord, key)
	}
	if len(key) == partKeyBytes {
		part = int(binary.BigEndian.Uint16(key[17:]))
	}
	return binary.BigEndian.Uint64(key[1:]), raft.GroupID(binary.BigEndian.Uint64(key[9:])), part, nil
}
