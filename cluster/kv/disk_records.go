package kv

import (
	"encoding/binary"
	"fmt"

	"github.com/dgraph-io/badger/v4"

	"castaway/raft"
)

// Kinds of records on disk, the first byte of their keys. They are in files: they keep
// their values for ever.
const (
	recordMeta byte = 'm' // one: what is known of the whole state
	recordItem byte = 'i' // and the key: an item
	recordSide byte = 's' // and a pair's key: a pair
	recordPart byte = 'p' // a kind, a number and a key: what is too long for one record
)

// partBytes is the most of a value in one record: Badger would put larger ones aside,
// where the space of what is overwritten does not come back by itself.
const partBytes = 512 << 10

// metaVersion is the first byte of recordMeta's value.
const metaVersion byte = 1

// meta is what an on-disk machine is as of a commit.
type meta struct {
	applied raft.Index
	figures
}

func (m *meta) encode() []byte {
	b := []byte{metaVersion}
	for _, v := range []uint64{uint64(m.applied), uint64(m.revision), m.sum, uint64(m.bytes), uint64(m.keys)} {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	return b
}

func decodeMeta(b []byte) (m meta, err error) {
	if len(b) != 1+5*8 || b[0] != metaVersion {
		return m, fmt.Errorf("%w: the record of the whole state has %d bytes", ErrMalformed, len(b))
	}
	at := func(i int) uint64 { return binary.LittleEndian.Uint64(b[1+8*i:]) }
	m.applied = raft.Index(at(0))
	m.figures = figures{revision: int64(at(1)), sum: at(2), bytes: int64(at(3)), keys: int64(at(4))}
	return m, nil
}

// encodeItem gives the value of an item's records: its hash, the numbers, the value.
func encodeItem(it *item) []byte {
	b := make([]byte, 0, 8+4*binary.MaxVarintLen64+len(it.kv.Value))
	b = binary.LittleEndian.AppendUint64(b, it.hash)
	for _, n := range []int64{it.kv.CreateRevision, it.kv.ModRevision, it.kv.Version, it.kv.Lease} {
		b = binary.AppendVarint(b, n)
	}
	return append(b, it.kv.Value...)
}

// decodeItem is the reverse of encodeItem. The item keeps key and b.
func decodeItem(key, b []byte) (*item, error) {
	it := &item{}
	it.kv.Key = key
	if len(b) < 8 {
		return nil, fmt.Errorf("%w: the record of key %s", ErrMalformed, describeKey(key))
	}
	it.hash, b = binary.LittleEndian.Uint64(b), b[8:]
	for _, n := range []*int64{&it.kv.CreateRevision, &it.kv.ModRevision, &it.kv.Version, &it.kv.Lease} {
		v, size := binary.Varint(b)
		if size <= 0 {
			return nil, fmt.Errorf("%w: the record of key %s", ErrMalformed, describeKey(key))
		}
		*n, b = v, b[size:]
	}
	it.kv.Value = b
	return it, nil
}

func recordKey(kind byte, key []byte) []byte {
	return append(append(make([]byte, 0, 1+len(key)), kind), key...)
}

func partKey(kind byte, number int, key []byte) []byte {
	b := binary.BigEndian.AppendUint32([]byte{recordPart, kind}, uint32(number))
	return append(b, key...)
}

// partsOf says how many records a value needs beside the first.
func partsOf(value []byte) int { return max(0, len(value)-1) / partBytes }

// put writes a value in as many records as it needs, the first of which says how many
// more there are, and deletes those of the old one, had more.
func (b *batch) put(kind byte, key, value []byte, had int) (parts int) {
	parts = partsOf(value)
	first := value[:min(len(value), partBytes)]
	b.set(recordKey(kind, key), append(binary.AppendUvarint(make([]byte, 0, 2+len(first)), uint64(parts)), first...))
	for i := 1; i <= parts; i++ {
		b.set(partKey(kind, i, key), value[i*partBytes:min(len(value), (i+1)*partBytes)])
	}
	for i := parts + 1; i <= had; i++ {
		b.remove(partKey(kind, i, key))
	}
	return parts
}

// drop deletes the records of a value.
func (b *batch) drop(kind byte, key []byte, had int) {
	b.remove(recordKey(kind, key))
	for i := 1; i <= had; i++ {
		b.remove(partKey(kind, i, key))
	}
}

// wholeValue reads what put wrote, of which first is the first record.
func wholeValue(txn *badger.Txn, kind byte, key []byte, first *badger.Item) (value []byte, parts int, err error) {
	value, err = first.ValueCopy(nil)
	if err != nil {
		return nil, 0, err
	}
	n, size := binary.Uvarint(value)
	if size <= 0 {
		return nil, 0, fmt.Errorf("%w: the record of key %s", ErrMalformed, describeKey(key))
	}
	value = value[size:]
	for i := 1; i <= int(n); i++ {
		part, err := txn.Get(partKey(kind, i, key))
		if err != nil {
			return nil, 0, fmt.Errorf("part %d of the value of key %s: %w", i, describeKey(key), err)
		}
		err = part.Value(func(b []byte) error { value = append(value, b...); return nil })
		if err != nil {
			return nil, 0, err
		}
	}
	return value, int(n), nil
}
