package pool_test

import (
	"fmt"
	"time"

	"castaway/actors"
	"castaway/cluster/pool"
)

// A host with many groups runs its actors on a pool.
func Example() {
	host := actors.DefaultHostConfig()
	host.Dispatcher = pool.New(time.Second)
	done := make(chan struct{})
	host.Dispatcher.Schedule(func() { close(done) })
	<-done
	fmt.Println("it ran")
	// Output: it ran
}
