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
	founders []raft.NodeID
	ids      []raft.NodeID                 // all that there ever were
	updated  map[raft.NodeID][]raft.NodeID // what each node's Update said
	attached map[raft.NodeID]attachment
	cut      map[link]bool
}

type attachment struct {
	system    *actor.ActorSystem
	transport *actor.PID
}

type link struct{ from, to raft.NodeID }

// NewLocalNetwork makes a network of these nodes, with every link whole. More may
// come later: see Node.
func NewLocalNetwork(ids ...raft.NodeID) *LocalNetwork {
	return &LocalNetwork{
		founders: slices.Clone(ids),
		ids:      slices.Clone(ids),
		updated:  make(map[raft.NodeID][]raft.NodeID),
		attached: make(map[raft.NodeID]attachment),
		cut:      make(map[link]bool),
	}
}

// Node is one node's end, for its HostConfig. A node that the network was not made
// with can be reached from now on.
func (n *LocalNetwork) Node(id raft.NodeID) Network {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !slices.Contains(n.ids, id) {
		n.ids = append(n.ids, id)
	}
	delete(n.updated, id)
	return &localEnd{network: n, id: id}
}

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
	n.mu.RLock()
	others := slices.Clone(n.ids)
	n.mu.RUnlock()
	for _, other := range others {
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
	l.network.mu.RLock()
	defer l.network.mu.RUnlock()
	peers, ok := l.network.updated[l.id]
	if !ok {
		peers = l.network.founders
	}
	return slices.DeleteFunc(slices.Clone(peers), func(id raft.NodeID) bool { return id == l.id })
}

// Update implements Network. Within a process a node's id is its address, so that
// anyone can be answered.
func (l *localEnd) Update(members []raft.Member) {
	peers := make([]raft.NodeID, len(members))
	for i, m := range members {
		peers[i] = m.ID
	}
	l.network.mu.Lock()
	defer l.network.mu.Unlock()
	l.network.updated[l.id] = peers
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
