package actors

import (
	"sync/atomic"
	"testing"

	"castaway/messages"
	"castaway/raft"
)

// filteredNetwork loses what drop picks.
type filteredNetwork struct {
	Network
	drop func(e *messages.Envelope) bool
}

func (f filteredNetwork) Send(to raft.NodeID, e *messages.Envelope) {
	if !f.drop(e) {
		f.Network.Send(to, e)
	}
}

// A follower forwards a command that cannot commit yet, dies with its whole process,
// comes back and forwards another: the leader's answer to the first, which arrives
// now, must not be taken for one to the second, which is on no other disk.
func TestForwarding_AnAnswerToTheLastProcessAnswersNobody(t *testing.T) {
	var mute atomic.Uint64 // the node whose acknowledgements are lost
	c := newCluster(t, 3, func(h *HostConfig, g *GroupConfig) {
		id := h.ID
		h.Network = filteredNetwork{h.Network, func(e *messages.Envelope) bool {
			_, ok := e.GetKind().(*messages.Envelope_AppendEntriesReply)
			return ok && raft.NodeID(mute.Load()) == id
		}}
		g.ElectionTicks, g.PatienceTicks = 400, 4000
	})
	if err := c.nodes[1].group.Campaign(t.Context()); err != nil {
		t.Fatal(err)
	}
	leader := c.leader()
	followers := c.followers(leader)
	f, other := followers[0], followers[1]
	c.agree()
	c.halt(other.id)
	mute.Store(uint64(f.id))
	f.group.ProposeAsync([]byte("old"), func(Result, error) {})
	c.eventually(10, "the old command at the leader", func() bool { return leader.status().Inflight.Proposed == 1 })
	c.halt(f.id)
	mute.Store(0)
	c.start(f.id)

	type answer struct {
		result Result
		err    error
	}
	told := make(chan answer, 1)
	c.nodes[f.id].group.ProposeAsync([]byte("new"), func(r Result, err error) { told <- answer{r, err} })
	a := <-told
	if a.err != nil {
		t.Fatal(a.err)
	}
	c.observer.mu.Lock()
	defer c.observer.mu.Unlock()
	if at := c.observer.entries[a.result.Index]; at != "new" {
		t.Errorf("the client of %q was told that it is at index %d, where %q is", "new", a.result.Index, at)
	}
}
