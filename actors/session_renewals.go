package actors

import (
	"encoding/binary"
	"fmt"
	"slices"
	"sync"

	"castaway/raft"
)

// maxRenewals bounds the sessions that one entry renews; fewer, if it must be smaller.
const maxRenewals = 1024

// renewals gathers what is to be renewed, on this node: while one entry is on its way,
// the next gathers, so that many sessions cost few entries. Safe for concurrent use.
type renewals struct {
	mu      sync.Mutex
	flying  bool
	waiting []renewal
}

type renewal struct {
	id   raft.SessionID
	then func(error)
}

// ask renews a session and calls then exactly once, from here or an actor: it must
// neither block nor panic.
func (r *renewals) ask(g *Group, id raft.SessionID, then func(error)) {
	if id == 0 {
		then(g.unknownSession(id))
		return
	}
	r.mu.Lock()
	if limit := g.cfg.Limits.MaxQueuedCommands; len(r.waiting) >= limit {
		r.mu.Unlock()
		then(overloaded(g.cfg.Group, "MaxQueuedCommands", limit))
		return
	}
	r.waiting = append(r.waiting, renewal{id, then})
	first := !r.flying
	r.flying = true
	r.mu.Unlock()
	if first {
		r.fly(g)
	}
}

// fly sends off what waits, in one entry; what is more has its turn after it.
func (r *renewals) fly(g *Group) {
	r.mu.Lock()
	n := min(len(r.waiting), maxRenewals, max(1, (g.cfg.Limits.MaxEntryBytes-raft.SessionOpOverhead)/binary.MaxVarintLen64))
	batch := slices.Clone(r.waiting[:n])
	r.waiting = slices.Delete(r.waiting, 0, n)
	r.flying = n > 0
	r.mu.Unlock()
	if n == 0 {
		return
	}
	op := &raft.SessionOp{Kind: raft.SessionRenew}
	for _, x := range batch {
		op.Renew = append(op.Renew, x.id)
	}
	slices.Sort(op.Renew)
	op.Renew = slices.Compact(op.Renew)
	g.submitAsync(op, nil, func(result Result, err error) {
		r.landed(g, batch, result, err)
		r.fly(g)
	})
}

func (r *renewals) landed(g *Group, batch []renewal, result Result, err error) {
	var missing []raft.SessionID
	if err == nil && len(result.Value) > 0 {
		var op raft.SessionOp
		if op, err = raft.DecodeSessionOp(result.Value); err == nil {
			missing = op.Renew
		}
	}
	for _, x := range batch {
		if _, gone := slices.BinarySearch(missing, x.id); gone {
			x.then(g.unknownSession(x.id))
		} else {
			x.then(err)
		}
	}
}

func (g *Group) unknownSession(id raft.SessionID) *Error {
	return g.fail(ReasonSessionUnknown, fmt.Sprintf("session %d is not, or no more, known; open a new one", id))
}
