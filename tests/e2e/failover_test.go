package e2e

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// A killed leader is replaced, and a client that retries is served again, within
// the bounds: half of the time within one largest election timeout, always within
// five (the machine that runs this may be busy).
func TestFailoverIsBounded(t *testing.T) {
	c := startCluster(t, 5, nil)
	load := startWorkload(c, 16)
	defer load.stop()
	var gaps []time.Duration
	for i := range *failures {
		leader := c.awaitLeader()
		c.kill(leader)
		gap := untilNextWrite(t, c, leader, fmt.Sprintf("failover/%d", i))
		t.Logf("kill %d: server %d; next write acknowledged after %v", i+1, leader.id, gap.Round(time.Millisecond))
		gaps = append(gaps, gap)
		c.start(leader)
		c.awaitReady(leader)
	}
	slices.Sort(gaps)
	t.Logf("median %v, worst %v; largest election timeout %v", gaps[len(gaps)/2], gaps[len(gaps)-1], maxElectionTimeout)
	if worst := gaps[len(gaps)-1]; worst > 5*maxElectionTimeout {
		t.Errorf("no write for %v after a leader was killed", worst)
	}
}

// untilNextWrite retries one write at the servers that are left, 60 ms a try.
func untilNextWrite(t *testing.T, c *cluster, dead *server, key string) time.Duration {
	t.Helper()
	var clients []*clientv3.Client
	for _, s := range c.servers {
		if s != dead {
			clients = append(clients, c.newClient(s.client))
		}
	}
	began := time.Now()
	for i := 0; time.Since(began) < 20*maxElectionTimeout; i++ {
		ctx, cancel := context.WithTimeout(context.Background(), 60*time.Millisecond)
		_, err := clients[i%len(clients)].Put(ctx, key, "again")
		cancel()
		if err == nil {
			return time.Since(began)
		}
	}
	t.Fatal("no write was acknowledged after the leader was killed")
	return 0
}
