package raft

import (
	"encoding/binary"
	"fmt"
)

// SessionLimits bound sessions. They travel in the entry of a registration, as the
// leader that proposed it is configured: so they are the same for everyone. Those of
// a session stay what they were when it was registered; those of the table are always
// the newest registration's.
type SessionLimits struct {
	// Timeout ends a session that is not used for longer, in milliseconds of
	// replicated time. Of the session.
	Timeout uint64
	// MaxOutstanding bounds how far a sequence number may be above the lowest that is
	// outstanding. Of the session.
	MaxOutstanding int
	// MaxSessionBytes bounds the values of the answers that are kept for a session. What
	// does not fit is not kept: a retry is told that it was done, and no more. Of the
	// session.
	MaxSessionBytes int
	// MaxSessions bounds the sessions: at it, registrations are refused, unless one has
	// not been used for half its timeout, which then ends. Of the table.
	MaxSessions int
	// MaxAnswers bounds the answers that are kept for all sessions: at it, commands are
	// refused, unless such a session can end. Of the table.
	MaxAnswers int
	// MaxBytes bounds the values of all of them, as MaxSessionBytes. Of the table.
	MaxBytes int
}

// What limits can be at most.
const (
	maxSessionTimeout  = 1 << 40 // about 35 years
	maxOutstandingMost = 1 << 16
	maxSessionsMost    = 1 << 20
	maxAnswersMost     = 1 << 26
	maxSessionBytes    = 1 << 30
)

// Validate says which limit can't be used.
func (l SessionLimits) Validate() error {
	if _, err := DecodeSessionLimits(l.Encode()); err != nil {
		return fmt.Errorf("raft: SessionLimits: %w", err)
	}
	return nil
}

// Encode is the limits in uvarints: the session's own, then the table's.
func (l SessionLimits) Encode() []byte { return l.append(nil) }

// DecodeSessionLimits reads what Encode wrote.
func DecodeSessionLimits(b []byte) (SessionLimits, error) {
	r := sessionReader{rest: b}
	l := r.limits()
	return l, r.end()
}

func (l SessionLimits) append(b []byte) []byte {
	b = l.appendOwn(b)
	return l.appendTable(b)
}

// appendOwn appends what a session keeps of its limits.
func (l SessionLimits) appendOwn(b []byte) []byte {
	b = binary.AppendUvarint(b, l.Timeout)
	b = binary.AppendUvarint(b, uint64(l.MaxOutstanding))
	return binary.AppendUvarint(b, uint64(l.MaxSessionBytes))
}

// appendTable appends what the table keeps of the newest ones.
func (l SessionLimits) appendTable(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(l.MaxSessions))
	b = binary.AppendUvarint(b, uint64(l.MaxAnswers))
	return binary.AppendUvarint(b, uint64(l.MaxBytes))
}

func (r *sessionReader) limits() SessionLimits {
	l := r.ownLimits()
	t := r.tableLimits(1)
	l.MaxSessions, l.MaxAnswers, l.MaxBytes = t.MaxSessions, t.MaxAnswers, t.MaxBytes
	return l
}

func (r *sessionReader) ownLimits() SessionLimits {
	return SessionLimits{
		Timeout:         r.between("Timeout", 1, maxSessionTimeout),
		MaxOutstanding:  int(r.between("MaxOutstanding", 1, maxOutstandingMost)),
		MaxSessionBytes: int(r.between("MaxSessionBytes", 0, maxSessionBytes)),
	}
}

// tableLimits may be zero in a table without any registration.
func (r *sessionReader) tableLimits(least uint64) SessionLimits {
	return SessionLimits{
		MaxSessions: int(r.between("MaxSessions", least, maxSessionsMost)),
		MaxAnswers:  int(r.between("MaxAnswers", least, maxAnswersMost)),
		MaxBytes:    int(r.below("MaxBytes", maxSessionBytes)),
	}
}
