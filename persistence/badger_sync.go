package persistence

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/dgraph-io/badger/v4"
)

// Sync implements Store. Callers that come while another's commit is on its way
// share the next one: one of them writes it, and all of them go on when it is
// durable. Nobody whose appends are durable waits for a commit that has nothing of
// his, so that what he appends next is in the next one again.
func (s *Badger) Sync() error {
	s.mu.Lock()
	target := s.appended
	for s.syncing && s.err == nil && s.synced < target {
		s.turn.Wait()
	}
	if s.err != nil || s.synced >= target {
		defer s.mu.Unlock()
		return s.err
	}
	s.syncing = true
	crowd := s.crowd > 0 || len(s.pending[0].writes) > 1
	s.mu.Unlock()
	if crowd {
		// Other groups write too. Those that are ready to append now come along: a sync
		// costs more than their turns, and without this each has one almost for itself.
		runtime.Gosched()
	}
	return s.syncFor(target)
}

// syncFor is the turn of one caller of Sync.
func (s *Badger) syncFor(target uint64) error {
	defer func() {
		s.mu.Lock()
		s.syncing = false
		s.mu.Unlock()
		s.turn.Broadcast()
	}()
	s.writing.Lock()
	defer s.writing.Unlock()
	return s.flush(target)
}

// Commits counts the commits so far, each of which cost one sync.
func (s *Badger) Commits() uint64 { return s.commits.Load() }

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

// crowdCommits is for how many commits several groups count as writing at once,
// after a commit that had writes of several.
const crowdCommits = 16

// write makes one commit durable and takes it into the index.
func (s *Badger) write(c *commit) error {
	txn := s.db.NewTransactionAt(maxTimestamp, true)
	defer txn.Discard()
	sequence := s.sequence + 1
	s.buffer = slices.Grow(s.buffer[:0], int(c.size))
	for i := range c.writes {
		if err := s.putWrite(txn, sequence, &c.writes[i]); err != nil {
			return err
		}
	}
	if err := s.finish(txn, sequence, c.size); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending = slices.Delete(s.pending, 0, 1)
	s.synced, s.crowd = c.last, s.crowd-1
	if len(c.writes) > 1 {
		s.crowd = crowdCommits
	}
	for i := range c.writes {
		w := &c.writes[i]
		if w.parts > 1 {
			w.group.parts[sequence] = w.parts
		}
		w.group.committed(sequence, w.first, len(w.entries), s.pendingFirst(w.group))
	}
	return s.err
}

// putWrite encodes a write record and puts it into the transaction.
func (s *Badger) putWrite(txn *badger.Txn, sequence uint64, w *pendingWrite) error {
	g := w.group
	h := recordHeader{
		nonce: s.nonce, chain: g.sum, sequence: sequence, group: g.id,
		hard: w.hard, previous: w.previous, first: w.first,
	}
	start := len(s.buffer)
	s.buffer = encodeWrite(s.buffer, &h, w.entries)
	g.sum = h.sum
	record := s.buffer[start:]
	for part := range slices.Chunk(record, partBytes) {
		if err := txn.Set(writeKey(sequence, g.id, w.parts), part); err != nil {
			return fmt.Errorf("put %d bytes of group %d into commit %d: %w", len(record), g.id, sequence, err)
		}
		w.parts++
	}
	return nil
}

// finish makes a transaction of about size bytes durable, as commit number
// sequence.
func (s *Badger) finish(txn *badger.Txn, sequence uint64, size int64) error {
	if !s.overlaps {
		if err := txn.Set([]byte(keyOverlap), []byte{1}); err != nil {
			return fmt.Errorf("put the overlap into commit %d: %w", sequence, err)
		}
		s.overlaps = true
	}
	if err := s.commit(txn, sequence); err != nil {
		return fmt.Errorf("commit %d: %w", sequence, err)
	}
	s.sequence = sequence
	s.commits.Add(1)
	// Badger begins a new memtable log when one is full, and no sooner.
	if s.sinceMem += size; s.sinceMem > s.options.MemTableBytes/2 {
		if err := s.newMem(); err != nil {
			return err
		}
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
		s.sinceMem, s.overlaps = 0, false
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
