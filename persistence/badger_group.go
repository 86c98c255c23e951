package persistence

import (
	"slices"
	"sort"

	"castaway/raft"
)

// recordRef says that the entries from first on, until the next recordRef's first,
// are in the record with this sequence. A record that holds no entry any more has
// the same first as the next one.
type recordRef struct {
	sequence uint64
	first    raft.Index
}

// badgerGroup is what a Badger store keeps in memory of one group.
//
// Always true, under Badger.mu: state is the log with everything that was
// appended; the entries up to stored are in records, those in (stored, state.last]
// in tail; records is sorted both by sequence and by first.
type badgerGroup struct {
	id     raft.GroupID
	state  groupState
	tail   []raft.Entry
	stored raft.Index

	records []recordRef
	// recordsEnd is the last index of the log as the records tell it.
	recordsEnd raft.Index
	// parts counts the parts of each record that has more than one.
	parts map[uint64]int
	// base is the sequence of the last record that was let go, and baseSum its
	// checksum. Records up to base that are still there are garbage.
	base    uint64
	baseSum uint32
	garbage []uint64

	// sum is the checksum of the last record, for the chain. It belongs to whoever
	// holds Badger.writing.
	sum uint32
}

// appendTail takes a piece of an Append that state.check has passed.
func (g *badgerGroup) appendTail(first raft.Index, entries []raft.Entry) {
	if first <= g.stored {
		clear(g.tail)
		g.tail, g.stored = g.tail[:0], first-1
	} else if keep := int(first - g.stored - 1); keep < len(g.tail) {
		clear(g.tail[keep:])
		g.tail = g.tail[:keep]
	}
	g.tail = append(g.tail, entries...)
}

// committed moves a record's entries from the tail to the records. pending is the
// first index that the writes which are still to come touch, or zero.
func (g *badgerGroup) committed(sequence uint64, first raft.Index, count int, pending raft.Index) {
	g.addRecord(sequence, first, count)
	end := g.recordsEnd
	if pending != 0 {
		end = min(end, pending-1)
	}
	moved := int(end - g.stored)
	if moved <= 0 {
		return
	}
	rest := copy(g.tail, g.tail[moved:])
	clear(g.tail[rest:])
	g.tail, g.stored = g.tail[:rest], end
}

// addRecord takes a record into the index.
func (g *badgerGroup) addRecord(sequence uint64, first raft.Index, count int) {
	for i := len(g.records) - 1; i >= 0 && g.records[i].first > first; i-- {
		g.records[i].first = first
	}
	g.records = append(g.records, recordRef{sequence: sequence, first: first})
	g.recordsEnd = first + raft.Index(count) - 1
}

// locate gives the records that hold [first, last], oldest first; both are stored.
func (g *badgerGroup) locate(first, last raft.Index) []recordRef {
	from := sort.Search(len(g.records), func(i int) bool { return g.records[i].first > first }) - 1
	to := sort.Search(len(g.records), func(i int) bool { return g.records[i].first > last })
	if from < 0 {
		return nil
	}
	return slices.Clone(g.records[from:to])
}

// droppable counts the records that hold nothing behind index, all at the front.
func (g *badgerGroup) droppable(index raft.Index) int {
	if g.recordsEnd <= index {
		return len(g.records)
	}
	n := sort.Search(len(g.records), func(i int) bool { return g.records[i].first > index+1 })
	return max(n-1, 0)
}

// drop lets go of the first n records.
func (g *badgerGroup) drop(n int) {
	for _, r := range g.records[:n] {
		g.garbage = append(g.garbage, r.sequence)
	}
	if n > 0 {
		g.base = g.records[n-1].sequence
	}
	g.records = slices.Clone(g.records[n:])
}

// partsOf counts the parts of a record.
func (g *badgerGroup) partsOf(sequence uint64) int {
	if n, ok := g.parts[sequence]; ok {
		return n
	}
	return 1
}
