package raft

import (
	"math"
	"slices"
)

// SessionID names a client's session: it is the index of the entry that registered
// it, so that no two ever have the same.
type SessionID uint64

// Sessions is the duplicate filter (T6.3): for each client's session it knows which
// of its commands were executed, and keeps their answers until the client has
// acknowledged them. It belongs to the machine: it is changed by committed entries
// alone, in the order of the log, and travels in the machine's snapshots.
//
// Always true:
//
//   - Servers that applied the same log have equal tables, whatever their own
//     configuration and clocks: limits and time come from entries.
//   - A command is executed at most once: its sequence number is below its session's
//     lowest outstanding one, or has its answer here, or its session is unknown; and
//     then it is not executed again.
//   - Servers may take the log in pieces of any size: what is decided of a command
//     never depends on answers.
//   - used lists the sessions from the least recently used on, by (used, id).
//
// The zero value is an empty table. It is not safe for concurrent use.
type Sessions struct {
	byID map[SessionID]*session
	used session // the ring's root

	// now is the replicated time in milliseconds: how long leaders have led, as far as
	// entries say. term and led are the newest of them, by whose difference it moves.
	now  uint64
	term Term
	led  uint64

	limits  SessionLimits // of the newest registration; only the table's own matter here
	answers int           // of all sessions
	bytes   int           // of all answers' values
	// due is a time before which no session expires.
	due uint64

	// unsettled begins with a command that is being executed, unless it is empty.
	unsettled []settlement

	tracking bool
	changed  map[SessionID]struct{} // since the last Changes
	moved    bool                   // the table itself changed since then
}

// session is one client's.
type session struct {
	id       SessionID
	limits   SessionLimits // as of its registration; only the session's own matter here
	active   uint64        // the replicated time of its last use
	lastUse  Index         // the entry of its last use
	lowest   uint64        // the lowest sequence number that is outstanding
	answers  []*keptAnswer // by sequence number; all of them at lowest or above
	bytes    int           // of the answers' values
	previous *session
	next     *session
}

// keptAnswer is what a command's retry will be answered.
type keptAnswer struct {
	sequence uint64
	SessionAnswer
}

// SessionAnswer is the answer of a command: where it was committed, and what the
// machine said.
type SessionAnswer struct {
	Position
	Value []byte // must not be changed
	// Lost: the value was too much for MaxSessionBytes or MaxBytes, and is not kept.
	Lost bool
}

// A settlement is a change of the bytes that are kept: an answer comes, or goes. While
// commands are being executed, the changes behind them wait for their answers, so
// that bytes are always counted in the order of the log, however many commands the
// machine takes at once.
type settlement struct {
	of     *session
	answer *keptAnswer
	most   int // MaxBytes as of the command
	goes   bool
}

// maxSessionTime is where the replicated time ends, rather than to overflow.
const maxSessionTime = math.MaxUint64 / 4

// SessionOutcome is what an EntrySession came to.
type SessionOutcome uint8

const (
	// SessionExecute: the machine is to execute Command; Keep must follow.
	SessionExecute SessionOutcome = iota + 1
	// SessionKept: the command was executed before; Answer is what it was answered.
	SessionKept
	// SessionDone: a registration, renewal or end was done.
	SessionDone
	// SessionUnknown: there is no such session, or no more. The entry did nothing; an
	// earlier one with the same sequence number may have been executed.
	SessionUnknown
	// SessionAcknowledged: the client has said that it needs no answer for this
	// sequence number any more. The entry did nothing; an earlier one may have.
	SessionAcknowledged
	// SessionTooFar: the sequence number is MaxOutstanding or more above the lowest
	// outstanding one. It was never executed.
	SessionTooFar
	// SessionFull: the limit that Limit names is reached. Nothing was done.
	SessionFull
	// SessionMalformed: the entry could not be read. Nothing was done.
	SessionMalformed
)

