package actors

import (
	"context"
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"castaway/raft"
)

// Group is the handle of a group on this node, for the doors and for embedders.
// Safe for concurrent use.
type Group struct {
	*board
}

// Result tells where a command was committed, and what the machine said.
type Result struct {
	Index raft.Index
	Term  raft.Term
	Value []byte
}

// Outcome is a Result or an error.
type Outcome struct {
	Result Result
	Err    error
}

// Consistency is what a read asks for.
type Consistency uint8

const (
	// Linearizable reads see everything that was acknowledged before they began;
	// they cost a round of heartbeats for each batch of them (T6.4).
	Linearizable Consistency = iota
	// Serializable reads see the state of this node, which may lag behind.
	Serializable
)

// ID is the group's.
func (g *Group) ID() raft.GroupID { return g.cfg.Group }

// Node is this node's id.
func (g *Group) Node() raft.NodeID { return g.host.cfg.ID }

// Config is what the group was made with.
func (g *Group) Config() GroupConfig { return g.cfg }

// PID is the group's actor, for those who watch it.
func (g *Group) PID() *actor.PID { return g.pids.group }

// Propose replicates command and returns when the machine here, or at the leader
// if that is another node, has applied it. The command must not be changed
// afterwards. Its errors are *Error: errors.Is(err, ErrIndeterminate) tells
// whether it may have been done nevertheless.
func (g *Group) Propose(ctx context.Context, command []byte) (Result, error) {
	if err := g.admit(ctx, command); err != nil {
		return Result{}, err
	}
	w := newWaiter()
	w.command = command
	if err := g.server.pushProposals(w); err != nil {
		w.release()
		return Result{}, err
	}
	return g.awaitResult(ctx, w)
}

// ProposeBatch proposes commands, in order, with one wait; they may be committed
// with others' between them. It returns one outcome for each, in order.
func (g *Group) ProposeBatch(ctx context.Context, commands [][]byte) []Outcome {
	outcomes := make([]Outcome, len(commands))
	ws := make([]*waiter, 0, len(commands))
	for i, command := range commands {
		if err := g.admit(ctx, command); err != nil {
			outcomes[i].Err = err
			continue
		}
		w := newWaiter()
		w.command, w.id = command, uint64(i)
		ws = append(ws, w)
	}
	if err := g.server.pushProposals(ws...); err != nil {
		for _, w := range ws {
			outcomes[w.id].Err = err
			w.release()
		}
		return outcomes
	}
	next := 0
	for i := range outcomes {
		if outcomes[i].Err == nil {
			outcomes[i].Result, outcomes[i].Err = g.awaitResult(ctx, ws[next])
			next++
		}
	}
	return outcomes
}

// ProposeAsync proposes command and calls then exactly once with the outcome,
// from an actor or from here: it must neither block nor panic. There is no
// deadline; a command that is lost on its way to another node's leader ends as
// indeterminate after the patience of the group.
func (g *Group) ProposeAsync(command []byte, then func(Result, error)) {
	if err := g.admit(context.Background(), command); err != nil {
		then(Result{}, err)
		return
	}
	w := newWaiter()
	w.command, w.then = command, then
	if err := g.server.pushProposals(w); err != nil {
		w.release()
		then(Result{}, err)
	}
}

// Read runs the machine's Query. An error is never indeterminate: a read can
// always be repeated.
func (g *Group) Read(ctx context.Context, query any, c Consistency) (any, error) {
	return g.ReadWith(ctx, query, ReadOptions{Consistency: c})
}

// read asks the machine by way of an inbox: its own, or the server's, which gets the read
// confirmed first. The machine must have applied least.
func (g *Group) read(ctx context.Context, query any, in *inbox, least raft.Index) (any, error) {
	if err := ctx.Err(); err != nil {
		return nil, g.tooLate(ctx)
	}
	w := newWaiter()
	w.query, w.least = query, least
	if err := in.pushRead(w); err != nil {
		w.release()
		return nil, err
	}
	mine, gaveUp := w.wait(ctx, g.cfg.Group)
	if !mine {
		gaveUp.Indeterminate = false
		gaveUp.Detail = fmt.Sprintf("the read was given up, since its context ended: %v", gaveUp.Cause)
		return nil, gaveUp
	}
	value, err := w.value, w.err
	w.release()
	return value, err
}

// Campaign makes the server here start an election at once.
func (g *Group) Campaign(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return g.tooLate(ctx)
	}
	if err := g.server.pushControl(campaign{}); err != nil {
		return err
	}
	return nil
}

// Status asks the server and the machine. If ctx ends first, what is known
// without them comes with the error.
func (g *Group) Status(ctx context.Context) (Status, error) {
	ask := &statusRequest{answer: make(chan Status, 1)}
	if err := g.server.pushControl(ask); err != nil {
		return g.partialStatus(), err
	}
	select {
	case s, ok := <-ask.answer:
		if !ok {
			return g.partialStatus(), g.goodbye(false)
		}
		return g.withMachine(ctx, s)
	case <-ctx.Done():
		return g.partialStatus(), g.tooLate(ctx)
	}
}

// Watch calls tell with everything that happens from now on, from the actors: it
// must neither block nor panic.
func (g *Group) Watch(tell func(Event)) (cancel func()) { return g.watchers.add(tell) }

func (g *Group) admit(ctx context.Context, command []byte) error {
	return g.admitSize(ctx, len(command))
}

func (g *Group) admitSize(ctx context.Context, size int) error {
	if ctx.Err() != nil {
		return g.tooLate(ctx)
	}
	if limit := g.cfg.Limits.MaxEntryBytes; size > limit {
		return &Error{
			Group: g.cfg.Group, Reason: ReasonTooLarge, Limit: "MaxEntryBytes",
			Detail: fmt.Sprintf("the command has %d bytes, more than MaxEntryBytes = %d; make it smaller, or raise the limit on every node", size, limit),
		}
	}
	return nil
}

func (g *Group) tooLate(ctx context.Context) error {
	return &Error{
		Group: g.cfg.Group, Reason: ReasonDeadline, Cause: context.Cause(ctx),
		Detail: fmt.Sprintf("nothing was done, since the context had ended: %v", context.Cause(ctx)),
	}
}

func (g *Group) awaitResult(ctx context.Context, w *waiter) (Result, error) {
	mine, gaveUp := w.wait(ctx, g.cfg.Group)
	if !mine {
		return Result{}, gaveUp
	}
	result, err := w.result, w.err
	w.release()
	return result, err
}
