package kv

import (
	"encoding/binary"

	"github.com/cespare/xxhash/v2"
)

// firstRevision is the revision of an empty store, as in etcd.
const firstRevision = 1

// figures are what is known of a whole state beside its items.
type figures struct {
	revision int64
	sum      uint64 // of the items' hashes, so that their order does not matter
	bytes    int64  // of the items' sizes
	keys     int64
}

func (f *figures) add(it *item) {
	f.sum += it.hash
	f.bytes += it.size()
	f.keys++
}

func (f *figures) forget(it *item) {
	f.sum -= it.hash
	f.bytes -= it.size()
	f.keys--
}

// hash names the whole state.
func (f *figures) hash() uint64 {
	var b [24]byte
	binary.LittleEndian.PutUint64(b[0:], f.sum)
	binary.LittleEndian.PutUint64(b[8:], uint64(f.revision))
	binary.LittleEndian.PutUint64(b[16:], uint64(f.keys))
	return xxhash.Sum64(b[:])
}

// store is the state. Its items and its figures agree after every put and remove; the
// revision moves when the command that wrote is done.
type store struct {
	figures
	items  storage
	shared *View // of the current state, if one was given out
}

func newStore(items storage) *store {
	return &store{items: items, figures: figures{revision: firstRevision}}
}

// get finds the item of a key, or nil.
func (s *store) get(key []byte) *item { return s.items.get(key) }

// view gives a stable copy of the current state.
func (s *store) view() *View {
	if s.shared == nil {
		s.shared = &View{items: s.items.view(), figures: s.figures}
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
	s.items.set(it, old)
	s.add(it)
	return old
}

// remove deletes an item that is in the map.
func (s *store) remove(it *item) {
	s.shared = nil
	s.items.remove(it)
	s.forget(it)
}
