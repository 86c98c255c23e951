package actors

import (
	"testing"
	"time"

	"castaway/raft"
)

// A group that has to end, while its log hangs in a sync, gets messages that would
// make it panic: it must not come back from that, or the host, which waits for its
// end to start anew, would wait for ever.
func TestAnEndingActorStaysDead(t *testing.T) {
	stores := make(map[raft.NodeID]*trickyStore)
	type bang struct{ quiet }
	c := newCluster(t, 1, func(h *HostConfig, g *GroupConfig) {
		tricky(stores)(h, g)
		h.Inject = func(_ string, message any) {
			if _, ok := message.(bang); ok {
				panic(errInjected)
			}
		}
	})
	n := c.leader()
	release := stores[1].jam()
	told := make(chan error, 1)
	n.group.ProposeAsync([]byte("x"), func(_ Result, err error) { told <- err })
	c.eventually(10, "sync that hangs", func() bool {
		stores[1].mu.Lock()
		defer stores[1].mu.Unlock()
		return stores[1].waiting > 0
	})
	n.group.send(n.group.pids.host, bang{}) // it falls, and tells the group to stop
	c.eventually(10, "end of the server", func() bool {
		_, alive := n.system.ProcessRegistry.GetLocal(n.group.pids.server.Id)
		return !alive
	})
	for range 20 {
		n.group.send(n.group.pids.group, bang{})
	}
	release()
	<-told // by whichever server
	c.put(n, "alive")
}

// A reader of one node never sees time go back, also while its machine, made anew,
// reads the log.
func TestStateNeverGoesBackForAReader(t *testing.T) {
	crash := &crasher{actor: "machine"}
	c := newCluster(t, 1, func(h *HostConfig, g *GroupConfig) {
		h.Inject = crash.inject
		g.Limits.MaxReplayBytes = 1 // so that a replay takes many steps
		g.MachineBudget = Budget{Restarts: 1000, Within: time.Minute}
	})
	n := c.leader()
	for range 200 {
		c.put(n, "x")
	}
	for range 5 {
		crash.left.Store(1)
		for range 20 {
			if v, err := n.group.Read(t.Context(), "x", Serializable); err != nil || v.(int) < 200 {
				t.Fatalf("read %v, %v, where 200 were acknowledged", v, err)
			}
		}
	}
	if crash.fired.Load() < 5 {
		t.Errorf("%d crashes of 5", crash.fired.Load())
	}
}
