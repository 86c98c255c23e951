package main

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"
)

// An open loop sends on while nothing is answered, and a request's time counts from
// when it was due.
func TestAnOpenLoopWaitsForNoAnswer(t *testing.T) {
	const count, rate = 200, 10_000
	var sent atomic.Int64
	all := make(chan struct{})
	refused := errors.New("refused")
	m := load{
		clients: 4, rate: rate, count: count, outstanding: count, timeout: time.Minute, kind: func(err error) string { return err.Error() },
		do: func(_ context.Context, client int, n int64) error {
			if sent.Add(1) == count {
				close(all) // which nobody would see, if one had to wait for another
			}
			<-all
			if client == 0 {
				return refused
			}
			return nil
		},
	}.run(t.Context())
	if m.offered != count || m.done != count*3/4 || m.errors[refused.Error()] != count/4 {
		t.Errorf("offered %d, done %d, errors %v", m.offered, m.done, m.errors)
	}
	if first := time.Duration(m.latency.Max()) * time.Microsecond; first < (count/2)*time.Second/rate {
		t.Errorf("the first request has waited for all others, and counts as %v", first)
	}
}
