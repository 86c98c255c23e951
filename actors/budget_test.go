package actors

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"castaway/raft"
)

// An actor that panics at every message uses up its budget. Then the host says
// so, everyone who waits is answered, and the others go on.
func TestABudgetThatRunsOutIsLoud(t *testing.T) {
	anyActor(t, func(t *testing.T, name string) {
		crashers := make(map[raft.NodeID]*looper)
		c := newCluster(t, 3, func(h *HostConfig, _ *GroupConfig) {
			crashers[h.ID] = &looper{crasher: crasher{actor: name}}
			h.Inject = crashers[h.ID].inject
		})
		victim := c.leader()
		c.put(victim, "before")
		crashers[victim.id].always.Store(true)
		answers := make(chan error, 20)
		for range 20 {
			victim.group.ProposeAsync([]byte("x"), func(_ Result, err error) { answers <- err })
		}
		c.poke(victim, 20)
		if err := <-victim.failure; !errors.Is(err, ErrBudget) || !errors.Is(victim.host.Err(), ErrBudget) {
			t.Errorf("the host failed with %v", err)
		}
		c.put(c.followers(victim)[0], "the others go on")
		if name == "transport" {
			c.halt(victim.id) // it is mute, but nothing of the group has died
		}
		for range 20 {
			<-answers
		}
		ctx, cancel := context.WithTimeout(context.Background(), 10*c.timeout())
		defer cancel()
		_, err := victim.group.Propose(ctx, []byte("y"))
		var e *Error
		if !errors.As(err, &e) || (e.Reason != ReasonHalted && e.Reason != ReasonStopped) || e.Indeterminate {
			t.Errorf("a command after the failure: %v", err)
		}
	})
}

// looper panics at every message, once always is set.
type looper struct {
	crasher
	always atomic.Bool
}

func (l *looper) inject(name string, message any) {
	if name == l.actor && l.always.Load() {
		panic(errInjected)
	}
}

// A command that kills every machine halts the group on each node that gets as far
// as to apply it, in a state that says so; the hosts live.
func TestPoison(t *testing.T) {
	c := newCluster(t, 3, nil)
	leader := c.leader()
	good := c.put(leader, "good")
	ctx, cancel := context.WithTimeout(context.Background(), 20*c.timeout())
	defer cancel()
	outcomes := leader.group.ProposeBatch(ctx, [][]byte{[]byte("before"), []byte("poison"), []byte("after")})
	for _, o := range outcomes[1:] {
		want(t, o.Err, ReasonHalted, true)
	}
	var halted []*node
	c.eventually(20, "halt of a majority", func() bool {
		halted = nil
		for _, n := range c.nodes {
			if n.status().Behaviour == "halted" {
				halted = append(halted, n)
			}
		}
		return len(halted) >= 2
	})
	for _, n := range halted {
		if st := n.status(); st.Applied < good.Index || !strings.Contains(st.Halted, "panic 3 times") {
			t.Errorf("node %d has applied %d; halted: %s", n.id, st.Applied, st.Halted)
		}
		if n.host.Err() != nil {
			t.Errorf("node %d: the host failed: %v", n.id, n.host.Err())
		}
		_, err := n.group.Propose(ctx, []byte("x"))
		want(t, err, ReasonHalted, false)
		_, err = n.group.Read(ctx, "x", Serializable)
		want(t, err, ReasonHalted, false)
	}
	if n := c.observer.count(func(e Event) bool { return e.Kind == EventHalted }); n < len(halted) {
		t.Errorf("%d events tell of %d halts", n, len(halted))
	}
}