// SessionVerdict says what an EntrySession came to.
type SessionVerdict struct {
	Outcome SessionOutcome
	ID      SessionID     // whose; of a registration the new one
	Limits  SessionLimits // SessionDone for a registration: what was granted
	Command []byte        // SessionExecute
	// Answer is the first one, with SessionKept. Its value is there once Keep was called
	// for every command that was to be executed before.
	Answer  *SessionAnswer
	Limit   string      // SessionFull: its name
	Missing []SessionID // SessionDone for a renewal: those that are unknown
}

// Apply takes a committed EntrySession. What it decides never depends on answers, so
// that it may be called for many entries before the machine executes their commands;
// Keep must then be called for each SessionExecute, in the same order.
func (s *Sessions) Apply(e Entry) SessionVerdict {
	op, err := DecodeSessionOp(e.Data)
	if err != nil {
		return SessionVerdict{Outcome: SessionMalformed}
	}
	s.init()
	s.moved = true
	s.advance(e.Term, op.Led)
	s.expire()
	switch op.Kind {
	case SessionRegister:
		return s.register(e, op.Limits)
	case SessionRun:
		return s.admit(e, op)
	case SessionRenew:
		return s.renew(e, op.Renew)
	default:
		return s.end(op.ID)
	}
}

// init makes the zero value usable.
func (s *Sessions) init() {
	if s.byID == nil {
		s.byID = map[SessionID]*session{}
		s.used.previous, s.used.next = &s.used, &s.used
		s.due = maxSessionTime
	}
}

// advance moves the replicated time by what the leader of this term has led since
// its last entry. So it is nobody's clock that counts but the difference of two
// readings of one leader's; between leaders time stands still.
func (s *Sessions) advance(term Term, led uint64) {
	if term != s.term {
		s.term, s.led = term, 0
	}
	if led > s.led {
		s.now = min(s.now+led-s.led, maxSessionTime)
		s.led = led
	}
}

// expire ends the sessions that were not used for longer than their timeout.
func (s *Sessions) expire() {
	if s.now <= s.due {
		return
	}
	s.due = maxSessionTime
	for x := s.used.next; x != &s.used; {
		next := x.next
		if end := x.active + x.limits.Timeout; end < s.now {
			s.remove(x)
		} else {
			s.due = min(s.due, end)
		}
		x = next
	}
}

func (s *Sessions) register(e Entry, limits SessionLimits) SessionVerdict {
	s.limits = limits
	for len(s.byID) >= limits.MaxSessions {
		if !s.makeRoom() {
			return SessionVerdict{Outcome: SessionFull, Limit: "MaxSessions"}
		}
	}
	x := &session{id: SessionID(e.Index), limits: limits, lowest: 1}
	s.byID[x.id] = x
	s.use(x, e.Index)
	return SessionVerdict{Outcome: SessionDone, ID: x.id, Limits: limits}
}

// makeRoom ends the session that was least recently used, if its client has missed a
// renewal: it was not used for half of its timeout. Those who renew are never ended
// for others.
func (s *Sessions) makeRoom() bool {
	x := s.used.next
	if x == &s.used || s.now-x.active <= x.limits.Timeout/2 {
		return false
	}
	s.remove(x)
	return true
}

// admit decides about a command, which uses its session in any case.
func (s *Sessions) admit(e Entry, op SessionOp) SessionVerdict {
	v := SessionVerdict{ID: op.ID}
	x := s.byID[op.ID]
	if x == nil {
		v.Outcome = SessionUnknown
		return v
	}
	s.use(x, e.Index)
	s.acknowledge(x, op.Acknowledged)
	at, executed := x.find(op.Sequence)
	switch {
	case op.Sequence < x.lowest:
		v.Outcome = SessionAcknowledged
	case executed:
		v.Outcome, v.Answer = SessionKept, &x.answers[at].SessionAnswer
	case op.Sequence-x.lowest >= uint64(x.limits.MaxOutstanding):
		v.Outcome = SessionTooFar
	case !s.roomForAnswer():
		v.Outcome, v.Limit = SessionFull, "MaxAnswers"
	default:
		v.Outcome, v.Command = SessionExecute, op.Command
		a := &keptAnswer{op.Sequence, SessionAnswer{Position: Position{e.Term, e.Index}}}
		x.answers = slices.Insert(x.answers, at, a)
		s.answers++
		s.unsettled = append(s.unsettled, settlement{of: x, answer: a, most: s.limits.MaxBytes})
	}
	return v
}

