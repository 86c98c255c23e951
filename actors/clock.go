package actors

import "time"

// Clock is the only way in which the cast meets time. A simulation brings its
// own; RealClock is the machine's.
type Clock interface {
	Now() time.Time
	// AfterFunc calls f once, on a goroutine of the clock's choosing, when d has
	// passed. The cast's f only sends a message.
	AfterFunc(d time.Duration, f func()) Timer
}

// Timer is a call that a Clock still owes.
type Timer interface {
	// Stop cancels the call; false says that it was too late.
	Stop() bool
}

// RealClock is the machine's monotonic clock. Nothing here depends on its wall
// time, so that setting it back or forth changes nothing (T3.9).
func RealClock() Clock { return realClock{} }

type realClock struct{}

func (realClock) Now() time.Time { return time.Now() }

func (realClock) AfterFunc(d time.Duration, f func()) Timer { return time.AfterFunc(d, f) }
