package persistence

import (
	"fmt"
	"slices"

	"castaway/messages"
	"castaway/raft"
)

// commit is one transaction to be: at most one record a group.
type commit struct {
	writes []pendingWrite
	size   int64
	// last is how many appends are done once this is durable.
	last uint64
	// sealed says that it is on its way and takes no more.
	sealed bool
}

// pendingWrite is a write record to be.
type pendingWrite struct {
	group    *badgerGroup
	first    raft.Index
	previous raft.Term
	entries  []raft.Entry
	hard     raft.HardState
	// parts counts the parts that the record has come to.
	parts int
}

// pendingWriteBytes is what a write costs beside its entries: header, key, and
// what Badger adds.
const pendingWriteBytes = recordHeaderBytes + 128

// Append implements Store.
func (s *Badger) Append(group raft.GroupID, p *raft.Persist) error {
	entries, size, err := s.frames(p.Entries)
	if err != nil {
		return fmt.Errorf("group %d: %w", group, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	g := s.group(group)
	if err := g.state.check(p); err != nil {
		return fmt.Errorf("group %d: %w", group, err)
	}
	if err := s.room(s.options.HardFloorBytes, uint64(size)+s.pendingBytes()); err != nil {
		return err
	}
	piece := raft.Persist{HardState: p.HardState, TruncateFrom: p.TruncateFrom}
	for {
		n := s.fitting(entries)
		piece.Entries = entries[:n:n]
		s.gather(g, &piece)
		if entries = entries[n:]; len(entries) == 0 {
			break
		}
		piece = raft.Persist{}
	}
	s.appended++
	s.pending[len(s.pending)-1].last = s.appended
	return nil
}

// frames makes sure that every entry has a frame, and that none is too large.
func (s *Badger) frames(entries []raft.Entry) ([]raft.Entry, int64, error) {
	for i := range entries {
		if entries[i].Frame == nil {
			entries = slices.Clone(entries)
			for j := range entries {
				if entries[j].Frame == nil {
					messages.Seal(entries[j : j+1])
				}
			}
			break
		}
	}
	size := int64(pendingWriteBytes)
	for i := range entries {
		if n := len(entries[i].Frame); n > s.options.MaxEntryBytes {
			return nil, 0, fmt.Errorf("%w: entry %d has %d bytes, more than %d",
				ErrTooLarge, entries[i].Index, n, s.options.MaxEntryBytes)
		}
		size += int64(len(entries[i].Frame)) + frameSizeBytes
	}
	return entries, size, nil
}

// fitting counts the leading entries that fit into one transaction. An Append that
// is larger than that is cut: after a crash, a prefix of it may be there, as
// though the rest had never arrived.
func (s *Badger) fitting(entries []raft.Entry) int {
	size := int64(pendingWriteBytes)
	for i := range entries {
		size += int64(len(entries[i].Frame)) + frameSizeBytes
		if size > s.options.transactionBytes() && i > 0 {
			return i
		}
	}
	return len(entries)
}

// gather puts a piece into the last pending commit, or into a new one.
func (s *Badger) gather(g *badgerGroup, piece *raft.Persist) {
	size := writeSize(piece.Entries) + pendingWriteBytes
	var c *commit
	if n := len(s.pending); n > 0 {
		c = s.pending[n-1]
	}
	if c == nil || c.sealed || c.size+size > s.options.transactionBytes() {
		c = &commit{last: s.appended}
		s.pending = append(s.pending, c)
	}
	c.size += size
	first := g.state.last + 1
	if piece.TruncateFrom != 0 {
		first = piece.TruncateFrom
	}
	previous, _ := g.state.term(first - 1)
	g.state.apply(piece)
	g.appendTail(first, piece.Entries)
	c.add(pendingWrite{group: g, first: first, previous: previous, entries: piece.Entries, hard: g.state.hard})
}

// add merges a piece into the group's write.
func (c *commit) add(piece pendingWrite) {
	w := c.write(piece.group)
	if w == nil {
		c.writes = append(c.writes, piece)
		return
	}
	if piece.first <= w.first {
		*w = piece
		return
	}
	w.hard = piece.hard
	keep := int(piece.first - w.first)
	w.entries = append(w.entries[:keep:keep], piece.entries...)
}

// write gives the group's write, or nil.
func (c *commit) write(g *badgerGroup) *pendingWrite {
	for i := range c.writes {
		if c.writes[i].group == g {
			return &c.writes[i]
		}
	}
	return nil
}

// pendingBytes is what is gathered and not yet written.
func (s *Badger) pendingBytes() uint64 {
	var size int64
	for _, c := range s.pending {
		size += c.size
	}
	return uint64(size)
}

// pendingFirst is the first index of the group that what is pending touches; zero
// if none.
func (s *Badger) pendingFirst(g *badgerGroup) raft.Index {
	var first raft.Index
	for _, c := range s.pending {
		if w := c.write(g); w != nil && (first == 0 || w.first < first) {
			first = w.first
		}
	}
	return first
}

// group gives the group's state, made if it is new.
func (s *Badger) group(id raft.GroupID) *badgerGroup {
	g := s.groups[id]
	if g == nil {
		g = &badgerGroup{id: id, parts: map[uint64]int{}}
		s.groups[id] = g
	}
	return g
}
