package e2e

import (
	"context"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// enoughPuts is how many writes show whether disk and memory stay level.
const enoughPuts = 200_000

// Writes at full speed that never pause: what is deleted from the log comes back to the
// disk, so that both disk and memory stay level, however long it goes on.
func TestDiskAndMemoryStayLevel(t *testing.T) {
	const keys, valueBytes, samplesWanted = 10_000, 1024, 20
	c := startCluster(t, 3, nil, "--snapshot-entries", "10000", "--trailing-entries", "1000")
	c.awaitLeader()
	began := time.Now()
	samples := []sample{c.sample(0, began)}
	fill(c, *puts, keys, valueBytes, func(done int) {
		if done%max(*puts/samplesWanted, 1) == 0 {
			samples = append(samples, c.sample(done, began))
		}
	})
	table(t, samples)
	if *puts < enoughPuts {
		t.Logf("fewer than %d writes do not show whether it stays so: -puts", enoughPuts)
		return
	}
	var halves [2]sample
	for i, s := range samples {
		half := &halves[min(2*i/len(samples), 1)]
		half.disk, half.memory = max(half.disk, s.disk), max(half.memory, s.memory)
	}
	const growth = 1.25
	if float64(halves[1].disk) > growth*float64(halves[0].disk) || float64(halves[1].memory) > growth*float64(halves[0].memory) {
		t.Errorf("disk and memory went up from %s and %s in the first half to %s and %s in the second",
			mib(halves[0].disk), mib(halves[0].memory), mib(halves[1].disk), mib(halves[1].memory))
	}
}

// A server with many keys and a long log is killed, and started again: how long until it
// serves, and in how much memory.
func TestRestartWithManyKeys(t *testing.T) {
	const each100 = 100
	c := startCluster(t, 3, nil)
	leader := c.awaitLeader()
	value := strings.Repeat("v", 100)
	began := time.Now()
	each(c, *keys/each100, func(ctx context.Context, client *clientv3.Client, i int) error {
		ops := make([]clientv3.Op, each100)
		for k := range ops {
			ops[k] = clientv3.OpPut(fmt.Sprintf("many/%08d", i*each100+k), value)
		}
		_, err := client.Txn(ctx).Then(ops...).Commit()
		return err
	}, nil)
	t.Logf("%d keys written in %v", *keys, time.Since(began).Round(time.Millisecond))
	c.awaitSameState()
	follower := c.servers[leader.id%3]
	t.Logf("before: %s on disk, %s of memory", mib(diskBytes(c.dataDir(follower))), mib(follower.residentBytes()))
	for _, how := range []string{"kill -9", "SIGTERM"} {
		if how == "SIGTERM" {
			c.terminate(follower)
		} else {
			c.kill(follower)
		}
		began = time.Now()
		c.start(follower)
		c.awaitReady(follower)
		t.Logf("after %s: it serves after %v, with %s of memory", how, time.Since(began).Round(time.Millisecond), mib(follower.residentBytes()))
	}
	c.awaitSameState()
}

// allocated is what a file takes on the disk: much of Badger's are holes.
func allocated(info fs.FileInfo) int64 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return st.Blocks * 512
	}
	return info.Size()
}
