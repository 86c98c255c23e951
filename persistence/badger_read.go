package persistence

import (
	"bytes"
	"fmt"

	"github.com/dgraph-io/badger/v4"

	"castaway/messages"
	"castaway/raft"
)

// Entries implements Store.
func (s *Badger) Entries(group raft.GroupID, first, last raft.Index, maxBytes int) ([]raft.Entry, error) {
	s.reading.RLock()
	defer s.reading.RUnlock()
	s.mu.Lock()
	if s.err != nil {
		defer s.mu.Unlock()
		return nil, s.err
	}
	g := s.group(group)
	if err := g.state.checkRange(first, last); err != nil {
		s.mu.Unlock()
		return nil, fmt.Errorf("group %d: %w", group, err)
	}
	r := reader{store: s, group: group, next: first, last: min(last, g.stored), left: maxBytes}
	var refs []recordRef
	if first <= g.stored {
		refs = g.locate(first, r.last)
	}
	var tail []raft.Entry
	if last > g.stored {
		from := max(first, g.stored+1)
		tail = append(tail, g.tail[from-g.stored-1:last-g.stored]...)
	}
	parts := make([]int, len(refs))
	for i := range refs {
		parts[i] = g.partsOf(refs[i].sequence)
	}
	s.mu.Unlock()
	if err := r.read(refs, parts); err != nil {
		return nil, s.explain(group, first, err)
	}
	for i := range tail {
		if !r.take(tail[i]) {
			break
		}
	}
	return r.entries, nil
}

// explain turns a failed read into the store's errors: the log may have been
// compacted meanwhile.
func (s *Badger) explain(group raft.GroupID, first raft.Index, err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	if start := s.group(group).state.snapshot.Last.Index; first <= start {
		return fmt.Errorf("group %d: %w: %d was asked for, the log starts after %d", group, ErrCompacted, first, start)
	}
	return fmt.Errorf("group %d: %w: %w: %s", group, ErrCorrupt, err, WhatToDo)
}

// reader gathers entries in order, up to a limit in bytes.
type reader struct {
	store      *Badger
	group      raft.GroupID
	next, last raft.Index
	left       int
	full       bool
	entries    []raft.Entry
}

// take adds the next entry; false when the limit is reached.
func (r *reader) take(e raft.Entry) bool {
	if r.left -= e.Size(); r.left < 0 && len(r.entries) > 0 {
		r.full = true
	}
	if !r.full {
		r.entries = append(r.entries, e)
	}
	return !r.full
}

// read takes the entries of these records.
func (r *reader) read(refs []recordRef, parts []int) error {
	if len(refs) == 0 {
		return nil
	}
	txn := r.store.db.NewTransactionAt(maxTimestamp, false)
	defer txn.Discard()
	find, done := finder(txn, len(refs))
	defer done()
	for i := range refs {
		end := r.last
		if i+1 < len(refs) {
			end = min(end, refs[i+1].first-1)
		}
		if end < r.next {
			continue
		}
		if err := r.readRecord(txn, find, refs[i], parts[i], end); err != nil {
			return fmt.Errorf("record %d: %w", refs[i].sequence, err)
		}
		if r.full {
			return nil
		}
	}
	if r.next != r.last+1 {
		return fmt.Errorf("%w: entries from %d on are missing", errRecord, r.next)
	}
	return nil
}

func (r *reader) readRecord(txn *badger.Txn, find findFunc, ref recordRef, parts int, end raft.Index) error {
	if parts > 1 {
		record, err := joinParts(txn, ref.sequence, r.group, parts)
		if err != nil {
			return err
		}
		return r.takeRecord(record, end)
	}
	item, err := find(writeKey(ref.sequence, r.group, 0))
	if err != nil {
		return err
	}
	return item.Value(func(record []byte) error { return r.takeRecord(record, end) })
}

// findFunc finds a key; keys are asked for in order.
type findFunc func(key []byte) (*badger.Item, error)

const (
	// iterateRecords is from how many records on an iterator is worth its while.
	iterateRecords = 16
	// skipRecords is how many records of other groups it passes by before it seeks.
	skipRecords = 32
)

// finder finds records one by one, or, if there are many, by walking over them.
func finder(txn *badger.Txn, records int) (find findFunc, done func()) {
	if records < iterateRecords {
		return txn.Get, func() {}
	}
	o := badger.DefaultIteratorOptions
	o.PrefetchValues = false
	o.Prefix = []byte{prefixWrite}
	it := txn.NewIterator(o)
	return func(key []byte) (*badger.Item, error) {
		for skip := 0; ; skip++ {
			if !it.Valid() || skip == skipRecords {
				it.Seek(key)
			}
			if !it.Valid() {
				return nil, badger.ErrKeyNotFound
			}
			switch bytes.Compare(it.Item().Key(), key) {
			case 0:
				return it.Item(), nil
			case 1:
				return nil, badger.ErrKeyNotFound
			}
			it.Next()
		}
	}, it.Close
}

// joinParts puts a long record together.
func joinParts(txn *badger.Txn, sequence uint64, group raft.GroupID, parts int) ([]byte, error) {
	record := make([]byte, 0, parts*partBytes)
	for part := range parts {
		item, err := txn.Get(writeKey(sequence, group, part))
		if err != nil {
			return nil, err
		}
		if err := item.Value(func(b []byte) error { record = append(record, b...); return nil }); err != nil {
			return nil, err
		}
	}
	return record, nil
}

// takeRecord takes entries [r.next, end] out of a record, copying only these. The
// record's bytes are Badger's.
func (r *reader) takeRecord(record []byte, end raft.Index) error {
	h, err := decodeHeader(record, r.store.nonce)
	if err != nil {
		return err
	}
	if h.group != r.group || h.first > r.next || uint64(end) >= uint64(h.first)+uint64(h.count) {
		return fmt.Errorf("%w: it holds %d entries from %d on of group %d, not [%d, %d] of group %d",
			errRecord, h.count, h.first, h.group, r.next, end, r.group)
	}
	body := record[recordHeaderBytes:]
	for skip := r.next - h.first; skip > 0; skip-- {
		if _, body, err = frameAt(body); err != nil {
			return err
		}
	}
	wanted, err := leadingFrames(body, int(end-r.next)+1, r.left)
	if err != nil {
		return err
	}
	block := append([]byte(nil), wanted...)
	for len(block) > 0 {
		var frame []byte
		if frame, block, err = frameAt(block); err != nil {
			return err
		}
		e, err := messages.DecodeEntry(frame)
		if err != nil {
			return err
		}
		if e.Index != r.next {
			return fmt.Errorf("%w: entry %d is where %d should be", errRecord, e.Index, r.next)
		}
		if !r.take(e) {
			return nil
		}
		r.next++
	}
	r.full = r.next <= end
	return nil
}

// leadingFrames gives the part of body with the first count frames, or those that
// exceed limit bytes, whichever is less.
func leadingFrames(body []byte, count, limit int) ([]byte, error) {
	rest := body
	for range count {
		frame, after, err := frameAt(rest)
		if err != nil {
			return nil, err
		}
		rest = after
		if limit -= len(frame); limit < 0 {
			break
		}
	}
	return body[:len(body)-len(rest)], nil
}
