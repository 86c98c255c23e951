package actors

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"castaway/raft"
)

// dropReason says why an envelope went nowhere.
type dropReason int

const (
	// dropCluster: it is another cluster's (C42).
	dropCluster dropReason = iota
	// dropSender: it names no sender, or ourselves.
	dropSender
	// dropStrangers: it is a stranger's, and there are HostConfig.MaxStrangers already.
	dropStrangers
	// dropAddressee: it is for another node.
	dropAddressee
	// dropGroup: it is for a group that is not on this node (C42).
	dropGroup
	// dropKind: it has no kind that this version knows.
	dropKind
	// dropReceiver: we were to send it to a node that is no peer of ours.
	dropReceiver
	// dropMalformed: its server could make no message of it.
	dropMalformed
	// dropLane: it came over the first network and belongs on the second, or the other
	// way round.
	dropLane
	dropReasons
)

func (r dropReason) String() string {
	return [dropReasons]string{
		"another cluster", "impossible sender", "more strangers than MaxStrangers", "another node's", "unknown group", "unknown kind", "unknown receiver", "malformed", "wrong network",
	}[r]
}

// transportBoard holds the transport's numbers; it outlives its instances. Safe
// for concurrent use.
type transportBoard struct {
	received atomic.Uint64
	// heartbeats counts those sent and the replies, heartbeatEnvelopes what they
	// went in.
	heartbeats, heartbeatEnvelopes atomic.Uint64
	dropped                        [dropReasons]atomic.Uint64

	mu     sync.Mutex
	peers  map[raft.NodeID]*peerCounters
	logged map[droppedFrom]bool // at most one a peer and reason
}

type droppedFrom struct {
	peer raft.NodeID
	why  dropReason
}

type peerCounters struct {
	state                                      atomic.Pointer[GateState]
	sent, lost, probes, flaps, resets, arrived atomic.Uint64
}

func newTransportBoard() *transportBoard {
	return &transportBoard{peers: make(map[raft.NodeID]*peerCounters), logged: make(map[droppedFrom]bool)}
}

// peer gives the counters of a peer, the same for every instance.
func (b *transportBoard) peer(id raft.NodeID) *peerCounters {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.peers[id]
	if c == nil {
		c = &peerCounters{}
		c.setState(GateDown)
		b.peers[id] = c
	}
	return c
}

// The states, to point at.
var (
	gateUp, gateProbing, gateDown = GateUp, GateProbing, GateDown
)

func (c *peerCounters) setState(s GateState) {
	switch s {
	case GateUp:
		c.state.Store(&gateUp)
	case GateProbing:
		c.state.Store(&gateProbing)
	default:
		c.state.Store(&gateDown)
	}
}

// forget drops what is kept of a peer that has gone.
func (b *transportBoard) forget(id raft.NodeID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.peers, id)
	for key := range b.logged {
		if key.peer == id {
			delete(b.logged, key)
		}
	}
}

// drop counts, and says whether it is the first of its kind.
func (b *transportBoard) drop(peer raft.NodeID, why dropReason) bool {
	b.dropped[why].Add(1)
	b.mu.Lock()
	defer b.mu.Unlock()
	key := droppedFrom{peer, why}
	first := !b.logged[key]
	b.logged[key] = true
	return first
}

func (b *transportBoard) stats() TransportStats {
	s := TransportStats{Received: b.received.Load(), Heartbeats: b.heartbeats.Load(), HeartbeatEnvelopes: b.heartbeatEnvelopes.Load()}
	for why := range dropReasons {
		s.Dropped = append(s.Dropped, DroppedCount{Reason: why.String(), Count: b.dropped[why].Load()})
	}
	slices.SortFunc(s.Dropped, func(x, y DroppedCount) int { return strings.Compare(x.Reason, y.Reason) })
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(b.peers)) {
		c := b.peers[id]
		s.Peers = append(s.Peers, PeerStats{
			ID: id, State: *c.state.Load(), Sent: c.sent.Load(), Lost: c.lost.Load(), Probes: c.probes.Load(),
			Flaps: c.flaps.Load(), Resets: c.resets.Load(), Arrived: c.arrived.Load(),
		})
	}
	return s
}
