package kv

import (
	"encoding/binary"

	"github.com/cespare/xxhash/v2"
	"github.com/tidwall/btree"
)

// firstRevision is the revision of an empty store, as in etcd.
const firstRevision = 1

// tree is an ordered map whose copies share what neither has changed since.
type tree = btree.Map[string, *item]

// store is the state. Its tree, sum and bytes agree after every put and remove;
// the revision moves when the command that wrote is done.
type store struct {
	tree     *tree
	revision int64
	sum      uint64 // of the items' hashes, so that their order does not matter
	bytes    int64  // of the items' sizes
	shared   *View  // of the current state, if one was given out
}

func newStore() *store {
	return &store{tree: new(tree), revision: firstRevision}
}

// get finds the item of a key, or nil.
func (s *store) get(key []byte) *item {
	it, _ := s.tree.Get(asKey(key))
	return it
}

// view gives a stable copy of the current state. Copying costs nothing by itself;
// later writes copy the nodes that they touch, once for each view.
func (s *store) view() *View {
	if s.shared == nil {
		s.shared = &View{tree: s.tree.Copy(), revision: s.revision}
	}
	return s.shared
}

// put writes value under key at a revision and returns what was there, or nil.
// It copies the key if it keeps it; it keeps value, which must not change later.
func (s *store) put(key, value []byte, revision int64) (old *item) {
	s.shared = nil
	it := &item{}
	it.kv.Value = value
	it.kv.ModRevision = revision
	if old = s.get(key); old != nil {
		it.kv.Key = old.kv.Key
		it.kv.CreateRevision = old.kv.CreateRevision
		it.kv.Version = old.kv.Version + 1
		s.forget(old)
	} else {
		it.kv.Key = append(make([]byte, 0, len(key)), key...)
		it.kv.CreateRevision = revision
		it.kv.Version = 1
	}
	it.seal()
	s.tree.Set(asKey(it.kv.Key), it)
	s.sum += it.hash
	s.bytes += it.size()
	return old
}

// remove deletes an item that is in the map.
func (s *store) remove(it *item) {
	s.shared = nil
	s.tree.Delete(asKey(it.kv.Key))
	s.forget(it)
}

func (s *store) forget(it *item) {
	s.sum -= it.hash
	s.bytes -= it.size()
}

// hash names the whole state.
func (s *store) hash() uint64 {
	var b [24]byte
	binary.LittleEndian.PutUint64(b[0:], s.sum)
	binary.LittleEndian.PutUint64(b[8:], uint64(s.revision))
	binary.LittleEndian.PutUint64(b[16:], uint64(s.tree.Len()))
	return xxhash.Sum64(b[:])
}
