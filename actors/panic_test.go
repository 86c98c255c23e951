package actors

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"castaway/messages"
	"castaway/raft"
)

// TestC43_PanicsUnderLoad crashes one kind of actor, on any node, at any message,
// again and again while clients write on every node. Nothing acknowledged is
// lost, nothing that was said not to be done is, no term has two leaders, nobody
// votes twice, and writes go on within the bounds.
func TestC43_PanicsUnderLoad(t *testing.T) {
	anyActor(t, func(t *testing.T, name string) {
		crashers := make(map[raft.NodeID]*crasher)
		votes := newVoteWatch(t)
		c := newCluster(t, 3, func(h *HostConfig, g *GroupConfig) {
			crashers[h.ID] = &crasher{actor: name}
			h.Inject = crashers[h.ID].inject
			h.Network = votes.watch(h.Network)
			plenty := Budget{Restarts: 1000, Within: time.Minute}
			h.TransportBudget, h.GroupBudget = plenty, plenty
			g.ServerBudget, g.LogBudget, g.MachineBudget = plenty, plenty, plenty
		})
		c.leader()
		load := c.begin(4)
		for range 12 {
			load.commitsAgain(20)
			crashers[c.ids[rand.IntN(len(c.ids))]].arm(40)
		}
		load.commitsAgain(20)
		load.end()
		restarts := 0
		for _, n := range c.nodes {
			r := n.status().Restarts
			restarts += r.Server + r.Log + r.Machine
		}
		t.Logf("%d restarts within the group", restarts)
		if name != "transport" && name != "group" && restarts == 0 {
			t.Error("nothing crashed: the test showed nothing")
		}
	})
}

// TestC43_CrashesDuringElections crashes server and log on every node while
// elections are forced, so that crashes hit votes: nobody ever votes twice in a
// term.
func TestC43_CrashesDuringElections(t *testing.T) {
	for _, name := range []string{"server", "log"} {
		t.Run(name, func(t *testing.T) {
			crashers := make(map[raft.NodeID]*crasher)
			votes := newVoteWatch(t)
			c := newCluster(t, 3, func(h *HostConfig, g *GroupConfig) {
				crashers[h.ID] = &crasher{actor: name}
				h.Inject = crashers[h.ID].inject
				h.Network = votes.watch(h.Network)
				plenty := Budget{Restarts: 1000, Within: time.Minute}
				g.ServerBudget, g.LogBudget = plenty, plenty
				g.PreVote, g.CheckQuorum = false, false // so that every Campaign is an election
			})
			for i := range 40 {
				for _, id := range c.ids {
					crashers[id].arm(12)
				}
				before := votes.total()
				c.eventually(10, "election", func() bool {
					n := c.nodes[c.ids[i%3]]
					_ = n.group.Campaign(t.Context())
					return votes.total() > before
				})
			}
			c.put(c.leader(), "still there")
			c.agree()
		})
	}
}

// voteWatch sees every vote that leaves a node: a RequestVote is its sender's vote
// for itself.
type voteWatch struct {
	t     testing.TB
	mu    sync.Mutex
	votes map[string]raft.NodeID // by voter and term
}

func newVoteWatch(t testing.TB) *voteWatch {
	return &voteWatch{t: t, votes: make(map[string]raft.NodeID)}
}

func (v *voteWatch) total() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.votes)
}

func (v *voteWatch) watch(n Network) Network { return &watchedNetwork{Network: n, watch: v} }

type watchedNetwork struct {
	Network
	watch *voteWatch
}

// Send implements Network.
func (n *watchedNetwork) Send(to raft.NodeID, e *messages.Envelope) {
	if m, err := messages.FromEnvelope(e); err == nil {
		switch m := m.(type) {
		case *raft.RequestVote:
			n.watch.see(m.From, m.Term, m.From)
		case *raft.RequestVoteReply:
			if m.Granted {
				n.watch.see(m.From, m.Term, m.To)
			}
		}
	}
	n.Network.Send(to, e)
}

func (v *voteWatch) see(voter raft.NodeID, term raft.Term, candidate raft.NodeID) {
	v.mu.Lock()
	defer v.mu.Unlock()
	key := fmt.Sprintf("%d in %d", voter, term)
	if other, ok := v.votes[key]; ok && other != candidate {
		v.t.Errorf("node %d voted for %d and for %d in term %d", voter, other, candidate, term)
	}
	v.votes[key] = candidate
}
