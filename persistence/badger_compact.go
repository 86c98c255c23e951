package persistence

import (
	"fmt"

	"castaway/raft"
)

// deleteCost is what deleting one key costs of a transaction, in bytes, with the
// node that it takes in the memtable.
const deleteCost = 256

// Compact implements Store. The start record makes it so, in one commit; then the
// records before it are deleted, in as many commits as it takes. A crash between
// them leaves garbage that the next Compact sweeps.
func (s *Badger) Compact(group raft.GroupID, meta raft.SnapshotMeta) error {
	if err := s.Sync(); err != nil {
		return err
	}
	if err := s.moveStart(group, meta); err != nil {
		return err
	}
	for {
		// Let go of writing between the commits, so that others may write.
		more, err := s.sweep(group, meta)
		if err != nil || !more {
			return err
		}
	}
}

// moveStart writes the start record and lets go of what is before it.
func (s *Badger) moveStart(group raft.GroupID, meta raft.SnapshotMeta) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.mu.Lock()
	target := s.appended
	s.mu.Unlock()
	if err := s.flush(target); err != nil {
		return err
	}
	s.mu.Lock()
	g := s.group(group)
	if err := g.state.checkCompact(meta); err != nil {
		s.mu.Unlock()
		return fmt.Errorf("group %d: %w", group, err)
	}
	if err := s.room(s.compactFloor(), 0); err != nil {
		s.mu.Unlock()
		return err
	}
	state := g.state.clone()
	n := len(g.records)
	if state.compact(meta) {
		n = g.droppable(meta.Last.Index)
	}
	h := recordHeader{group: group, hard: state.hard, base: g.base, chain: g.baseSum}
	s.mu.Unlock()
	if n > 0 {
		var err error
		if h.base, h.chain, err = s.chainAt(g, n-1); err != nil {
			return err
		}
	}
	if err := s.commitStart(h, meta, nil); err != nil {
		s.fail(err)
		return s.failure()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	g.drop(n)
	g.base, g.baseSum = h.base, h.chain
	if !g.state.compact(meta) {
		g.tail, g.stored, g.recordsEnd = nil, meta.Last.Index, meta.Last.Index
	}
	return s.err
}

// compactFloor is what must be free to compact: less than for other writes, since
// it is what makes room.
func (s *Badger) compactFloor() uint64 { return s.options.HardFloorBytes / 2 }

// chainAt gives sequence and checksum of a record in the index.
func (s *Badger) chainAt(g *badgerGroup, i int) (uint64, uint32, error) {
	if i == len(g.records)-1 {
		return g.records[i].sequence, g.sum, nil
	}
	sequence := g.records[i].sequence
	txn := s.db.NewTransactionAt(maxTimestamp, false)
	defer txn.Discard()
	item, err := txn.Get(writeKey(sequence, g.id, 0))
	var h recordHeader
	if err == nil {
		err = item.Value(func(b []byte) (err error) { h, err = decodeHeader(b, s.nonce); return err })
	}
	if err != nil {
		return 0, 0, fmt.Errorf("group %d: %w: record %d: %w: %s", g.id, ErrCorrupt, sequence, err, WhatToDo)
	}
	return sequence, h.sum, nil
}

// sweep deletes some of the records that were let go; it says whether any are
// left.
func (s *Badger) sweep(group raft.GroupID, meta raft.SnapshotMeta) (bool, error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.mu.Lock()
	if s.err != nil {
		defer s.mu.Unlock()
		return false, s.err
	}
	g := s.group(group)
	// Another Compact may have come in between; it sweeps for both.
	if len(g.garbage) == 0 || g.state.snapshot.Last != meta.Last {
		s.mu.Unlock()
		return false, nil
	}
	if err := s.room(s.compactFloor(), 0); err != nil {
		s.mu.Unlock()
		return false, err
	}
	var keys [][]byte
	n := 0
	limit := int(s.options.transactionBytes() / deleteCost)
	for ; n < len(g.garbage) && (n == 0 || len(keys)+g.partsOf(g.garbage[n]) <= limit); n++ {
		for part := range g.partsOf(g.garbage[n]) {
			keys = append(keys, writeKey(g.garbage[n], group, part))
		}
	}
	h := recordHeader{group: group, hard: g.state.hard, base: g.base, chain: g.baseSum}
	s.mu.Unlock()
	if err := s.commitStart(h, meta, keys); err != nil {
		s.fail(err)
		return false, s.failure()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sequence := range g.garbage[:n] {
		delete(g.parts, sequence)
	}
	g.garbage = g.garbage[n:]
	return len(g.garbage) > 0, s.err
}

// commitStart writes a group's start record, and deletes keys. Every commit puts
// something that lives on, so that the newest commit's number never leaves the
// tables.
func (s *Badger) commitStart(h recordHeader, meta raft.SnapshotMeta, keys [][]byte) error {
	h.nonce, h.sequence = s.nonce, s.sequence+1
	txn := s.db.NewTransactionAt(maxTimestamp, true)
	defer txn.Discard()
	err := txn.Set(startKey(h.group), encodeStart(nil, &h, meta))
	for i := 0; i < len(keys) && err == nil; i++ {
		err = txn.Delete(keys[i])
	}
	if err != nil {
		return fmt.Errorf("put the start of group %d into commit %d: %w", h.group, h.sequence, err)
	}
	return s.finish(txn, h.sequence, int64(len(keys)+1)*deleteCost)
}
