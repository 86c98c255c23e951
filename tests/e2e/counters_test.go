package e2e

import (
	"context"
	"errors"
	"fmt"
	"math/rand"
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"castaway/cluster/client"
)

const (
	counters   = 16
	stormUsers = 64
	// stormPatience is how long one increment may take: longer than any fault lasts.
	stormPatience = 2 * time.Minute
)

// storm is many clients that count; the version of a key is how often it was written,
// so a write that is done twice shows.
type storm struct {
	t      *testing.T
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu    sync.Mutex
	acked [counters]int64
}

func startStorm(c *cluster) *storm {
	ctx, cancel := context.WithCancel(context.Background())
	s := &storm{t: c.t, cancel: cancel}
	for i := range stormUsers {
		user, err := client.New(client.Options{Endpoints: c.endpoints(), RequestTimeout: stormPatience})
		if err != nil {
			c.t.Fatal(err)
		}
		s.wg.Go(func() {
			defer func() { _ = user.Close() }()
			s.count(ctx, user, rand.New(rand.NewSource(*seed+int64(i))))
		})
	}
	return s
}

// count increments one counter after the other. What has begun is carried through: its
// outcome must be known, or the sums could not be compared.
func (s *storm) count(ctx context.Context, user *client.Client, random *rand.Rand) {
	for ctx.Err() == nil {
		k := random.Intn(counters)
		_, err := user.Put(context.Background(), counterKey(k), []byte("one more"))
		if errors.Is(err, client.ErrNotDone) {
			s.t.Logf("not done: %v", err)
			continue
		}
		if err != nil {
			s.t.Errorf("an increment has no outcome: %v", err)
			return
		}
		s.mu.Lock()
		s.acked[k]++
		s.mu.Unlock()
	}
}

func counterKey(k int) string { return fmt.Sprintf("counter/%02d", k) }

// verify fails the test unless every counter is exactly what was acknowledged, on every
// server.
func (s *storm) verify(c *cluster) {
	s.t.Helper()
	var sum int64
	for _, server := range c.servers {
		sum = 0
		for k := range counters {
			ctx, cancel := context.WithTimeout(context.Background(), operationTimeout)
			r, err := c.newClient(server.client).Get(ctx, counterKey(k), clientv3.WithSerializable())
			cancel()
			if err != nil || len(r.Kvs) != 1 {
				s.t.Fatalf("server %d: counter %d: %v, %v", server.id, k, r, err)
			}
			if got := r.Kvs[0].Version; got != s.acked[k] {
				s.t.Errorf("server %d: counter %d is %d, and %d increments were acknowledged", server.id, k, got, s.acked[k])
			}
			sum += s.acked[k]
		}
	}
	s.t.Logf("%d acknowledged increments of %d counters by %d clients, each done exactly once", sum, counters, stormUsers)
}

// TestC29_ARetryStormIncrementsExactlyOnce: the clients repeat whatever has no answer,
// while leaders are killed, servers stopped and restarted; every increment is done once.
func TestC29_ARetryStormIncrementsExactlyOnce(t *testing.T) {
	chooseSeed(t)
	c := startCluster(t, 5, newNetwork(t, 5), tinySnapshots...)
	c.awaitLeader()
	s := startStorm(c)
	n := &nemesis{t: t, cluster: c, random: rand.New(rand.NewSource(*seed)), made: map[string]int{}}
	n.rage(*duration)
	s.cancel()
	s.wg.Wait()
	t.Logf("faults made: %v", n.made)
	c.awaitReady(c.servers...)
	c.awaitSameState()
	s.verify(c)
}
