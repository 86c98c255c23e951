package kv

import (
	"encoding/binary"
	"unsafe"

	"github.com/cespare/xxhash/v2"
	"go.etcd.io/etcd/api/v3/mvccpb"
)

// item is what the map holds of one key. It is never changed once it is in the
// map: responses and views point into it.
type item struct {
	kv   mvccpb.KeyValue
	hash uint64 // of the key, the value and the revisions
	// parts is how many records the value has on disk beside the first.
	parts int
}

// itemOverhead is what an item is taken to weigh beside its key and value: the
// item itself, and its place in the map.
const itemOverhead = 192

func (it *item) size() int64 {
	return int64(len(it.kv.Key) + len(it.kv.Value) + itemOverhead)
}

// seal computes the item's part of the state hash, as its last change.
func (it *item) seal() {
	var fixed [40]byte
	binary.LittleEndian.PutUint64(fixed[0:], uint64(len(it.kv.Key)))
	binary.LittleEndian.PutUint64(fixed[8:], uint64(it.kv.CreateRevision))
	binary.LittleEndian.PutUint64(fixed[16:], uint64(it.kv.ModRevision))
	binary.LittleEndian.PutUint64(fixed[24:], uint64(it.kv.Version))
	binary.LittleEndian.PutUint64(fixed[32:], uint64(it.kv.Lease))
	var d xxhash.Digest
	d.Reset()
	// Writing to a digest cannot fail.
	_, _ = d.Write(fixed[:])
	_, _ = d.Write(it.kv.Key)
	_, _ = d.Write(it.kv.Value)
	it.hash = d.Sum64()
}

// asKey sees bytes as a key of the map without a copy. It is right for a lookup,
// which keeps nothing, and for the key of an item, which never changes.
func asKey(b []byte) string {
	return unsafe.String(unsafe.SliceData(b), len(b))
}
