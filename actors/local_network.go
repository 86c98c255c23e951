package actors

import (
	"slices"
	"sync"

	"github.com/asynkron/protoactor-go/actor"

	"castaway/messages"
	"castaway/raft"
)

// LocalNetwork connects hosts within one process, of one ActorSystem or of
// several: for tests, for embedders' tests, and for demonstrations. Links can be
// cut, each direction by itself; what is sent over a cut link is lost.
//
// It delivers on the sender's goroutine and starts none, so that it is as
// deterministic as the actors' dispatcher. Envelopes are handed over as they are,
// unmarshalled: nobody may change one that was sent. Safe for concurrent use.
type LocalNetwork struct {
	mu       sync.RWMutex
	ids      []raft.NodeID
	attached map[raft.NodeID]attachment
	cut      map[link]bool
}

type attachment struct {
	system    *actor.ActorSystem
	transport *actor.PID
}

type link struct{ from, to raft.NodeID }

// NewLocalNetwork makes a network of these nodes, with every link whole.
func NewLocalNetwork(ids ...raft.NodeID) *LocalNetwork {
	return &LocalNetwork{
		ids:      slices.Clone(ids),
		attached: make(map[raft.NodeID]attachment),
		cut:      make(map[link]bool),
	}
}

// Node is one node's end, for its HostConfig.
func (n *LocalNetwork) Node(id raft.NodeID) Network { return &localEnd{network: n, id: id} }

// Cut loses what is sent from one node to the other, until Heal.
func (n *LocalNetwork) Cut(from, to raft.NodeID) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cut[link{from, to}] = true
}

// Heal undoes Cut.
func (n *LocalNetwork) Heal(from, to raft.NodeID) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.cut, link{from, to})
}

// Isolate cuts every link of a node.
func (n *LocalNetwork) Isolate(id raft.NodeID) {
	for _, other := range n.ids {
		n.Cut(id, other)
		n.Cut(other, id)
	}
}

// HealAll undoes every Cut.
func (n *LocalNetwork) HealAll() {
	n.mu.Lock()
	defer n.mu.Unlock()
	clear(n.cut)
}

type localEnd struct {
	network *LocalNetwork
	id      raft.NodeID
}

// Attach implements Network. There are no connections to tell of: a probe's
// answer opens the gate.
func (l *localEnd) Attach(system *actor.ActorSystem, transport *actor.PID) {
	l.network.mu.Lock()
	defer l.network.mu.Unlock()
	l.network.attached[l.id] = attachment{system: system, transport: transport}
}

// Peers implements Network.
func (l *localEnd) Peers() []raft.NodeID {
	return slices.DeleteFunc(slices.Clone(l.network.ids), func(id raft.NodeID) bool { return id == l.id })
}

// Send implements Network.
func (l *localEnd) Send(to raft.NodeID, e *messages.Envelope) {
	l.network.mu.RLock()
	a, ok := l.network.attached[to]
	ok = ok && a.transport != nil && !l.network.cut[link{l.id, to}]
	l.network.mu.RUnlock()
	if ok {
		a.system.Root.Send(a.transport, e)
	}
}

// Reset implements Network: nothing is ever on its way.
func (l *localEnd) Reset(raft.NodeID) {}
