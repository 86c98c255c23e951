package kv

import "github.com/tidwall/btree"

// reader is a state that is read: an ordered map of items.
type reader interface {
	// get finds the item of a key, or nil.
	get(key []byte) *item
	// ascend visits the items from a key on, in the order of their keys, until visit
	// returns false.
	ascend(from []byte, visit func(it *item) bool)
	// err is not nil once something could not be read. What was read since the reader
	// was made is then not to be used.
	err() error
}

// storage is where a store has its items. Whatever a command does is done through it,
// the same in memory and on disk.
type storage interface {
	reader
	// set puts an item in the place of old, which is what get finds there.
	set(it, old *item)
	// remove takes away an item that get finds.
	remove(it *item)
	// view gives a reader of what is there now, which never changes and may be used
	// from anywhere.
	view() reader
}

// tree is an ordered map whose copies share what neither has changed since.
type tree = btree.Map[string, *item]

// mapped is a storage in memory.
type mapped struct{ tree *tree }

var _ storage = mapped{}

func newMapped() mapped { return mapped{tree: new(tree)} }

func (m mapped) get(key []byte) *item {
	it, _ := m.tree.Get(asKey(key))
	return it
}

func (m mapped) ascend(from []byte, visit func(it *item) bool) {
	m.tree.Ascend(asKey(from), func(_ string, it *item) bool { return visit(it) })
}

func (m mapped) err() error { return nil }

func (m mapped) set(it, _ *item) { m.tree.Set(asKey(it.kv.Key), it) }

func (m mapped) remove(it *item) { m.tree.Delete(asKey(it.kv.Key)) }

// view costs nothing by itself; later writes copy the nodes that they touch, once for
// each view.
func (m mapped) view() reader { return mapped{tree: m.tree.Copy()} }
