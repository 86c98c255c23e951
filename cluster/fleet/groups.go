package fleet

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"castaway/actors"
	"castaway/raft"
)

// group is one group on all nodes: on[i] is its part on the i-th.
type group struct {
	on []*actors.Group
	// leader is the index of the node that was last seen to lead.
	leader atomic.Int32
}

// Groups is how many groups each node has.
func (f *Fleet) Groups() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.groups)
}

// Grow adds groups on every node until there are count, and returns when each of
// them has committed something. It never removes any.
func (f *Fleet) Grow(ctx context.Context, count int) error {
	f.mu.Lock()
	first := len(f.groups)
	for len(f.groups) < count {
		g, err := f.add(raft.GroupID(len(f.groups) + 1))
		if err != nil {
			f.mu.Unlock()
			return err
		}
		f.groups = append(f.groups, g)
	}
	f.mu.Unlock()
	for i := first; i < count; i++ {
		if err := f.begin(ctx, i); err != nil {
			return fmt.Errorf("fleet: group %d does not commit: %w", i+1, err)
		}
	}
	return nil
}

// begin has a new group commit something. On a busy machine its first election may
// take several attempts; what was refused meanwhile is tried again until ctx ends.
func (f *Fleet) begin(ctx context.Context, index int) error {
	for {
		err := f.Put(ctx, index, []byte("begin"))
		var refused *actors.Error
		if !errors.As(err, &refused) || refused.RetryAfter == 0 {
			return err
		}
		select {
		case <-time.After(refused.RetryAfter):
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		}
	}
}

func (f *Fleet) add(id raft.GroupID) (*group, error) {
	g := &group{}
	for i, n := range f.nodes {
		cfg := actors.DefaultGroupConfig()
		cfg.Group, cfg.Voters = id, f.ids
		cfg.Machine = func() actors.StateMachine { return &register{} }
		on, err := n.host.AddGroup(cfg)
		if err != nil {
			return nil, fmt.Errorf("fleet: node %d: %w", n.id, err)
		}
		on.Watch(func(e actors.Event) {
			if e.Kind == actors.EventRole && e.Role == raft.Leader {
				g.leader.Store(int32(i)) //nolint:gosec // one of few nodes
			}
		})
		g.on = append(g.on, on)
	}
	return g, nil
}

// Put replicates value in the group with this index, counted from 0: at its leader,
// as far as that is known. Errors are those of package actors.
func (f *Fleet) Put(ctx context.Context, index int, value []byte) error {
	f.mu.Lock()
	g := f.groups[index]
	f.mu.Unlock()
	_, err := g.on[g.leader.Load()].Propose(ctx, value)
	return err
}

// register is a state machine that keeps the last value.
type register struct{ value []byte }

// Apply implements actors.StateMachine.
func (r *register) Apply(commands []actors.Command) [][]byte {
	r.value = append(r.value[:0], commands[len(commands)-1].Data...)
	return make([][]byte, len(commands))
}

// Query implements actors.StateMachine: whatever is asked, it tells the value.
func (r *register) Query(any) (any, error) { return append([]byte(nil), r.value...), nil }
