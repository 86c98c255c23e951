package actors

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"castaway/messages"
	"castaway/persistence"
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
			h.HostBudget, h.TransportBudget, h.GroupBudget = plenty, plenty, plenty
			g.ServerBudget, g.LogBudget, g.MachineBudget = plenty, plenty, plenty
		})
		c.leader()
		load := c.begin(4)
		for range 12 {
			load.commitsAgain(20)
			id := c.ids[rand.IntN(len(c.ids))]
			before := crashers[id].fired.Load()
			crashers[id].arm(40)
			c.poke(c.nodes[id], 40)
			c.eventually(10, "crash", func() bool { return crashers[id].fired.Load() > before })
		}
		load.commitsAgain(20)
		load.end()
	})
}

// poke sends messages to those who get none while nothing happens.
func (c *cluster) poke(n *node, times int) {
	for range times {
		n.group.send(n.group.pids.group, wakeup{})
		n.group.send(n.group.pids.host, wakeup{})
	}
}

// TestC43_PanicsInTheMiddle crashes where it hurts more: in the core, when its
// state has changed and its effects have not left; in the log, between an append
// and its sync; in the machine, within a batch; in the transport, between two
// envelopes.
func TestC43_PanicsInTheMiddle(t *testing.T) {
	for _, where := range []string{"core", "append", "sync", "apply", "send"} {
		t.Run(where, func(t *testing.T) {
			bombs := make(map[raft.NodeID]*crasher)
			votes := newVoteWatch(t)
			c := newCluster(t, 3, func(h *HostConfig, g *GroupConfig) {
				bomb := &crasher{actor: where}
				bombs[h.ID] = bomb
				h.Store = &bombStore{Store: h.Store, bomb: bomb}
				h.Network = &bombNetwork{Network: votes.watch(h.Network), bomb: bomb}
				g.Trace = func(raft.TraceEvent) { bomb.inject("core", nil) }
				machine := g.Machine
				g.Machine = func() StateMachine { return &bombMachine{StateMachine: machine(), bomb: bomb} }
				plenty := Budget{Restarts: 1000, Within: time.Minute}
				h.TransportBudget = plenty
				g.ServerBudget, g.LogBudget, g.MachineBudget = plenty, plenty, plenty
				g.PoisonPanics = 1000
			})
			c.leader()
			load := c.begin(4)
			for range 12 {
				load.commitsAgain(20)
				bomb := bombs[c.ids[rand.IntN(len(c.ids))]]
				before := bomb.fired.Load()
				bomb.arm(20)
				c.eventually(10, "crash", func() bool { return bomb.fired.Load() > before })
			}
			load.commitsAgain(20)
			load.end()
		})
	}
}

type bombStore struct {
	persistence.Store
	bomb *crasher
}

// Append implements persistence.Store.
func (s *bombStore) Append(group raft.GroupID, p *raft.Persist) error {
	s.bomb.inject("append", nil)
	return s.Store.Append(group, p)
}

// Sync implements persistence.Store.
func (s *bombStore) Sync() error {
	s.bomb.inject("sync", nil)
	return s.Store.Sync()
}

type bombNetwork struct {
	Network
	bomb *crasher
}

// Send implements Network.
func (n *bombNetwork) Send(to raft.NodeID, e *messages.Envelope) {
	n.bomb.inject("send", nil)
	n.Network.Send(to, e)
}

type bombMachine struct {
	StateMachine
	bomb *crasher
}

// Apply implements StateMachine.
func (m *bombMachine) Apply(commands []Command) [][]byte {
	results := m.StateMachine.Apply(commands)
	m.bomb.inject("apply", nil)
	return results
}

// StateHash implements Hasher.
func (m *bombMachine) StateHash() uint64 { return m.StateMachine.(Hasher).StateHash() }

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

func (v *voteWatch) by(voter raft.NodeID) (n int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for key := range v.votes {
		var id raft.NodeID
		var term raft.Term
		if _, err := fmt.Sscanf(key, "%d in %d", &id, &term); err == nil && id == voter {
			n++
		}
	}
	return n
}
