package actors

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"castaway/raft"
)

// A ticker ticks for all groups of a host, with one timer for all that have the
// same TickInterval: each pulse of it is a tick for them all, at the same moment, so
// that the heartbeats of all fall on the same pulses, and travel together.
//
// A group that is calm (see server.calm) gets its ticks in bunches, one for every
// HeartbeatTicks pulses. One whose server has not come to its last tick yet gets
// none, so that a server that is late does not find a pile of them.
//
// It outlives the actors. Safe for concurrent use.
type ticker struct {
	clock Clock

	mu     sync.Mutex
	pulses map[time.Duration]*pulse
}

// pulse is one timer, and who hangs on it.
type pulse struct {
	interval time.Duration
	next     time.Time // when it is to come
	number   uint64
	boards   []*board
	timer    Timer
}

// ticking is a group's part of the ticker, and what its server tells it.
type ticking struct {
	// life is the server instance that wants ticks; zero if none does.
	life atomic.Uint64
	// due says that a tick is in the server's mailbox.
	due atomic.Bool
	// calm says that the server can do with bunches.
	calm atomic.Bool
	// owed counts the pulses since the last tick, under the ticker's mu.
	owed int
}

func newTicker(clock Clock) *ticker {
	return &ticker{clock: clock, pulses: make(map[time.Duration]*pulse)}
}

// add begins to tick for b.
func (t *ticker) add(b *board) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.pulses[b.cfg.TickInterval]
	if p == nil {
		p = &pulse{interval: b.cfg.TickInterval, next: t.clock.Now()}
		t.pulses[p.interval] = p
		t.arm(p)
	}
	p.boards = append(p.boards, b)
}

// remove ends that. A pulse for nobody stops.
func (t *ticker) remove(b *board) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.pulses[b.cfg.TickInterval]
	if p == nil {
		return
	}
	p.boards = slices.DeleteFunc(p.boards, func(other *board) bool { return other == b })
	if len(p.boards) == 0 {
		p.timer.Stop()
		delete(t.pulses, p.interval)
	}
}

// arm asks for the next pulse, an interval after this one was to come, so that many
// small delays do not add up. What is late by more than that begins anew.
func (t *ticker) arm(p *pulse) {
	now := t.clock.Now()
	if p.next = p.next.Add(p.interval); !p.next.After(now) {
		p.next = now.Add(p.interval)
	}
	p.timer = t.clock.AfterFunc(p.next.Sub(now), func() { t.beat(p) })
}

// beat is one pulse. The next is asked for when it comes.
func (t *ticker) beat(p *pulse) {
	for _, d := range t.due(p) {
		d.board.send(d.board.pids.server, d.tick)
	}
}

type dueTick struct {
	board *board
	tick  tick
}

// due asks for the next pulse and says who gets a tick in this one.
func (t *ticker) due(p *pulse) []dueTick {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.pulses[p.interval] != p {
		return nil
	}
	t.arm(p)
	p.number++
	due := make([]dueTick, 0, len(p.boards))
	for _, b := range p.boards {
		if tick := b.pulse(p.number); tick.count > 0 {
			due = append(due, dueTick{b, tick})
		}
	}
	return due
}

// pulse makes the group's tick, if a server is there that waits for one.
func (b *board) pulse(number uint64) tick {
	life := raft.Incarnation(b.ticking.life.Load())
	if life == 0 {
		b.ticking.owed = 0
		return tick{}
	}
	b.ticking.owed++
	if b.ticking.calm.Load() && number%uint64(b.cfg.HeartbeatTicks) != 0 {
		return tick{}
	}
	count := b.ticking.owed
	b.ticking.owed = 0
	if b.ticking.due.Swap(true) {
		return tick{}
	}
	return tick{life: life, count: count, number: number}
}
