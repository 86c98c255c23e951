package pool

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// Pool is an actor.Dispatcher, for actors.HostConfig.Dispatcher. It has no bound: an
// actor that waits for the disk keeps its goroutine, and must not keep others from
// theirs. Safe for concurrent use.
type Pool struct {
	work chan func()
	idle time.Duration
}

var _ actor.Dispatcher = (*Pool)(nil)

// New makes a pool whose goroutines end when they have had nothing to do for idle;
// it needs no other end.
func New(idle time.Duration) *Pool { return &Pool{work: make(chan func()), idle: idle} }

// Throughput implements actor.Dispatcher: it is how many messages an actor deals
// with before another has its turn, as in protoactor's own.
func (p *Pool) Throughput() int {
	const messages = 300
	return messages
}

// Schedule implements actor.Dispatcher. It never waits.
func (p *Pool) Schedule(run func()) {
	select {
	case p.work <- run:
	default:
		go p.serve(run)
	}
}

func (p *Pool) serve(run func()) {
	timer := time.NewTimer(p.idle)
	defer timer.Stop()
	for {
		run()
		timer.Reset(p.idle)
		select {
		case run = <-p.work:
		case <-timer.C:
			return
		}
	}
}
