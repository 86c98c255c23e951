package apitest

import (
	"context"
	"sync"

	"castaway/actors"
	"castaway/cluster/kv"
	"castaway/raft"
)

// Request is what is asked of a Group.
type Request struct {
	Command     []byte // of a proposal
	Query       any    // of a read
	ReadOptions actors.ReadOptions
}

// Write says that the request is a proposal.
func (r Request) Write() bool { return r.Command != nil }

// Hook may fail a request, or hold it up.
type Hook func(ctx context.Context, r Request) error

// Group implements etcdapi.Group. Its zero value is not ready; NewGroup makes one.
type Group struct {
	mu            sync.Mutex
	machine       *kv.Machine
	status        actors.Status
	before, after Hook
	requests      []Request
	tell          func(actors.Event)
}

// NewGroup makes a group that member 1 leads in term 1.
func NewGroup() *Group {
	g := &Group{machine: kv.New()}
	g.status.Leader = 1
	g.status.Raft.HardState.Term = 1
	return g
}

// Before sets what happens to every request before it is carried out.
func (g *Group) Before(h Hook) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.before = h
}

// After sets what happens to every request after it was carried out.
func (g *Group) After(h Hook) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.after = h
}

// SetStatus changes what Status answers.
func (g *Group) SetStatus(change func(*actors.Status)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	change(&g.status)
}

// Publish tells whoever watches.
func (g *Group) Publish(e actors.Event) {
	g.mu.Lock()
	tell := g.tell
	g.mu.Unlock()
	if tell != nil {
		tell(e)
	}
}

// Requests lists what was asked so far.
func (g *Group) Requests() []Request {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]Request(nil), g.requests...)
}

// Propose applies a command at once.
func (g *Group) Propose(ctx context.Context, command []byte) (actors.Result, error) {
	var result actors.Result
	err := g.carryOut(ctx, Request{Command: command}, func() error {
		g.status.Applied++
		g.status.Raft.Commit = g.status.Applied
		result = actors.Result{Index: g.status.Applied, Term: g.status.Raft.HardState.Term}
		result.Value = g.machine.Apply([]actors.Command{{Index: result.Index, Term: result.Term, Data: command}})[0]
		return nil
	})
	return result, err
}

// ReadWith asks the machine at once.
func (g *Group) ReadWith(ctx context.Context, query any, o actors.ReadOptions) (any, error) {
	var answer any
	err := g.carryOut(ctx, Request{Query: query, ReadOptions: o}, func() (err error) {
		answer, err = g.machine.Query(query)
		return err
	})
	return answer, err
}

func (g *Group) carryOut(ctx context.Context, r Request, do func() error) error {
	g.mu.Lock()
	before, after := g.before, g.after
	g.requests = append(g.requests, r)
	g.mu.Unlock()
	if before != nil {
		if err := before(ctx, r); err != nil {
			return err
		}
	}
	g.mu.Lock()
	err := do()
	g.mu.Unlock()
	if err == nil && after != nil {
		err = after(ctx, r)
	}
	return err
}

// Status answers what SetStatus has set.
func (g *Group) Status(context.Context) (actors.Status, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.status, nil
}

// Watch lets one watch.
func (g *Group) Watch(tell func(actors.Event)) (cancel func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.tell = tell
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.tell = nil
	}
}

// NotDone is an error of a group about what was definitely not done.
func NotDone(reason actors.Reason, leader raft.NodeID) error {
	return &actors.Error{Group: 1, Reason: reason, Leader: leader, Detail: "a test has refused it"}
}

// Indeterminate is an error of a group about what may have been done.
func Indeterminate(reason actors.Reason) error {
	return &actors.Error{Group: 1, Reason: reason, Indeterminate: true, Detail: "a test has lost it"}
}