func (s *Sessions) roomForAnswer() bool {
	for s.answers >= s.limits.MaxAnswers {
		if !s.makeRoom() {
			return false
		}
	}
	return true
}

// Keep keeps the answer of the first command that was to be executed and has none. It
// keeps a copy; an empty one is nil.
func (s *Sessions) Keep(value []byte) {
	invariant(len(s.unsettled) > 0, "an answer is to be kept, and no command is being executed")
	first := s.unsettled[0]
	switch x, n := first.of, len(value); {
	case n == 0:
	case x.bytes+n > x.limits.MaxSessionBytes || s.bytes+n > first.most:
		first.answer.Lost = true
	default:
		first.answer.Value = slices.Clone(value)
		x.bytes += n
		s.bytes += n
	}
	n := 1
	for n < len(s.unsettled) && s.unsettled[n].goes {
		s.unsettled[n].of.drop(s, s.unsettled[n].answer)
		n++
	}
	s.unsettled = slices.Delete(s.unsettled, 0, n)
}

// forget gives back what the first n answers of x take.
func (s *Sessions) forget(x *session, n int) {
	s.answers -= n
	for _, a := range x.answers[:n] {
		if len(s.unsettled) > 0 {
			s.unsettled = append(s.unsettled, settlement{of: x, answer: a, goes: true})
		} else {
			x.drop(s, a)
		}
	}
	x.answers = slices.Delete(x.answers, 0, n)
}

func (x *session) drop(s *Sessions, a *keptAnswer) {
	x.bytes -= len(a.Value)
	s.bytes -= len(a.Value)
}

// acknowledge drops the answers below lowest, which nobody will ask for again.
func (s *Sessions) acknowledge(x *session, lowest uint64) {
	if lowest > x.lowest {
		x.lowest = lowest
		n, _ := x.find(lowest)
		s.forget(x, n)
	}
}

// find gives the place of a sequence number among the answers, and whether it has one.
func (x *session) find(sequence uint64) (int, bool) {
	return slices.BinarySearchFunc(x.answers, sequence, func(a *keptAnswer, sequence uint64) int {
		switch {
		case a.sequence < sequence:
			return -1
		case a.sequence > sequence:
			return 1
		}
		return 0
	})
}

func (s *Sessions) renew(e Entry, ids []SessionID) SessionVerdict {
	v := SessionVerdict{Outcome: SessionDone}
	for _, id := range ids {
		if x := s.byID[id]; x != nil {
			s.use(x, e.Index)
		} else {
			v.Missing = append(v.Missing, id)
		}
	}
	return v
}

func (s *Sessions) end(id SessionID) SessionVerdict {
	x := s.byID[id]
	if x == nil {
		return SessionVerdict{Outcome: SessionUnknown, ID: id}
	}
	s.remove(x)
	return SessionVerdict{Outcome: SessionDone, ID: id}
}

// use makes x the most recently used one.
func (s *Sessions) use(x *session, at Index) {
	if x.next != nil {
		x.previous.next, x.next.previous = x.next, x.previous
	}
	x.active, x.lastUse = s.now, at
	s.due = min(s.due, x.active+x.limits.Timeout)
	s.link(x)
	s.touched(x.id)
}

// link puts x at the end of the ring.
func (s *Sessions) link(x *session) {
	x.previous, x.next = s.used.previous, &s.used
	x.previous.next, x.next.previous = x, x
}

func (s *Sessions) remove(x *session) {
	x.previous.next, x.next.previous = x.next, x.previous
	delete(s.byID, x.id)
	s.forget(x, len(x.answers))
	s.touched(x.id)
}

func (s *Sessions) touched(id SessionID) {
	if s.tracking {
		s.changed[id] = struct{}{}
	}
}

// Len is the number of sessions.
func (s *Sessions) Len() int { return len(s.byID) }

// Answers is the number of answers that are kept.
func (s *Sessions) Answers() int { return s.answers }

// Bytes is the size of their values.
func (s *Sessions) Bytes() int { return s.bytes }
