package e2e

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// writer is one client that writes, again and again, and notes when each write was
// acknowledged: where there is no write, clients have waited.
type writer struct {
	cancel context.CancelFunc
	done   chan struct{}

	mu    sync.Mutex
	acked []time.Time
}

// tryFor is how long the writer waits for one answer before it asks another server.
const tryFor = 250 * time.Millisecond

func startWriter(c *cluster, name string) *writer {
	ctx, cancel := context.WithCancel(context.Background())
	w := &writer{cancel: cancel, done: make(chan struct{})}
	var clients []*clientv3.Client
	for _, s := range c.servers {
		clients = append(clients, c.newClient(s.client))
	}
	go func() {
		defer close(w.done)
		for i, at := 0, 0; ctx.Err() == nil; i++ {
			// A write that has begun ends by itself.
			tryCtx, cancel := context.WithTimeout(context.Background(), tryFor)
			_, err := clients[at].Put(tryCtx, fmt.Sprintf("%s/%d", name, i%100), fmt.Sprint(i))
			cancel()
			if err != nil {
				at = (at + 1) % len(clients)
				continue
			}
			w.mu.Lock()
			w.acked = append(w.acked, time.Now())
			w.mu.Unlock()
		}
	}()
	return w
}

func (w *writer) stop() {
	w.cancel()
	<-w.done
}

// gap is the longest time without an acknowledgement that overlaps [from, to].
func (w *writer) gap(from, to time.Time) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	var longest time.Duration
	for i := 1; i < len(w.acked); i++ {
		if w.acked[i].After(from) && w.acked[i-1].Before(to) {
			longest = max(longest, w.acked[i].Sub(w.acked[i-1]))
		}
	}
	return longest
}

// report prints some gaps' median, p99 and worst, and gives them.
func report(t *testing.T, what string, gaps []time.Duration) (median, p99, worst time.Duration) {
	t.Helper()
	slices.Sort(gaps)
	if len(gaps) == 0 {
		t.Fatalf("%s: nothing was measured", what)
	}
	median, p99, worst = gaps[len(gaps)/2], gaps[len(gaps)*99/100], gaps[len(gaps)-1]
	t.Logf("%s: %d gaps; median %v, p99 %v, worst %v", what, len(gaps), median.Round(time.Millisecond), p99.Round(time.Millisecond), worst.Round(time.Millisecond))
	return median, p99, worst
}
