package raft

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
)

// sessionTableVersion is the first byte of an encoded table.
const sessionTableVersion = 1

// Encode is the whole table, for a snapshot: a version byte, what the table has beside
// its sessions, their number, and each with its id, in ascending order. All numbers
// are uvarints, ids as differences. Equal tables have equal encodings.
func (s *Sessions) Encode() []byte {
	s.settled()
	b := s.appendTable(make([]byte, 0, 64+s.bytes+len(s.byID)*64+s.answers*24))
	b = binary.AppendUvarint(b, uint64(len(s.byID)))
	before := SessionID(0)
	for _, id := range slices.Sorted(maps.Keys(s.byID)) {
		b = binary.AppendUvarint(b, uint64(id-before))
		b = s.byID[id].append(b)
		before = id
	}
	return b
}

// DecodeSessions reads what Encode wrote. It shares nothing with b, and takes memory
// in proportion to it.
func DecodeSessions(b []byte) (*Sessions, error) {
	r := &sessionReader{rest: b}
	s := &Sessions{}
	s.init()
	s.readTable(r)
	n := r.count("the number of sessions")
	before := SessionID(0)
	for range n {
		before += SessionID(r.between("a session's id", 1, uint64(maxIndex-1)-uint64(before)))
		s.add(r.session(before, s.now))
	}
	if err := r.end(); err != nil {
		return nil, err
	}
	s.order()
	return s, nil
}

// Hash names the table: equal ones have equal hashes.
func (s *Sessions) Hash() uint64 {
	h := fnv.New64a()
	h.Write(s.Encode())
	return h.Sum64()
}

// SessionPair is a part of the table, to be stored under a key of its own; a nil Value
// means that the key is to be deleted.
type SessionPair struct{ Key, Value []byte }

// The keys of pairs: the table's own, and those of sessions, which the id follows in
// eight bytes, big endian.
const (
	sessionTableKey  = "sessions"
	sessionKeyPrefix = "session/"
)

// Pairs is the whole table in pairs: all that DecodeSessionPairs needs.
func (s *Sessions) Pairs() []SessionPair {
	pairs := []SessionPair{s.tablePair()}
	for _, id := range slices.Sorted(maps.Keys(s.byID)) {
		pairs = append(pairs, s.pair(id))
	}
	return pairs
}

// Track makes Changes work, from now on.
func (s *Sessions) Track() {
	if !s.tracking {
		s.tracking, s.moved, s.changed = true, false, map[SessionID]struct{}{}
	}
}

// settled is true of a table that may be written down.
func (s *Sessions) settled() {
	invariant(len(s.unsettled) == 0, "sessions are written down while a command is being executed")
}

// Changes gives the pairs that changed since the last call, or since Track: nil if
// there are none. No command may be under execution.
func (s *Sessions) Changes() []SessionPair {
	if !s.moved {
		return nil
	}
	s.settled()
	s.moved = false
	pairs := make([]SessionPair, 0, 1+len(s.changed))
	pairs = append(pairs, s.tablePair())
	for _, id := range slices.Sorted(maps.Keys(s.changed)) {
		pairs = append(pairs, s.pair(id))
	}
	clear(s.changed)
	return pairs
}

func (s *Sessions) tablePair() SessionPair {
	return SessionPair{Key: []byte(sessionTableKey), Value: s.appendTable(nil)}
}

// pair is the pair of a session, which may be gone.
func (s *Sessions) pair(id SessionID) SessionPair {
	p := SessionPair{Key: binary.BigEndian.AppendUint64([]byte(sessionKeyPrefix), uint64(id))}
	if x := s.byID[id]; x != nil {
		p.Value = x.append(make([]byte, 0, 64+x.bytes+24*len(x.answers)))
	}
	return p
}

