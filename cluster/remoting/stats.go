package remoting

import (
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"castaway/raft"
)

type peerID = raft.NodeID

// nobody is who has not said yet who it is.
const nobody = raft.None

// reason says why something that came in, or was to go out, went nowhere.
type reason int

// The reasons.
const (
	dropCall reason = iota
	dropPanic
	dropStreams
	dropStranger
	dropStrangers
	dropCertificate
	dropUnconnected
	dropControl
	dropEmpty
	dropSerializer
	dropTypeIndex
	dropType
	dropTarget
	dropSender
	dropHeader
	dropOversized
	dropGarbage
	dropImpostor
	dropUnattached
	dropOutsized
	reasons
)

func (r reason) String() string {
	return [reasons]string{
		"unary call", "panic", "too many streams", "unknown address", "too many strangers", "wrong certificate", "not connected",
		"control message", "empty batch", "unknown serializer", "type index out of range", "unknown type",
		"foreign target", "sender given", "header given", "oversized", "garbage", "another node's name",
		"no transport", "oversized on the way out",
	}[r]
}

// Stats is what the remoting did so far.
type Stats struct {
	OpenStreams int64 // to this node
	Peers       []PeerStats
	Dropped     []Dropped
}

// PeerStats is a peer's share of Stats.
type PeerStats struct {
	ID        raft.NodeID
	Address   string
	Connected bool
	// Unsent counts what was not sent since there was no connection, Stale what
	// was too old when its turn came.
	Unsent, Stale        uint64
	BatchesOut, BytesOut uint64
	BatchesIn, BytesIn   uint64
	ConnectFailures      uint64
	LastConnectFailure   string // why; empty if never
}

// Dropped says how often something was refused for a reason.
type Dropped struct {
	Reason string
	Count  uint64
}

// board holds the counters. Safe for concurrent use.
type board struct {
	node        raft.NodeID
	logger      *slog.Logger
	openStreams atomic.Int64
	dropped     [reasons]atomic.Uint64

	mu     sync.RWMutex
	peers  map[raft.NodeID]*counters
	logged map[refusal]bool // bounded by peers and reasons
}

// refusal is what is logged once.
type refusal struct {
	from raft.NodeID
	why  reason
}

type counters struct {
	unsent, stale, batchesOut, bytesOut, batchesIn, bytesIn, failures atomic.Uint64
	failure                                                           atomic.Pointer[string]
}

func newBoard(node raft.NodeID, logger *slog.Logger) *board {
	return &board{node: node, logger: logger, peers: make(map[raft.NodeID]*counters), logged: make(map[refusal]bool)}
}

func (b *board) peer(id raft.NodeID) *counters {
	b.mu.RLock()
	c := b.peers[id]
	b.mu.RUnlock()
	if c != nil {
		return c
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.peers[id] == nil {
		b.peers[id] = &counters{}
	}
	return b.peers[id]
}

// drop counts a refusal, and logs the first from a peer for a reason.
func (b *board) drop(from raft.NodeID, why reason, details ...any) {
	b.dropped[why].Add(1)
	if b.first(refusal{from, why}) {
		b.logger.Warn("the remoting refused something; more of the kind is counted only",
			append([]any{"node", b.node, "peer", from, "reason", why.String()}, details...)...)
	}
}

// connectFailed notes why a peer could not be reached, and logs a reason that is
// not the same as the last time.
func (b *board) connectFailed(to raft.NodeID, err error) {
	c := b.peer(to)
	c.failures.Add(1)
	text := err.Error()
	if last := c.failure.Swap(&text); last == nil || *last != text {
		b.logger.Warn("connecting to a peer failed; it is tried again", "node", b.node, "peer", to, "error", err)
	}
}

// forget drops what is kept of a peer that has gone.
func (b *board) forget(id raft.NodeID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.peers, id)
	maps.DeleteFunc(b.logged, func(key refusal, _ bool) bool { return key.from == id })
}

func (b *board) first(key refusal) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	first := !b.logged[key]
	b.logged[key] = true
	return first
}

// Stats gives the counters as they are now.
func (r *Remoting) Stats() Stats {
	s := Stats{OpenStreams: r.stats.openStreams.Load()}
	for why := range reasons {
		s.Dropped = append(s.Dropped, Dropped{Reason: why.String(), Count: r.stats.dropped[why].Load()})
	}
	links := r.book.Load().byID
	for _, id := range slices.Sorted(maps.Keys(links)) {
		c := r.stats.peer(id)
		p := PeerStats{
			ID: id, Address: links[id].address, Connected: links[id].live.Load() != nil, Unsent: c.unsent.Load(), Stale: c.stale.Load(),
			BatchesOut: c.batchesOut.Load(), BytesOut: c.bytesOut.Load(),
			BatchesIn: c.batchesIn.Load(), BytesIn: c.bytesIn.Load(), ConnectFailures: c.failures.Load(),
		}
		if text := c.failure.Load(); text != nil {
			p.LastConnectFailure = *text
		}
		s.Peers = append(s.Peers, p)
	}
	return s
}
