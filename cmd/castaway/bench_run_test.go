package main

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestABenchCountsWhatSucceededAndNamesWhatDidNot(t *testing.T) {
	broken := errors.New("broken")
	shares := 0
	l := load{
		clients: 4, count: 100, timeout: time.Second,
		do: func(_ context.Context, client int, _ int64) error {
			if client == 3 {
				return broken
			}
			return nil
		},
		kind:     func(err error) string { return err.Error() },
		progress: func(float64, int64) { shares++ },
	}
	m := l.run(context.Background())
	if m.done+m.errors["broken"] != 100 {
		t.Errorf("100 requests were asked for, but %d succeeded and %d failed", m.done, m.errors["broken"])
	}
	if m.latency.TotalCount() != m.done {
		t.Errorf("%d latencies for %d successes", m.latency.TotalCount(), m.done)
	}
	if shares == 0 {
		t.Error("the end of a bench must be told to the progress bar")
	}
}

func TestABenchEndsWithItsDurationAndLetsRequestsFinish(t *testing.T) {
	l := load{
		clients: 2, duration: 20 * time.Millisecond, warmup: 5 * time.Millisecond, timeout: 10 * time.Second,
		do: func(ctx context.Context, _ int, _ int64) error {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(2 * time.Millisecond):
				return nil
			}
		},
		kind: func(err error) string { return err.Error() },
	}
	m := l.run(context.Background())
	if m.done == 0 || len(m.errors) > 0 {
		t.Errorf("%d done, errors %v; the end of the time must cut nothing off", m.done, m.errors)
	}
}
