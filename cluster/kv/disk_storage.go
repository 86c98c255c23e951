package kv

import "github.com/tidwall/btree"

// change is what became of a key since the last commit.
type change struct {
	it  *item // nil: it was removed
	had int   // parts that are on disk
}

// changes are by key.
type changes = btree.Map[string, change]

// layered is what is on disk, and what has changed since.
type layered struct {
	base    *past
	written *changes
}

func (l layered) err() error { return l.base.err() }

func (l layered) get(key []byte) *item {
	if c, changed := l.written.Get(asKey(key)); changed {
		return c.it
	}
	return l.base.get(key)
}

func (l layered) ascend(from []byte, visit func(it *item) bool) {
	written := l.written.Iter()
	more, stopped := written.Seek(asKey(from)), false
	// upTo visits what has changed, as far as to a key.
	upTo := func(beyond func(key string) bool) {
		for ; more && !stopped && !beyond(written.Key()); more = written.Next() {
			if c := written.Value(); c.it != nil {
				stopped = !visit(c.it)
			}
		}
	}
	l.base.ascend(from, func(it *item) bool {
		key := asKey(it.kv.Key)
		upTo(func(k string) bool { return k >= key })
		if stopped {
			return false
		}
		if more && written.Key() == key { // it comes next
			return true
		}
		stopped = !visit(it)
		return !stopped
	})
	upTo(func(string) bool { return false })
}

// onDisk is the storage of an on-disk machine.
type onDisk struct {
	disk *disk
	layered
}

var _ storage = (*onDisk)(nil)

func newOnDisk(d *disk) *onDisk {
	return &onDisk{disk: d, layered: layered{base: &past{disk: d, at: d.last}, written: new(changes)}}
}

func (s *onDisk) set(it, old *item) {
	s.written.Set(asKey(it.kv.Key), change{it: it, had: s.had(it.kv.Key, old)})
}

func (s *onDisk) remove(it *item) {
	s.written.Set(asKey(it.kv.Key), change{had: s.had(it.kv.Key, it)})
}

// had says how many parts a key has on disk, where get finds old.
func (s *onDisk) had(key []byte, old *item) int {
	if c, changed := s.written.Get(asKey(key)); changed {
		return c.had
	}
	if old == nil {
		return 0
	}
	return old.parts
}

// view shares what has changed with the storage until that changes on.
func (s *onDisk) view() reader {
	return layered{base: s.disk.pinned(s.disk.last), written: s.written.Copy()}
}

// size is about what a commit of the changes writes.
func (s *onDisk) size() (bytes uint64) {
	s.written.Scan(func(key string, c change) bool {
		bytes += uint64(len(key)) + itemOverhead
		if c.it != nil {
			bytes += uint64(len(c.it.kv.Value))
		}
		return true
	})
	return bytes
}

// writeTo puts the changes into a batch.
func (s *onDisk) writeTo(b *batch) {
	s.written.Scan(func(key string, c change) bool {
		if c.it == nil {
			b.drop(recordItem, []byte(key), c.had)
		} else {
			b.put(recordItem, c.it.kv.Key, encodeItem(c.it), c.had)
		}
		return b.failed == nil
	})
}

// committed says that the changes are on disk now, as of disk.last.
func (s *onDisk) committed() {
	s.layered = layered{base: &past{disk: s.disk, at: s.disk.last}, written: new(changes)}
}
