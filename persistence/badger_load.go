package persistence

import (
	"bytes"
	"fmt"

	"github.com/dgraph-io/badger/v4"

	"castaway/messages"
	"castaway/raft"
)

// Load implements Store.
func (s *Badger) Load(group raft.GroupID, tailBytes int) (raft.Restored, error) {
	if err := s.Sync(); err != nil {
		return raft.Restored{}, err
	}
	s.mu.Lock()
	g := s.group(group)
	r := g.state.restored()
	s.mu.Unlock()
	first, err := s.tailStart(group, r.Snapshot.Last.Index+1, r.Last, tailBytes)
	if err != nil || first > r.Last {
		return r, err
	}
	r.Tail, err = s.Entries(group, first, r.Last, tailBytes)
	return r, err
}

// tailStart finds the first of the newest entries that fit into tailBytes.
func (s *Badger) tailStart(group raft.GroupID, first, last raft.Index, tailBytes int) (raft.Index, error) {
	// Read backward in steps, each as large as all before it, so that nothing is
	// read much more than twice.
	for step := raft.Index(64); ; step *= 4 {
		from := first
		if last >= first+step {
			from = last - step + 1
		}
		if from > last {
			return from, nil
		}
		entries, err := s.Entries(group, from, last, 1<<62)
		if err != nil {
			return 0, err
		}
		if start := tailStart(entries, tailBytes); start > 0 || from == first {
			return from + raft.Index(start), nil
		}
	}
}

// readGroups builds the index out of everything that Badger holds, verifying each
// record's checksums and that each group's records form a chain.
func (s *Badger) readGroups() error {
	txn := s.db.NewTransactionAt(maxTimestamp, false)
	defer txn.Discard()
	if err := s.scan(txn, prefixStart, s.readStart); err != nil {
		return err
	}
	var long *longRecord
	err := s.scan(txn, prefixWrite, func(key, value []byte) error {
		sequence, group, part, err := parseWriteKey(key)
		if err != nil {
			return err
		}
		if part > 0 {
			return long.add(s, sequence, group, part, value)
		}
		if err := long.done(); err != nil {
			return err
		}
		long, err = s.readWrite(sequence, group, value)
		return err
	})
	if err != nil {
		return err
	}
	if err := long.done(); err != nil {
		return fmt.Errorf("%w: %w: %s", ErrCorrupt, err, WhatToDo)
	}
	for _, g := range s.groups {
		g.stored = g.recordsEnd
	}
	return nil
}

// scan hands every key and value with this prefix to visit, in order. The value is
// Badger's.
func (s *Badger) scan(txn *badger.Txn, prefix byte, visit func(key, value []byte) error) error {
	o := badger.DefaultIteratorOptions
	o.PrefetchValues = false
	o.Prefix = []byte{prefix}
	it := txn.NewIterator(o)
	defer it.Close()
	for it.Rewind(); it.Valid(); it.Next() {
		item := it.Item()
		err := item.Value(func(value []byte) error { return visit(item.Key(), value) })
		if err != nil {
			return fmt.Errorf("%w: commit %d, key %x: %w: %s", ErrCorrupt, item.Version(), item.Key(), err, WhatToDo)
		}
	}
	return nil
}

// readStart takes over a group's start record.
func (s *Badger) readStart(key, value []byte) error {
	h, body, err := decodeRecord(value, s.nonce)
	if err != nil {
		return err
	}
	if !bytes.Equal(startKey(h.group), key) || h.kind != recordStart {
		return fmt.Errorf("%w: it is not the start record of this key's group", errRecord)
	}
	meta, err := decodeStart(&h, body)
	if err != nil {
		return err
	}
	g := s.group(h.group)
	g.state = groupState{hard: h.hard, snapshot: meta, last: meta.Last.Index}
	g.recordsEnd = meta.Last.Index
	g.base, g.baseSum, g.sum = h.base, h.chain, h.chain
	return nil
}

// longRecord is a record whose parts are still coming.
type longRecord struct {
	sequence uint64
	group    raft.GroupID
	parts    int
	size     int
	record   []byte
}

