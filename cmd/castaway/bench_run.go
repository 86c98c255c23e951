package main

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// load is what a bench does: closed loops, each sending its next request when the
// last was answered, or an open one, see open.
type load struct {
	clients int
	rate    float64 // requests a second of an open loop; a closed one if zero
	// outstanding bounds the requests of an open loop that wait for their answers, which
	// costs memory and time here; what would be more is not sent, and counted.
	outstanding int
	warmup      time.Duration
	duration    time.Duration // of the measurement; no bound if zero
	count       int64         // of requests to measure; no bound if zero
	timeout     time.Duration // of one request
	// do makes request number n of a client. It returns how the error is called.
	do func(ctx context.Context, client int, n int64) error
	// kind names an error in the summary.
	kind func(error) string
	// progress is told of the share that is done, now and then.
	progress func(share float64, done int64)
}

// Latencies are recorded up to a minute, in microseconds, to three digits.
const (
	longestLatency = 60_000_000
	latencyDigits  = 3
)

// measured is what came of a load.
type measured struct {
	offered int64 // of an open loop
	done    int64
	errors  map[string]int64
	elapsed time.Duration
	latency *hdrhistogram.Histogram // of what succeeded, in µs
}

// run carries out a load, until it is done or ctx ends.
func (l load) run(ctx context.Context) measured {
	warm, cancel := context.WithTimeout(ctx, l.warmup)
	var warmed atomic.Int64
	if l.warmup > 0 {
		l.loops(warm, &warmed, 0)
	}
	cancel()
	if l.rate > 0 {
		return l.open(ctx)
	}
	if l.duration > 0 {
		ctx, cancel = context.WithTimeout(ctx, l.duration)
		defer cancel()
	}
	var done atomic.Int64
	stop := l.report(&done)
	start := time.Now()
	result := l.loops(ctx, &done, l.count)
	result.elapsed = time.Since(start)
	stop()
	return result
}

// loops runs all clients, each with its own histogram, and merges them at the end.
func (l load) loops(ctx context.Context, done *atomic.Int64, count int64) measured {
	results := make([]measured, l.clients)
	var started atomic.Int64
	var wg sync.WaitGroup
	for client := range l.clients {
		wg.Go(func() {
			r := measured{errors: map[string]int64{}, latency: hdrhistogram.New(1, longestLatency, latencyDigits)}
			for n := int64(0); ctx.Err() == nil; n++ {
				if count > 0 && started.Add(1) > count {
					break
				}
				l.one(ctx, client, n, &r, done)
			}
			results[client] = r
		})
	}
	wg.Wait()
	total := measured{errors: map[string]int64{}, latency: hdrhistogram.New(1, longestLatency, latencyDigits)}
	for _, r := range results {
		total.done += r.done
		total.latency.Merge(r.latency)
		for kind, n := range r.errors {
			total.errors[kind] += n
		}
	}
	return total
}

func (l load) one(ctx context.Context, client int, n int64, r *measured, done *atomic.Int64) {
	// The request outlives the end of the measurement: cutting it off would count
	// as an error what is none.
	request, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.timeout)
	defer cancel()
	start := time.Now()
	err := l.do(request, client, n)
	took := time.Since(start)
	if err != nil {
		r.errors[l.kind(err)]++
		return
	}
	r.done++
	done.Add(1)
	_ = r.latency.RecordValue(min(max(took.Microseconds(), 1), longestLatency)) // always in range
}

const progressEvery = 100 * time.Millisecond

// report tells the progress until it is stopped.
func (l load) report(done *atomic.Int64) (stop func()) {
	if l.progress == nil {
		return func() {}
	}
	quit, finished := make(chan struct{}), make(chan struct{})
	start := time.Now()
	go func() {
		defer close(finished)
		ticker := time.NewTicker(progressEvery)
		defer ticker.Stop()
		for {
			select {
			case <-quit:
				l.progress(1, done.Load())
				return
			case <-ticker.C:
				l.progress(l.share(time.Since(start), done.Load()), done.Load())
			}
		}
	}()
	return func() { close(quit); <-finished }
}

func (l load) share(elapsed time.Duration, done int64) float64 {
	share := 0.0
	if l.duration > 0 {
		share = float64(elapsed) / float64(l.duration)
	}
	if l.count > 0 {
		share = max(share, float64(done)/float64(l.count))
	}
	return min(share, 1)
}
