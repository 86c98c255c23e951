package actors

import (
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

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
	passed := sentinel{seen: make(chan struct{})}
	n.group.send(n.group.pids.group, passed)
	c.eventually(10, "passing of the messages without a panic", passed.passed)
	release()
	<-told // by whichever server
	c.put(n, "alive")
}

// sentinel tells when the messages before it have been received.
type sentinel struct {
	quiet
	seen chan struct{}
}

// GetAutoResponse implements actor.AutoRespond: it is called once the actor has
// received the message.
func (s sentinel) GetAutoResponse(actor.Context) any {
	close(s.seen)
	return s
}

func (s sentinel) passed() bool {
	select {
	case <-s.seen:
		return true
	default:
		return false
	}
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
