package actors

import (
	"slices"
	"sync"
	"time"

	"castaway/raft"
)

// An inbox is where requests wait for an actor. It is what a mailbox could not
// be: it outlives the actor's crashes and its end, so that nobody who waits in it
// is forgotten; it is bounded, and refuses at once; what its owner does not take
// stays, and nothing has been done for it; and a thousand requests cost the
// actor one message.
//
// Whenever something waits, either a wake-up is in the actor's mailbox, or the
// actor has seen that something waits and looks again when it can do more.
// Safe for concurrent use.
type inbox struct {
	limits *Limits
	wake   func() // sends the wake-up
	now    func() time.Time
	// What is refused is refused for one of these, which are never changed: refusing
	// must cost next to nothing.
	tooManyCommands, tooManyBytes, tooManyReads, tooSlow *Error

	mu        sync.Mutex
	woken     bool
	closed    *Error
	proposals queue
	reads     queue
	controls  []any
	bytes     int // of the proposals
	// flows is since when the owner takes what waits; zero while it does not, for want
	// of a leader. Then nothing is refused for MaxQueueWait.
	flows time.Time
}

func newInbox(group raft.GroupID, limits *Limits, now func() time.Time, wake func()) *inbox {
	return &inbox{
		limits: limits, wake: wake, now: now,
		tooManyCommands: overloaded(group, "MaxQueuedCommands", limits.MaxQueuedCommands),
		tooManyBytes:    overloaded(group, "MaxQueuedBytes", limits.MaxQueuedBytes),
		tooManyReads:    overloaded(group, "MaxQueuedReads", limits.MaxQueuedReads),
		tooSlow:         tooSlow(group, limits),
	}
}

// A queue is first in, first out, and reuses its room.
type queue struct {
	items []*waiter
	head  int
}

func (q *queue) len() int { return len(q.items) - q.head }

func (q *queue) push(w *waiter) { q.items = append(q.items, w) }

func (q *queue) peek() *waiter { return q.items[q.head] }

func (q *queue) pop() *waiter {
	w := q.items[q.head]
	q.items[q.head] = nil
	q.head++
	if q.head == len(q.items) {
		q.items, q.head = q.items[:0], 0
	} else if q.head > 1024 && q.head > len(q.items)/2 {
		n := copy(q.items, q.items[q.head:])
		clear(q.items[n:])
		q.items, q.head = q.items[:n], 0
	}
	return w
}

// unshift puts ws in front again.
func (q *queue) unshift(ws []*waiter) {
	q.items = append(append(make([]*waiter, 0, len(ws)+q.len()), ws...), q.items[q.head:]...)
	q.head = 0
}

// pushProposals queues all of ws, or none.
func (b *inbox) pushProposals(ws ...*waiter) *Error {
	size := 0
	now := b.now()
	for _, w := range ws {
		size += w.size()
		w.queued = now
	}
	b.mu.Lock()
	var err *Error
	switch {
	case b.closed != nil:
		err = b.closed
	case b.proposals.len()+len(ws) > b.limits.MaxQueuedCommands:
		err = b.tooManyCommands
	case b.bytes+size > b.limits.MaxQueuedBytes:
		err = b.tooManyBytes
	case b.slow(&b.proposals, now):
		err = b.tooSlow
	}
	if err != nil {
		b.mu.Unlock()
		return err
	}
	for _, w := range ws {
		b.proposals.push(w)
	}
	b.bytes += size
	b.wakeAndUnlock()
	return nil
}

// slow says that what waits longest has waited too long for a turn that is to come.
func (b *inbox) slow(q *queue, now time.Time) bool {
	if b.flows.IsZero() || q.len() == 0 {
		return false
	}
	since := q.peek().queued
	if since.Before(b.flows) {
		since = b.flows
	}
	return now.Sub(since) > b.limits.MaxQueueWait
}

// flow says whether the owner takes what waits from now on.
func (b *inbox) flow(on bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case !on:
		b.flows = time.Time{}
	case b.flows.IsZero():
		b.flows = b.now()
	}
}

