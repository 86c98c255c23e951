package kv

import (
	"bytes"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/dgraph-io/badger/v4"
)

// Bounds of how much is read at once while items are visited: nothing is held open
// between, so that a slow reader is in nobody's way.
const (
	firstChunk = 16
	lastChunk  = 1024
	chunkBytes = 1 << 20
)

// past is what was on disk at a timestamp.
type past struct {
	disk    *disk
	at      uint64
	failure atomic.Pointer[error]
}

var _ reader = (*past)(nil)

func (p *past) note(err error) {
	if err != nil {
		p.failure.CompareAndSwap(nil, &err)
	}
}

func (p *past) err() error {
	if failed := p.failure.Load(); failed != nil {
		return *failed
	}
	return nil
}

func (p *past) get(key []byte) (it *item) {
	p.note(p.disk.read(p.at, func(txn *badger.Txn) error {
		record, err := txn.Get(recordKey(recordItem, key))
		if errors.Is(err, badger.ErrKeyNotFound) {
			return nil
		}
		if err == nil {
			it, err = itemOf(txn, record)
		}
		return err
	}))
	return it
}

// itemOf reads an item, all of it a copy.
func itemOf(txn *badger.Txn, record *badger.Item) (*item, error) {
	key := record.KeyCopy(nil)[1:]
	value, parts, err := wholeValue(txn, recordItem, key, record)
	if err != nil {
		return nil, err
	}
	it, err := decodeItem(key, value)
	if err == nil {
		it.parts = parts
	}
	return it, err
}

func (p *past) ascend(from []byte, visit func(it *item) bool) {
	for size := firstChunk; ; size = min(4*size, lastChunk) {
		chunk, more := p.chunk(from, size)
		for _, it := range chunk {
			if !visit(it) {
				return
			}
		}
		if !more {
			return
		}
		from = append(bytes.Clone(chunk[len(chunk)-1].kv.Key), 0)
	}
}

// chunk reads the next items, and says whether there may be more.
func (p *past) chunk(from []byte, size int) (chunk []*item, more bool) {
	err := p.disk.read(p.at, func(txn *badger.Txn) error {
		o := badger.DefaultIteratorOptions
		o.PrefetchValues, o.Prefix = false, []byte{recordItem}
		records := txn.NewIterator(o)
		defer records.Close()
		held := 0
		for records.Seek(recordKey(recordItem, from)); records.Valid(); records.Next() {
			if len(chunk) == size || held > chunkBytes {
				more = true
				return nil
			}
			it, err := itemOf(txn, records.Item())
			if err != nil {
				return err
			}
			chunk = append(chunk, it)
			held += len(it.kv.Key) + len(it.kv.Value)
		}
		return nil
	})
	p.note(err)
	return chunk, more && err == nil
}

// pins are the timestamps that someone may still read at.
type pins struct {
	mu sync.Mutex
	at map[uint64]int
}

type pin struct {
	pins *pins
	at   uint64
}

func (p *pins) take(at uint64) pin {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at[at]++
	return pin{p, at}
}

func (p pin) release() {
	p.pins.mu.Lock()
	defer p.pins.mu.Unlock()
	if p.pins.at[p.at]--; p.pins.at[p.at] == 0 {
		delete(p.pins.at, p.at)
	}
}

// oldest is the oldest of them, or now.
func (p *pins) oldest(now uint64) uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	for at := range p.at {
		now = min(now, at)
	}
	return now
}

// pinned is what is on disk at a timestamp and stays readable for as long as anyone
// has it: whoever asks for a view need not say when he is done.
func (d *disk) pinned(at uint64) *past {
	p := &past{disk: d, at: at}
	runtime.AddCleanup(p, pin.release, d.pins.take(at))
	return p
}
