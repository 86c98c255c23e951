package actors

import (
	"sync"
	"time"
)

// SnapshotStats is what a group on this node has done with snapshots since it was added.
type SnapshotStats struct {
	// Taken counts the snapshots of the machine that were published, TakeFailures those
	// that could not be written.
	Taken        uint64
	TakeFailures uint64
	// LastTaken is how long writing and syncing the newest one took, LastTakenBytes what
	// it is long.
	LastTaken      time.Duration
	LastTakenBytes int64
	// Damaged counts the published files that were found not to be what was written.
	Damaged uint64
	// Sent and Received are the transfers to and from other nodes.
	Sent, Received TransferStats
}

// TransferStats counts the transfers of snapshots in one direction: Begun is Done, Failed
// and those under way together.
type TransferStats struct {
	Begun, Done, Failed uint64
	// Chunks and Bytes count what was sent, also again, or what was taken.
	Chunks, Bytes uint64
	// LastDuration is how long the last one took that was done.
	LastDuration time.Duration
}

// snapshotBoard holds a group's SnapshotStats; it outlives the actors. Safe for concurrent
// use.
type snapshotBoard struct {
	mu    sync.Mutex
	stats SnapshotStats
}

func (b *snapshotBoard) read() SnapshotStats {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.stats
}

// taken counts a snapshot of the machine.
func (b *snapshotBoard) taken(bytes int64, took time.Duration, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil {
		b.stats.TakeFailures++
		return
	}
	b.stats.Taken++
	b.stats.LastTaken, b.stats.LastTakenBytes = took, bytes
}

func (b *snapshotBoard) damaged() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stats.Damaged++
}

// sent and received choose a direction.
func sent(s *SnapshotStats) *TransferStats     { return &s.Sent }
func received(s *SnapshotStats) *TransferStats { return &s.Received }

// A passage counts one transfer: it begins with the first of its chunks or before, and
// ends once, however often it is ended.
type passage struct {
	board *snapshotBoard
	way   func(*SnapshotStats) *TransferStats
	clock Clock
	began time.Time
	ended bool
}

func (b *snapshotBoard) begin(way func(*SnapshotStats) *TransferStats, clock Clock) *passage {
	b.mu.Lock()
	defer b.mu.Unlock()
	way(&b.stats).Begun++
	return &passage{board: b, way: way, clock: clock, began: clock.Now()}
}

// chunk counts bytes on their way.
func (p *passage) chunk(bytes int) {
	p.board.mu.Lock()
	defer p.board.mu.Unlock()
	t := p.way(&p.board.stats)
	t.Chunks++
	t.Bytes += uint64(bytes)
}

// end says how it ended, unless that was said before; nil has none.
func (p *passage) end(ok bool) {
	if p == nil || p.ended {
		return
	}
	p.ended = true
	p.board.mu.Lock()
	defer p.board.mu.Unlock()
	t := p.way(&p.board.stats)
	if !ok {
		t.Failed++
		return
	}
	t.Done++
	t.LastDuration = p.clock.Now().Sub(p.began)
}
