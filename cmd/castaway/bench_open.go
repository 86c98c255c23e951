package main

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Bounds of an open loop.
const (
	maxBenchRate = 1_000_000
	// notSent is what becomes of requests while too many wait for their answers.
	notSent = "not sent: too many are outstanding here"
	// openStep is how often the loop looks at what is due.
	openStep = time.Millisecond
)

// open carries out a load as an open loop: requests go when they are due, at the rate
// given, whether or not those before were answered. So a server that is slow gets no
// less, and a request's time counts from when it was due.
func (l load) open(ctx context.Context) measured {
	total := measured{errors: map[string]int64{}, latency: hdrhistogram.New(1, longestLatency, latencyDigits)}
	var mu sync.Mutex
	var wg sync.WaitGroup
	var outstanding, done atomic.Int64
	stop := l.report(&done)
	start := time.Now()
	one := func(n int64, due time.Time) {
		defer wg.Done()
		defer outstanding.Add(-1)
		request, cancel := context.WithDeadline(context.WithoutCancel(ctx), due.Add(l.timeout))
		defer cancel()
		err := l.do(request, int(n%int64(l.clients)), n)
		took := time.Since(due)
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			total.errors[l.kind(err)]++
			return
		}
		total.done++
		done.Add(1)
		_ = total.latency.RecordValue(min(max(took.Microseconds(), 1), longestLatency)) // always in range
	}
	kept := int64(0)
	for n := int64(0); ctx.Err() == nil; {
		elapsed := time.Since(start)
		if l.duration > 0 && elapsed >= l.duration || l.count > 0 && n >= l.count {
			break
		}
		for due := int64(elapsed.Seconds() * l.rate); n < due && (l.count == 0 || n < l.count); n++ {
			total.offered++
			if outstanding.Load() >= int64(l.outstanding) {
				kept++
				continue
			}
			wg.Add(1)
			outstanding.Add(1)
			go one(n, start.Add(time.Duration(float64(n)/l.rate*float64(time.Second))))
		}
		settled(ctx, openStep)
	}
	total.elapsed = time.Since(start) // of the offer: answers that come later count as well
	wg.Wait()
	stop()
	if kept > 0 {
		total.errors[notSent] = kept
	}
	return total
}
