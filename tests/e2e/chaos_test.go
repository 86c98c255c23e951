package e2e

import (
	"math/rand"
	"testing"
	"time"
)

// Whatever happens to a minority, the history stays linearizable, no acknowledged
// write is lost, and all servers end in the same state.
func TestChaosKeepsEveryPromise(t *testing.T) {
	chooseSeed(t)
	c := startCluster(t, 5, newNetwork(t, 5))
	c.awaitLeader()
	w := startWorkload(c, 32)
	n := &nemesis{t: t, cluster: c, random: rand.New(rand.NewSource(*seed)), made: map[string]int{}}
	n.rage(*duration)
	w.stop()
	t.Logf("faults made: %v", n.made)
	for _, s := range c.servers {
		if st, err := s.status(); err == nil {
			t.Logf("server %d: %+v", s.id, st)
		}
	}

	c.awaitReady(c.servers...)
	c.awaitSameState()
	for _, s := range c.servers {
		w.verifyAcked(t, c, s)
	}
	t.Logf("%d acknowledged additions are on all five", len(w.acked))
	w.history.verify(t)
}

// chooseSeed takes a seed for the run, unless one was given, and prints it.
func chooseSeed(t *testing.T) {
	t.Helper()
	if *seed == 0 {
		*seed = time.Now().UnixNano()
	}
	t.Logf("seed %d", *seed)
}

// awaitSameState waits until all servers have applied equally much, and fails the
// test unless their states are equal then.
func (c *cluster) awaitSameState() {
	c.t.Helper()
	var all []status
	c.await("all servers at the same applied index", func() bool {
		all = nil
		for _, s := range c.servers {
			st, err := s.status()
			if err != nil || st.StateHash == "" || (len(all) > 0 && st.HashApplied != all[0].HashApplied) {
				return false
			}
			all = append(all, st)
		}
		return true
	})
	for i, st := range all {
		if st.StateHash != all[0].StateHash {
			c.t.Errorf("server %d has state %s at index %d, server 1 has %s", i+1, st.StateHash, st.HashApplied, all[0].StateHash)
		}
	}
	c.t.Logf("all servers have state %s at index %d", all[0].StateHash, all[0].HashApplied)
}
