package pool_test

import (
	"sync"
	"testing"
	"time"

	"castaway/cluster/pool"
)

// Whatever waits in one run keeps no other from running.
func TestARunThatWaitsHoldsNobodyUp(t *testing.T) {
	const many = 100
	p := pool.New(time.Minute)
	held, release := make(chan struct{}), make(chan struct{})
	for range many {
		p.Schedule(func() { held <- struct{}{}; <-release })
	}
	for range many {
		<-held
	}
	close(release)
}

// Every run runs, once.
func TestEveryRunRunsOnce(t *testing.T) {
	const many = 10_000
	p := pool.New(time.Microsecond) // so short that ends and hand-overs meet
	var mu sync.Mutex
	var wg sync.WaitGroup
	runs := make([]int, many)
	for i := range many {
		wg.Add(1)
		p.Schedule(func() {
			defer wg.Done()
			mu.Lock()
			defer mu.Unlock()
			runs[i]++
		})
	}
	wg.Wait()
	for i, n := range runs {
		if n != 1 {
			t.Errorf("run %d ran %d times", i, n)
		}
	}
}
