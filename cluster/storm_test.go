package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"castaway/cluster/client"
)

// stormClients increment stormCounters, each stormEach times: a counter is a key, whose
// version counts its puts.
const (
	stormClients  = 64
	stormCounters = 16
	stormEach     = 50
)

// A retry storm: while leaders stop and come back, every client tries each increment
// until it is done. The sums are what was acknowledged, exactly; and what ran out of
// time is told by asking again.
func TestC29_ARetryStormCountsExactly(t *testing.T) {
	configs, nodes := three(t)
	put(t, connect(t, nodes...), "begin", "now")
	var addresses []string
	for i := range 2 * len(nodes) { // so that each client may begin at another
		addresses = append(addresses, nodes[i%len(nodes)].ClientAddress())
	}
	var acknowledged [stormCounters]atomic.Int64
	var done, doubts atomic.Int64
	var clients sync.WaitGroup
	for i := range stormClients {
		clients.Go(func() {
			c, err := client.New(client.Options{Endpoints: addresses[i%3 : i%3+3]})
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = c.Close() }()
			for j := range stormEach {
				counter := (i + j) % stormCounters
				if err := increment(t.Context(), c, counter, &doubts); err != nil {
					t.Errorf("client %d: %v", i, err)
					return
				}
				acknowledged[counter].Add(1)
				done.Add(1)
			}
		})
	}
	for kill := range int64(3) {
		await(t, "the storm to go on", func() bool { return done.Load() >= (kill+1)*stormClients*stormEach/5 || t.Failed() })
		lost := leaderOf(t, nodes)
		stop(t, nodes[lost])
		c := configs[lost]
		c.ListenClient, c.AdvertiseClient = nodes[lost].ClientAddress(), nodes[lost].ClientAddress()
		nodes[lost] = start(t, c)
		configs[lost] = c
	}
	clients.Wait()
	await(t, "the three to agree on the state", func() bool { return agree(t, nodes) })
	t.Logf("%d increments, %d of them in doubt for a while", done.Load(), doubts.Load())
	c := connect(t, nodes...)
	for i := range acknowledged {
		r, err := c.Get(t.Context(), fmt.Sprint("counter/", i))
		if err != nil || len(r.KVs) != 1 || r.KVs[0].Version != acknowledged[i].Load() {
			t.Errorf("counter %d was incremented %d times, and is %+v (%v)", i, acknowledged[i].Load(), r, err)
		}
	}
}

// increment puts a counter, with little patience at first, and asks again until it is done.
// On a machine that is slower than that, all would give up just before their turn for ever.
func increment(ctx context.Context, c *client.Client, counter int, doubts *atomic.Int64) error {
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	err := errors.New("not tried")
	patience := 150 * time.Millisecond
	for first := true; first || errors.Is(err, client.ErrNotDone); first = false {
		attempt, cancel := context.WithTimeout(ctx, patience)
		patience *= 2
		_, err = c.Put(attempt, fmt.Sprint("counter/", counter), nil)
		cancel()
		if ctx.Err() != nil {
			break
		}
	}
	if errors.Is(err, client.ErrIndeterminate) {
		doubts.Add(1)
	}
	for errors.Is(err, client.ErrIndeterminate) && ctx.Err() == nil {
		attempt, cancel := context.WithTimeout(ctx, patience)
		patience *= 2
		_, again := c.Resolve(attempt, err)
		cancel()
		err = again
	}
	return err
}
