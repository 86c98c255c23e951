package actors

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"castaway/raft"
)

// A waiter is one request on its way through the actors, and the place where
// its answer arrives. It always has exactly one owner: an inbox, the server's
// tables or the machine's queue. Who owns it either passes it on or answers it,
// and the code is ordered so that a panic in between leaves it with one of them;
// so everyone is answered once, whichever actor crashes.
//
// Its state settles the race with the caller's context: only one of
// waiting→taken (the server), taken→waiting (the server, which puts it back),
// waiting→gone and taken→gone (the caller), and taken→answered (the owner) can win.
type waiter struct {
	state   atomic.Uint32
	command []byte
	op      *raft.SessionOp // what it is in a session, without the command; nil for a plain one
	query   any
	least   raft.Index // what a read must see at least
	since   time.Time  // when it began to wait for a leader; zero if it has not
	queued  time.Time  // when it was put in its first inbox

	remote *forwardedBatch // who forwarded it, if not a caller here
	id     uint64          // its number there
	then   func(Result, error)
	done   chan struct{}

	result Result
	value  any
	err    error
}

const (
	waiting  uint32 = iota // in an inbox: nobody has acted on it
	taken                  // being carried out
	gone                   // the caller gave up; an answer will be dropped
	answered               // done holds, or held, the answer
)

var waiters = sync.Pool{New: func() any { return &waiter{done: make(chan struct{}, 1)} }}

func newWaiter() *waiter { return waiters.Get().(*waiter) }

// release gives w back, which nobody else may know any more.
func (w *waiter) release() {
	done := w.done
	*w = waiter{done: done}
	waiters.Put(w)
}

// take makes w its owner's to carry out; false if the caller has given up, and
// then it is forgotten.
func (w *waiter) take() bool { return w.state.CompareAndSwap(waiting, taken) }

// gone says that the caller has given up. It may do so at any time, so that false
// means nothing.
func (w *waiter) gone() bool { return w.state.Load() == gone }

// putBack undoes take, while nothing has been done for w yet.
func (w *waiter) putBack() bool { return w.state.CompareAndSwap(taken, waiting) }

// size is what w counts against limits in bytes: what its entry will count in the
// core, or more, so that a batch that may be taken may also be proposed.
func (w *waiter) size() int { return w.data() + commandOverhead }

// data is the most that its entry's data will have.
func (w *waiter) data() int {
	if w.op == nil {
		return len(w.command)
	}
	return len(w.command) + raft.SessionOpOverhead + binary.MaxVarintLen64*len(w.op.Renew)
}

// commandOverhead is what a command counts beside its bytes.
var commandOverhead = raft.Entry{}.Size()

// finish hands over the answer that is in w. The owner must not touch w again.
func (w *waiter) finish() {
	switch w.state.Swap(answered) {
	case gone:
		return // to the garbage collector: the caller may still look at it
	case answered:
		panic("actors: a request was answered twice")
	}
	switch {
	case w.remote != nil:
		w.remote.add(w)
		w.release()
	case w.then != nil:
		then, result, err := w.then, w.result, w.err
		w.release()
		then(result, err)
	default:
		w.done <- struct{}{}
	}
}

// fail answers w with err.
func (w *waiter) fail(err *Error) {
	w.err = err
	w.finish()
}

// wait returns when w is answered or ctx ends. It reports whether w is the
// caller's again, with an answer in it; otherwise the answer is the error.
func (w *waiter) wait(ctx context.Context, group raft.GroupID) (bool, *Error) {
	select {
	case <-w.done:
		return true, nil
	case <-ctx.Done():
	}
	err := &Error{Group: group, Reason: ReasonDeadline, Cause: context.Cause(ctx)}
	for {
		switch state := w.state.Load(); {
		case state == answered:
			<-w.done
			return true, nil
		case !w.state.CompareAndSwap(state, gone): // taken, put back or answered just now
		case state == waiting:
			err.Detail = fmt.Sprintf("the request was withdrawn before anything was done for it, since its context ended: %v", err.Cause)
			return false, err
		default:
			err.Indeterminate = true
			err.Detail = fmt.Sprintf("the request was being carried out when its context ended: %v; read to find out what became of it", err.Cause)
			return false, err
		}
	}
}

// failAll answers every one of ws.
func failAll(ws []*waiter, err *Error) {
	for _, w := range ws {
		w.fail(err)
	}
}
