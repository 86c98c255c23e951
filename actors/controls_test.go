package actors

import (
	"sync/atomic"
	"testing"

	"castaway/raft"
)

// A machine that can't give its hash panics for a status, while a command waits in the
// same inbox. That costs nobody more than the hash.
func TestAPanicInStateHashLosesNoWork(t *testing.T) {
	var broken atomic.Bool
	held := newHeldActor("machine")
	c := newCluster(t, 1, func(h *HostConfig, g *GroupConfig) {
		g.Machine = func() StateMachine { return &hashless{broken: &broken} }
		h.Inject = held.inject
	})
	n := c.leader()
	c.put(n, "before")
	broken.Store(true)

	release := held.hold()
	asked := &askMachine{answer: make(chan machineStatus, 1)}
	if err := n.group.machine.inbox.pushControl(asked); err != nil {
		t.Fatal(err)
	}
	told := make(chan error, 1)
	n.group.ProposeAsync([]byte("behind it"), func(_ Result, err error) { told <- err })
	c.eventually(10, "work for the machine", func() bool { return n.group.machine.spans.Load() == 1 })
	release()

	c.eventually(10, "answers", func() bool { return len(told) == 1 && len(asked.answer) == 1 })
	if err := <-told; err != nil {
		t.Errorf("the command behind the status: %v", err)
	}
	if st := <-asked.answer; st.hashed {
		t.Errorf("the status has a hash, %d, of a machine that gave none", st.hash)
	}
	if st := n.status(); st.Restarts.Machine != 0 {
		t.Errorf("the machine restarted %d times", st.Restarts.Machine)
	}
	c.put(n, "after")
}

// hashless is a machine whose StateHash panics while it is broken.
type hashless struct {
	journal
	broken *atomic.Bool
}

// StateHash implements Hasher.
func (h *hashless) StateHash() uint64 {
	if h.broken.Load() {
		panic(errInjected)
	}
	return h.journal.StateHash()
}

// The core panics when it is told to campaign, while a status request waits in the
// same inbox. The next server answers that.
func TestAPanicInCampaignLosesNoStatusRequest(t *testing.T) {
	var broken atomic.Bool
	held := newHeldActor("server")
	c := newCluster(t, 1, func(h *HostConfig, g *GroupConfig) {
		h.Inject = held.inject
		g.ElectionTicks = 400 // no election by itself
		g.Trace = func(e raft.TraceEvent) {
			if e.Input == "campaign" && broken.Swap(false) {
				panic(errInjected)
			}
		}
	})
	n := c.nodes[1]
	c.eventually(1, "start", func() bool { return n.status().Behaviour == "follower" })

	release := held.hold()
	asked := &statusRequest{answer: make(chan Status, 1)}
	for _, control := range []any{campaign{}, asked} {
		if err := n.group.server.pushControl(control); err != nil {
			t.Fatal(err)
		}
	}
	broken.Store(true)
	release()

	c.eventually(1, "answer", func() bool { return len(asked.answer) == 1 })
	if broken.Load() || n.status().Restarts.Server != 1 {
		t.Error("the server did not panic: the test shows nothing")
	}
}

// heldActor holds an actor back before its wake-ups, so that its inbox fills.
type heldActor struct {
	name string
	gate atomic.Pointer[chan struct{}]
}

func newHeldActor(name string) *heldActor { return &heldActor{name: name} }

func (a *heldActor) inject(name string, message any) {
	if _, woken := message.(wakeup); !woken || name != a.name {
		return
	}
	if gate := a.gate.Load(); gate != nil {
		<-*gate
	}
}

func (a *heldActor) hold() (release func()) {
	gate := make(chan struct{})
	a.gate.Store(&gate)
	return func() {
		a.gate.Store(nil)
		close(gate)
	}
}
