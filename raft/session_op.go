package raft

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// SessionOpKind says what an EntrySession does. Its values are on disk. Old versions
// must know all that new ones write, so one more would be one more EntryKind.
type SessionOpKind uint8

const (
	// SessionRegister makes a session, whose id is the entry's index.
	SessionRegister SessionOpKind = 1
	// SessionRun is a command of a session.
	SessionRun SessionOpKind = 2
	// SessionRenew uses sessions without a command.
	SessionRenew SessionOpKind = 3
	// SessionEnd ends a session, with all its answers.
	SessionEnd SessionOpKind = 4
)

// SessionOp is what an EntrySession says.
type SessionOp struct {
	Kind SessionOpKind
	// Led is for how long the leader had led its term when it proposed this, in
	// milliseconds: the replicated time is made of it.
	Led uint64

	Limits   SessionLimits // SessionRegister
	ID       SessionID     // SessionRun, SessionEnd
	Sequence uint64        // SessionRun: which of the session's commands; from 1 on
	// Acknowledged is the lowest sequence number whose answer the client still needs
	// or may ask for, 1 to Sequence: SessionRun.
	Acknowledged uint64
	Command      []byte      // SessionRun
	Renew        []SessionID // SessionRenew: in ascending order
}

// ErrSession means that an EntrySession, or a table of sessions, can't be read.
var ErrSession = errors.New("raft: invalid session")

// SessionOpOverhead is the most that an encoded SessionRun has beside its command.
const SessionOpOverhead = 1 + 4*binary.MaxVarintLen64

// maxLed bounds SessionOp.Led: nobody leads for longer.
const maxLed = 1 << 50

// Encode is the Data of an EntrySession: the kind, Led, and the kind's own fields, in
// uvarints; a command is the rest.
func (op *SessionOp) Encode() []byte {
	b := make([]byte, 0, SessionOpOverhead+len(op.Command)+len(op.Renew)*binary.MaxVarintLen64)
	b = append(b, byte(op.Kind))
	b = binary.AppendUvarint(b, op.Led)
	switch op.Kind {
	case SessionRegister:
		b = op.Limits.append(b)
	case SessionRun:
		b = binary.AppendUvarint(b, uint64(op.ID))
		b = binary.AppendUvarint(b, op.Acknowledged)
		b = binary.AppendUvarint(b, op.Sequence-op.Acknowledged)
		b = append(b, op.Command...)
	case SessionRenew:
		b = binary.AppendUvarint(b, uint64(len(op.Renew)))
		before := SessionID(0)
		for _, id := range op.Renew {
			b = binary.AppendUvarint(b, uint64(id-before))
			before = id
		}
	case SessionEnd:
		b = binary.AppendUvarint(b, uint64(op.ID))
	}
	return b
}

// DecodeSessionOp reads what Encode wrote. The command aliases b.
func DecodeSessionOp(b []byte) (SessionOp, error) {
	r := sessionReader{rest: b}
	op := SessionOp{Kind: SessionOpKind(r.byte())}
	op.Led = r.below("Led", maxLed)
	switch op.Kind {
	case SessionRegister:
		op.Limits = r.limits()
	case SessionRun:
		op.ID = r.id()
		op.Acknowledged = r.between("Acknowledged", 1, maxSequence)
		op.Sequence = op.Acknowledged + r.below("Sequence", maxSequence-op.Acknowledged)
		op.Command = slices.Clip(r.rest)
		r.rest = nil
	case SessionRenew:
		op.Renew = r.ids()
	case SessionEnd:
		op.ID = r.id()
	default:
		r.fail("an operation of kind %d", op.Kind)
	}
	return op, r.end()
}

// maxSequence bounds sequence numbers, so that sums never overflow.
const maxSequence = 1 << 62

// sessionReader reads what sessions encode. After the first error it gives zeros.
type sessionReader struct {
	rest []byte
	err  error
}

func (r *sessionReader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: "+format, append([]any{ErrSession}, args...)...)
	}
	r.rest = nil
}

// end is the error, which bytes left over are too.
func (r *sessionReader) end() error {
	if r.err == nil && len(r.rest) > 0 {
		r.fail("%d bytes are left over", len(r.rest))
	}
	return r.err
}

func (r *sessionReader) byte() byte {
	if len(r.rest) == 0 {
		r.fail("it is cut off")
		return 0
	}
	b := r.rest[0]
	r.rest = r.rest[1:]
	return b
}

// number reads an uvarint, in its shortest form only: equal values have equal bytes.
func (r *sessionReader) number() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 || (n > 1 && r.rest[n-1] == 0) {
		r.fail("a number is cut off or not minimal")
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *sessionReader) between(name string, least, most uint64) uint64 {
	v := r.number()
	if r.err == nil && (v < least || v > most) {
		r.fail("%s is %d, not within %d to %d", name, v, least, most)
	}
	if r.err != nil {
		return least
	}
	return v
}

func (r *sessionReader) below(name string, most uint64) uint64 { return r.between(name, 0, most) }

func (r *sessionReader) id() SessionID {
	return SessionID(r.between("a session's id", 1, uint64(maxIndex)-1))
}

func (r *sessionReader) ids() []SessionID {
	n := r.count("the number of sessions")
	ids := make([]SessionID, 0, n)
	before := SessionID(0)
	for range n {
		before += SessionID(r.between("a session's id", 1, uint64(maxIndex-1)-uint64(before)))
		ids = append(ids, before)
	}
	return ids
}

// count reads how many there are of something that takes at least a byte each.
func (r *sessionReader) count(name string) uint64 {
	n := r.number()
	if n > uint64(len(r.rest)) {
		r.fail("%s is %d, with %d bytes left", name, n, len(r.rest))
		return 0
	}
	return n
}

// answer reads an answer's value, or that it was lost.
func (r *sessionReader) answer() (value []byte, lost bool) {
	n := r.number()
	if n > 1+uint64(len(r.rest)) {
		r.fail("an answer of %d bytes, with %d left", n-1, len(r.rest))
	}
	switch {
	case r.err != nil:
		return nil, false
	case n == answerLost:
		return nil, true
	case n > 1:
		value = slices.Clone(r.rest[:n-1])
		r.rest = r.rest[n-1:]
	}
	return value, false
}