// add takes the next part; the last one completes the record.
func (l *longRecord) add(s *Badger, sequence uint64, group raft.GroupID, part int, value []byte) error {
	if l == nil || l.sequence != sequence || l.group != group || l.parts != part {
		if g := s.group(group); sequence <= g.base {
			return nil // what is left of a record that was let go
		}
		return fmt.Errorf("%w: part %d does not follow", errRecord, part)
	}
	l.parts++
	l.record = append(l.record, value...)
	if len(l.record) < l.size {
		return nil
	}
	s.group(group).parts[sequence] = l.parts
	return s.replay(l.sequence, l.group, l.record)
}

// done says whether the record is complete.
func (l *longRecord) done() error {
	if l != nil && len(l.record) < l.size {
		return fmt.Errorf("%w: record %d of group %d ends after part %d", errRecord, l.sequence, l.group, l.parts)
	}
	return nil
}

// readWrite takes over a write record, or begins a long one.
func (s *Badger) readWrite(sequence uint64, group raft.GroupID, value []byte) (*longRecord, error) {
	g := s.group(group)
	if sequence <= g.base {
		g.garbage = append(g.garbage, sequence)
		if h, err := decodeHeader(value, s.nonce); err == nil && int(h.bodySize)+recordHeaderBytes > partBytes {
			g.parts[sequence] = (int(h.bodySize) + recordHeaderBytes + partBytes - 1) / partBytes
		}
		return nil, nil
	}
	h, err := decodeHeader(value, s.nonce)
	if err != nil {
		return nil, err
	}
	if size := recordHeaderBytes + int(h.bodySize); size > len(value) {
		return &longRecord{sequence: sequence, group: group, parts: 1, size: size, record: append([]byte(nil), value...)}, nil
	}
	return nil, s.replay(sequence, group, value)
}

// replay verifies one write record against all before it, and applies it.
func (s *Badger) replay(sequence uint64, group raft.GroupID, record []byte) error {
	h, body, err := decodeRecord(record, s.nonce)
	if err != nil {
		return err
	}
	g := s.group(group)
	start := g.state.snapshot.Last.Index
	switch {
	case h.sequence != sequence || h.group != group || h.kind != recordWrite:
		return fmt.Errorf("%w: it is record %d of group %d", errRecord, h.sequence, h.group)
	case h.chain != g.sum:
		return fmt.Errorf("%w: a record of group %d is missing before it", errRecord, group)
	case h.first == 0 || h.first > g.recordsEnd+1:
		return fmt.Errorf("%w: it begins at %d, the log ends at %d", errRecord, h.first, g.recordsEnd)
	}
	if term, known := g.state.term(h.first - 1); known && term != h.previous {
		return fmt.Errorf("%w: the entry before it is of term %d, not %d", errRecord, term, h.previous)
	}
	g.sum = h.sum
	g.addRecord(sequence, h.first, int(h.count))
	g.state.truncate(max(h.first, start+1))
	g.state.hard = h.hard
	return g.replayEntries(&h, body)
}

// replayEntries takes the terms and configurations of a record's entries.
func (g *badgerGroup) replayEntries(h *recordHeader, body []byte) error {
	for i := range raft.Index(h.count) {
		frame, rest, err := frameAt(body)
		if err != nil {
			return err
		}
		body = rest
		index := h.first + i
		if index <= g.state.snapshot.Last.Index {
			continue
		}
		e, err := messages.DecodeEntry(frame)
		if err != nil {
			return err
		}
		if e.Index != index || e.Index != g.state.last+1 || e.Term < g.state.lastPosition().Term {
			return fmt.Errorf("%w: entry %d@t%d cannot follow %s", errRecord, e.Index, e.Term, g.state.lastPosition())
		}
		g.state.extend(e.Term, e.Index)
		if e.Kind == raft.EntryConfiguration {
			e.Frame = append([]byte(nil), e.Frame...)
			e.Data = e.Frame[len(e.Frame)-len(e.Data):]
			g.state.configurations = append(g.state.configurations, e)
		}
	}
	if len(body) != 0 {
		return fmt.Errorf("%w: %d bytes too many behind its entries", errRecord, len(body))
	}
	return nil
}
