package actors

import (
	"fmt"
	"sync"

	"castaway/messages"
	"castaway/raft"
)

const (
	// maxReplyBytes bounds the results that go back to a follower in one envelope;
	// a single larger one goes alone.
	maxReplyBytes = messages.MaxEnvelopeBytes / 4
	// maxResultBytes bounds one result's value: with what is around it, it fits an
	// envelope.
	maxResultBytes = messages.MaxEnvelopeBytes - 1<<10
	// resultOverhead is the most that a result has on the wire beside its value and
	// its detail.
	resultOverhead = 64
)

// forwardedBatch is a follower's batch at the leader. Its commands wait among the
// leader's own; when the last of them is answered, by whichever actor, all results
// go back, in as few envelopes as maxReplyBytes allows. Safe for concurrent use.
type forwardedBatch struct {
	board       *board
	from        raft.NodeID
	incarnation uint64

	mu      sync.Mutex
	left    int
	results []*messages.ForwardedResult
}

func (f *forwardedBatch) add(w *waiter) {
	r := resultOf(w)
	f.mu.Lock()
	f.results = append(f.results, r)
	f.left--
	done := f.left == 0
	f.mu.Unlock()
	if done {
		f.board.send(f.board.pids.transport, Outbound{Envelopes: f.envelopes()})
	}
}

// resultOf is what goes back for one command. A value that fits no envelope stays
// here, and the outcome stays what it is: done, at this index.
func resultOf(w *waiter) *messages.ForwardedResult {
	r := &messages.ForwardedResult{Id: w.id, Outcome: messages.Outcome_OUTCOME_DONE}
	var err *Error
	if w.err != nil {
		err = w.err.(*Error) //nolint:errorlint // only *Error is ever put there
	}
	switch {
	case err == nil:
		r.Index, r.Term, r.Value = uint64(w.result.Index), uint64(w.result.Term), w.result.Value
		if n := len(r.Value); n > maxResultBytes {
			r.Value, r.Reason = nil, uint32(ReasonResultTooLarge)
			r.Detail = fmt.Sprintf("the command was done, at index %d, but its result of %d bytes is too large to be passed on from the leader (at most %d); read it, or ask the leader itself next time",
				r.Index, n, maxResultBytes)
		}
	case err.Done:
		r.Index, r.Term = uint64(w.result.Index), uint64(w.result.Term)
		r.Reason, r.Detail = uint32(err.Reason), err.Detail
	case err.Indeterminate:
		r.Outcome, r.Reason, r.Detail = messages.Outcome_OUTCOME_INDETERMINATE, uint32(err.Reason), err.Detail
	default:
		r.Outcome, r.Reason, r.Detail = messages.Outcome_OUTCOME_NOT_DONE, uint32(err.Reason), err.Detail
	}
	return r
}

// envelopes puts the results in as many envelopes as they need.
func (f *forwardedBatch) envelopes() []*messages.Envelope {
	var es []*messages.Envelope
	first, size := 0, 0
	for i, r := range f.results {
		n := len(r.Value) + len(r.Detail) + resultOverhead
		if i > first && size+n > maxReplyBytes {
			es = append(es, f.envelope(f.results[first:i]))
			first, size = i, 0
		}
		size += n
	}
	return append(es, f.envelope(f.results[first:]))
}

func (f *forwardedBatch) envelope(results []*messages.ForwardedResult) *messages.Envelope {
	e := f.board.envelope(f.from)
	e.Kind = &messages.Envelope_ForwardProposalsReply{ForwardProposalsReply: &messages.ForwardProposalsReply{
		Incarnation: f.incarnation, Results: results,
	}}
	return e
}
