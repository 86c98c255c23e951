package persistence

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/dgraph-io/badger/v4"

	"castaway/raft"
)

// Sync implements Store. Callers that come while another's commit is on its way
// share the next one.
func (s *Badger) Sync() error {
	s.mu.Lock()
	err, target := s.err, s.appended
	s.mu.Unlock()
	if err != nil {
		return err
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	return s.flush(target)
}

// flush writes pending commits, in order, until the first target appends are
// durable. The caller holds writing.
func (s *Badger) flush(target uint64) error {
	for {
		s.mu.Lock()
		if err := s.err; err != nil || s.synced >= target {
			s.mu.Unlock()
			return err
		}
		if err := s.room(s.options.HardFloorBytes, s.pendingBytes()); err != nil {
			s.mu.Unlock()
			return err
		}
		c := s.pending[0]
		c.sealed = true
		s.mu.Unlock()
		if err := s.write(c); err != nil {
			s.fail(err)
			return s.failure()
		}
	}
}

// write makes one commit durable and takes it into the index.
func (s *Badger) write(c *commit) error {
	groups := slices.Sorted(maps.Keys(c.writes))
	txn := s.db.NewTransactionAt(maxTimestamp, true)
	defer txn.Discard()
	sequence := s.sequence + 1
	parts := make([]int, len(groups))
	s.buffer = slices.Grow(s.buffer[:0], int(c.size))
	for i, id := range groups {
		var err error
		if parts[i], err = s.putWrite(txn, sequence, id, c.writes[id]); err != nil {
			return err
		}
	}
	if err := s.finish(txn, sequence); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending = slices.Delete(s.pending, 0, 1)
	s.synced = c.last
	for i, id := range groups {
		g, w := s.groups[id], c.writes[id]
		if parts[i] > 1 {
			g.parts[sequence] = parts[i]
		}
		g.committed(sequence, w.first, len(w.entries), s.pendingFirst(id))
	}
	return s.err
}

// putWrite encodes a write record and puts it into the transaction; it gives the
// number of its parts.
func (s *Badger) putWrite(txn *badger.Txn, sequence uint64, id raft.GroupID, w *pendingWrite) (int, error) {
	s.mu.Lock()
	g := s.groups[id]
	s.mu.Unlock()
	h := recordHeader{
		nonce: s.nonce, chain: g.sum, sequence: sequence, group: id,
		hard: w.hard, previous: w.previous, first: w.first,
	}
	start := len(s.buffer)
	s.buffer = encodeWrite(s.buffer, &h, w.entries)
	g.sum = h.sum
	record := s.buffer[start:]
	parts := 0
	for part := range slices.Chunk(record, partBytes) {
		if err := txn.Set(writeKey(sequence, id, parts), part); err != nil {
			return 0, fmt.Errorf("put %d bytes of group %d into commit %d: %w", len(record), id, sequence, err)
		}
		parts++
	}
	return parts, nil
}

// finish makes a transaction durable, as commit number sequence.
func (s *Badger) finish(txn *badger.Txn, sequence uint64) error {
	if err := s.commit(txn, sequence); err != nil {
		return fmt.Errorf("commit %d: %w", sequence, err)
	}
	s.sequence = sequence
	if err := s.newMem(); err != nil {
		return err
	}
	s.db.SetDiscardTs(sequence)
	return s.witness.note(sequence)
}

// newMem looks whether Badger has begun a new memtable log. Badger does not sync
// the directory then, so that a power cut could lose the whole file.
func (s *Badger) newMem() error {
	begun := false
	for {
		path := filepath.Join(s.logs, memName(s.nextMem))
		if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
			break
		} else if err != nil {
			return fmt.Errorf("look for a new memtable log: %w", err)
		}
		s.nextMem++
		begun = true
	}
	if !begun {
		return nil
	}
	adviseMem(s.logs)
	if err := syncDirectory(s.logs); err != nil {
		return fmt.Errorf("sync the log's directory: %w", err)
	}
	return nil
}
