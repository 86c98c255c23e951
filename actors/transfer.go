package actors

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"castaway/messages"
	"castaway/raft"
)

// TransferLimits bounds the sending of snapshots to other nodes.
type TransferLimits struct {
	// ChunkBytes is how much of a file goes in one envelope.
	ChunkBytes int
	// WindowBytes is how much of one is on its way, unanswered. Where there is no
	// HostConfig.Bulk, a heartbeat may find as much before it.
	WindowBytes int
	// BytesPerSecond bounds what this node sends of all snapshots; zero does not.
	BytesPerSecond int64
	// MaxConcurrent is how many snapshots this node sends at once.
	MaxConcurrent int
	// PublishTicks is how many ticks of its group a follower has for verifying a snapshot
	// of which it has everything, and making it durable. It reads the file twice
	// meanwhile; then the snapshot is offered anew.
	PublishTicks int
}

// DefaultTransferLimits leave heartbeats their place on one connection.
func DefaultTransferLimits() TransferLimits {
	return TransferLimits{ChunkBytes: 64 << 10, WindowBytes: 512 << 10, MaxConcurrent: 2, PublishTicks: 6000}
}

const maxChunkBytes = 1 << 20

func (l *TransferLimits) validate() error {
	switch {
	case l.ChunkBytes < 1<<10 || l.ChunkBytes > maxChunkBytes:
		return invalid("HostConfig.Transfer.ChunkBytes", l.ChunkBytes, fmt.Sprintf("from %d to %d", 1<<10, maxChunkBytes))
	case l.WindowBytes < l.ChunkBytes:
		return invalid("HostConfig.Transfer.WindowBytes", l.WindowBytes, "at least ChunkBytes")
	case l.BytesPerSecond < 0:
		return invalid("HostConfig.Transfer.BytesPerSecond", l.BytesPerSecond, "at least 0, which is no limit")
	case l.MaxConcurrent < 1:
		return invalid("HostConfig.Transfer.MaxConcurrent", l.MaxConcurrent, "at least 1")
	case l.PublishTicks < 1:
		return invalid("HostConfig.Transfer.PublishTicks", l.PublishTicks, "at least 1")
	}
	return nil
}

// slots counts the snapshots that a host is sending.
type slots struct {
	mu    sync.Mutex
	taken int
}

func (s *slots) take(limit int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken >= limit {
		return false
	}
	s.taken++
	return true
}

func (s *slots) give() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken--
}

// throttle lets so many bytes a second pass, for all couriers of a host together. It
// saves up what is not used for a moment, so that a chunk finds its size.
type throttle struct {
	rate int64 // bytes a second; zero: no limit

	mu    sync.Mutex
	saved float64
	at    time.Time
}

// throttleSaves is for how long unused bytes are saved up.
const throttleSaves = 100 * time.Millisecond

// take takes n bytes, or says how long to wait before asking again.
func (t *throttle) take(now time.Time, n int64) time.Duration {
	if t.rate == 0 {
		return 0
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	rate, size := float64(t.rate), float64(n)
	most := max(rate*throttleSaves.Seconds(), size)
	if !t.at.IsZero() {
		t.saved = min(t.saved+now.Sub(t.at).Seconds()*rate, most)
	}
	t.at = now
	if t.saved >= size {
		t.saved -= size
		return 0
	}
	return time.Duration((size-t.saved)/rate*float64(time.Second)) + time.Millisecond
}

// errands are the snapshots that a group's couriers are to send; they outlive couriers.
type errands struct {
	mu sync.Mutex
	by map[raft.NodeID]*sendSnapshot
}

func (e *errands) of(to raft.NodeID) *sendSnapshot {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.by[to]
}

// clear forgets all errands: there are no couriers.
func (e *errands) clear() {
	e.mu.Lock()
	defer e.mu.Unlock()
	clear(e.by)
}

// end forgets an errand, unless another has taken its place.
func (e *errands) end(to raft.NodeID, errand *sendSnapshot) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if errand != nil && e.by[to] == errand {
		delete(e.by, to)
	}
}

func (e *errands) put(to raft.NodeID, errand *sendSnapshot) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.by == nil {
		e.by = make(map[raft.NodeID]*sendSnapshot)
	}
	e.by[to] = errand
}

// carries notes the index of the snapshot that an errand is carried out with.
func (e *errands) carries(errand *sendSnapshot, last raft.Index) {
	e.mu.Lock()
	defer e.mu.Unlock()
	errand.carried = last
}

// lowest is the lowest index of the snapshots on their way.
func (e *errands) lowest() (lowest raft.Index, found bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, errand := range e.by {
		if errand.carried != 0 && (!found || errand.carried < lowest) {
			lowest, found = errand.carried, true
		}
	}
	return lowest, found
}

// bulkDirectory is where the second network reaches other nodes, as they have said.
type bulkDirectory struct {
	mu    sync.Mutex
	known map[raft.NodeID]raft.Member
}

// note adds what a node says, and gives all that is known.
func (d *bulkDirectory) note(m raft.Member) []raft.Member {
	d.mu.Lock()
	if d.known == nil {
		d.known = make(map[raft.NodeID]raft.Member)
	}
	d.known[m.ID] = m
	d.mu.Unlock()
	return d.all()
}

func (d *bulkDirectory) all() []raft.Member {
	d.mu.Lock()
	defer d.mu.Unlock()
	var list []raft.Member
	for _, id := range slices.Sorted(maps.Keys(d.known)) {
		list = append(list, d.known[id])
	}
	return list
}

// heartbeat is the time between two heartbeats of a leader.
func (c *GroupConfig) heartbeat() time.Duration {
	return time.Duration(c.HeartbeatTicks) * c.TickInterval
}

// post sends one envelope through a transport.
func (b *board) post(way *actor.PID, e *messages.Envelope) {
	b.send(way, Outbound{Envelopes: []*messages.Envelope{e}})
}

// maxDetailBytes bounds what other nodes are told about an error.
const maxDetailBytes = 512

func brief(err error) string {
	text := err.Error()
	return strings.ToValidUTF8(text[:min(len(text), maxDetailBytes)], "")
}