func (b *inbox) pushRead(w *waiter) *Error {
	w.queued = b.now()
	b.mu.Lock()
	if b.closed != nil {
		defer b.mu.Unlock()
		return b.closed
	}
	if b.reads.len() >= b.limits.MaxQueuedReads {
		b.mu.Unlock()
		return b.tooManyReads
	}
	if b.slow(&b.reads, w.queued) {
		b.mu.Unlock()
		return b.tooSlow
	}
	b.reads.push(w)
	b.wakeAndUnlock()
	return nil
}

// pushControl queues something that is not a client's; it is never refused, but
// for an inbox that is closed.
func (b *inbox) pushControl(c any) *Error {
	b.mu.Lock()
	if b.closed != nil {
		defer b.mu.Unlock()
		return b.closed
	}
	b.controls = append(b.controls, c)
	b.wakeAndUnlock()
	return nil
}

func (b *inbox) wakeAndUnlock() {
	wake := !b.woken
	b.woken = true
	b.mu.Unlock()
	if wake {
		b.wake()
	}
}

// awake says that the wake-up has arrived, so that the next push sends another.
func (b *inbox) awake() {
	b.mu.Lock()
	b.woken = false
	b.mu.Unlock()
}

// takeProposals takes up to maxCount proposals and about maxBytes.
func (b *inbox) takeProposals(maxCount, maxBytes int) (ws []*waiter) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for size := 0; b.proposals.len() > 0 && len(ws) < maxCount; {
		w := b.proposals.peek()
		if size += w.size(); size > maxBytes && len(ws) > 0 {
			break
		}
		b.proposals.pop()
		b.bytes -= w.size()
		if w.take() {
			ws = append(ws, w)
		}
	}
	return ws
}

// takeReads moves all reads to dst.
func (b *inbox) takeReads(dst []*waiter) []*waiter {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.reads.len() > 0 {
		if w := b.reads.pop(); w.take() {
			dst = append(dst, w)
		}
	}
	return dst
}

// takeControl takes the first control, or nil.
func (b *inbox) takeControl() any {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.controls) == 0 {
		return nil
	}
	c := b.controls[0]
	b.controls = slices.Delete(b.controls, 0, 1)
	return c
}

func (b *inbox) takeControls() []any {
	b.mu.Lock()
	defer b.mu.Unlock()
	controls := b.controls
	b.controls = nil
	return controls
}

// returnProposals puts ws, taken but with nothing done for them, in front again.
func (b *inbox) returnProposals(ws []*waiter) {
	b.mu.Lock()
	defer b.mu.Unlock()
	ws = putBackAll(ws)
	for _, w := range ws {
		b.bytes += w.size()
	}
	b.proposals.unshift(ws)
}

// returnReads does the same for reads.
func (b *inbox) returnReads(ws []*waiter) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reads.unshift(putBackAll(ws))
}

func putBackAll(ws []*waiter) []*waiter {
	kept := make([]*waiter, 0, len(ws))
	for _, w := range ws {
		if w.putBack() {
			kept = append(kept, w)
		}
	}
	return kept
}

// sweep takes out the requests that out picks, among all that wait, and returns
// those whose callers still wait.
func (b *inbox) sweep(out func(*waiter) bool) []*waiter {
	b.mu.Lock()
	defer b.mu.Unlock()
	var swept []*waiter
	for _, q := range []*queue{&b.proposals, &b.reads} {
		kept := q.items[q.head:q.head]
		for _, w := range q.items[q.head:] {
			if !out(w) {
				kept = append(kept, w)
				continue
			}
			if q == &b.proposals {
				b.bytes -= w.size()
			}
			if w.take() {
				swept = append(swept, w)
			}
		}
		clear(q.items[q.head+len(kept):])
		q.items = q.items[:q.head+len(kept)]
	}
	return swept
}

func (b *inbox) counts() (proposals, reads int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.proposals.len(), b.reads.len()
}

// close refuses with why from now on, and answers with it whoever waits: nothing
// has been done for them.
func (b *inbox) close(why *Error) (controls []any) {
	b.mu.Lock()
	if b.closed == nil {
		b.closed = why
	}
	b.mu.Unlock()
	failAll(b.sweep(func(*waiter) bool { return true }), why)
	return b.takeControls()
}