// DecodeSessionPairs reads all pairs that stand, in any order; none is the empty table.
func DecodeSessionPairs(pairs []SessionPair) (*Sessions, error) {
	s := &Sessions{}
	s.init()
	if len(pairs) == 0 {
		return s, nil
	}
	table := slices.IndexFunc(pairs, func(p SessionPair) bool { return string(p.Key) == sessionTableKey })
	if table < 0 {
		return nil, fmt.Errorf("%w: %d pairs, and the one of the table is not among them", ErrSession, len(pairs))
	}
	r := &sessionReader{rest: pairs[table].Value}
	s.readTable(r)
	if err := r.end(); err != nil {
		return nil, err
	}
	for i, p := range pairs {
		if i == table {
			continue
		}
		n := len(sessionKeyPrefix)
		if len(p.Key) != n+8 || string(p.Key[:n]) != sessionKeyPrefix {
			return nil, fmt.Errorf("%w: a pair's key is %q", ErrSession, p.Key)
		}
		r := &sessionReader{rest: p.Value}
		id := SessionID(binary.BigEndian.Uint64(p.Key[n:]))
		if s.byID[id] != nil {
			r.fail("session %d is there twice", id)
		}
		s.add(r.session(id, s.now))
		if err := r.end(); err != nil {
			return nil, err
		}
	}
	s.order()
	return s, nil
}

func (s *Sessions) appendTable(b []byte) []byte {
	b = append(b, sessionTableVersion)
	b = binary.AppendUvarint(b, s.now)
	b = binary.AppendUvarint(b, uint64(s.term))
	b = binary.AppendUvarint(b, s.led)
	return s.limits.appendTable(b)
}

func (s *Sessions) readTable(r *sessionReader) {
	if v := r.byte(); r.err == nil && v != sessionTableVersion {
		r.fail("a table of version %d, not %d", v, sessionTableVersion)
	}
	s.now = r.below("the time", maxSessionTime)
	s.term = Term(r.below("a term", uint64(maxTerm)-1))
	s.led = r.below("Led", maxLed)
	s.limits = r.tableLimits(0)
}

// answerLost stands where the length of an answer's value, plus one, would.
const answerLost = 0

func (x *session) append(b []byte) []byte {
	b = binary.AppendUvarint(b, x.active)
	b = binary.AppendUvarint(b, uint64(x.lastUse))
	b = x.limits.appendOwn(b)
	b = binary.AppendUvarint(b, x.lowest)
	b = binary.AppendUvarint(b, uint64(len(x.answers)))
	before := x.lowest - 1
	for _, a := range x.answers {
		b = binary.AppendUvarint(b, a.sequence-before)
		b = binary.AppendUvarint(b, uint64(a.Term))
		b = binary.AppendUvarint(b, uint64(a.Index))
		if a.Lost {
			b = append(b, answerLost)
		} else {
			b = binary.AppendUvarint(b, 1+uint64(len(a.Value)))
			b = append(b, a.Value...)
		}
		before = a.sequence
	}
	return b
}

// session reads a session of a table whose time is now.
func (r *sessionReader) session(id SessionID, now uint64) *session {
	x := &session{id: id}
	x.active = r.below("the time of a session", now)
	x.lastUse = Index(r.between("an index", 1, uint64(maxIndex)-1))
	x.limits = r.ownLimits()
	x.lowest = r.between("the lowest outstanding sequence number", 1, maxSequence)
	n := r.count("the number of answers")
	x.answers = make([]*keptAnswer, 0, n)
	most := x.lowest + uint64(x.limits.MaxOutstanding) - 1
	before := x.lowest - 1
	for range n {
		a := &keptAnswer{sequence: before + r.between("a sequence number", 1, most-before)}
		a.Term = Term(r.between("a term", 1, uint64(maxTerm)-1))
		a.Index = Index(r.between("an index", 1, uint64(maxIndex)-1))
		a.Value, a.Lost = r.answer()
		if r.err != nil {
			break
		}
		x.answers = append(x.answers, a)
		x.bytes += len(a.Value)
		before = a.sequence
	}
	return x
}

// add adds a session that was read, for order to give it its place.
func (s *Sessions) add(x *session) {
	s.byID[x.id] = x
	s.answers += len(x.answers)
	s.bytes += x.bytes
}

// order makes the ring and the due time from what was read.
func (s *Sessions) order() {
	all := slices.SortedFunc(maps.Values(s.byID), func(x, y *session) int {
		return cmp.Or(cmp.Compare(x.lastUse, y.lastUse), cmp.Compare(x.id, y.id))
	})
	for _, x := range all {
		s.link(x)
		s.due = min(s.due, x.active+x.limits.Timeout)
	}
}
