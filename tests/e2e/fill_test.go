package e2e

import (
	"context"
	"fmt"
	"io/fs"
	"math/rand"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// fill puts count values of some size, as fast as it goes, over some keys; it tells how
// many were acknowledged so far, after each.
func fill(c *cluster, count, keys, bytes int, progress func(done int)) {
	c.t.Helper()
	each(c, count, func(ctx context.Context, client *clientv3.Client, i int) error {
		_, err := client.Put(ctx, fmt.Sprintf("filled/%07d", i%keys), noise(i, bytes))
		return err
	}, progress)
}

// noise is a value that does not get smaller when it is compressed.
func noise(i, bytes int) string {
	b := make([]byte, bytes)
	rand.New(rand.NewSource(int64(i))).Read(b)
	return string(b)
}

// fillers is how many clients fill at once.
const fillers = 64

// each carries out count operations, in no order; one that fails is tried again, a
// bounded number of times.
func each(c *cluster, count int, operation func(context.Context, *clientv3.Client, int) error, progress func(done int)) {
	c.t.Helper()
	var next, done atomic.Int64
	var wg sync.WaitGroup
	var telling sync.Mutex
	for range fillers {
		client := c.newClient(c.endpoints()...)
		wg.Go(func() {
			defer func() { _ = client.Close() }()
			for i := int(next.Add(1)) - 1; i < count; i = int(next.Add(1)) - 1 {
				if err := again(func(ctx context.Context) error { return operation(ctx, client, i) }); err != nil {
					c.t.Errorf("operation %d: %v", i, err)
					return
				}
				n := done.Add(1)
				if progress != nil {
					telling.Lock()
					progress(int(n))
					telling.Unlock()
				}
			}
		})
	}
	wg.Wait()
}

// again tries until it succeeds, for some election timeouts.
func again(operation func(context.Context) error) error {
	deadline := time.Now().Add(20 * maxElectionTimeout)
	for {
		ctx, cancel := context.WithTimeout(context.Background(), operationTimeout)
		err := operation(ctx)
		cancel()
		if err == nil || time.Now().After(deadline) {
			return err
		}
	}
}

// diskBytes is what the files below a directory take on the disk; what goes while they
// are looked at does not count.
func diskBytes(dir string) int64 {
	return sizes(dir, func(string) bool { return true })
}

// sizes adds up what some of the files below a directory take on the disk.
func sizes(dir string, counts func(path string) bool) int64 {
	var sum int64
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && counts(path) {
			if info, gone := d.Info(); gone == nil {
				sum += allocated(info)
			}
		}
		return nil
	})
	return sum
}

// residentBytes is the memory that a server's process holds.
func (s *server) residentBytes() int64 {
	if s.cmd == nil {
		return 0
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kib << 10
		}
	}
	return 0
}

func mib(bytes int64) string { return fmt.Sprintf("%.0f MiB", float64(bytes)/(1<<20)) }

// sample is disk and memory of the largest of all servers, at some point of a run.
type sample struct {
	done         int
	at           time.Duration
	disk, memory int64
}

func (c *cluster) sample(done int, began time.Time) sample {
	s := sample{done: done, at: time.Since(began)}
	for _, server := range c.servers {
		s.disk = max(s.disk, diskBytes(c.dataDir(server)))
		s.memory = max(s.memory, server.residentBytes())
	}
	return s
}

// table prints samples.
func table(t *testing.T, samples []sample) {
	t.Logf("%9s %8s %9s %10s %10s", "writes", "seconds", "writes/s", "disk", "memory")
	for i, s := range samples {
		rate := 0.0
		if i > 0 {
			rate = float64(s.done-samples[i-1].done) / (s.at - samples[i-1].at).Seconds()
		}
		t.Logf("%9d %8.1f %9.0f %10s %10s", s.done, s.at.Seconds(), rate, mib(s.disk), mib(s.memory))
	}
}
