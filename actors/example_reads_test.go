package actors_test

import (
	"context"
	"fmt"
	"time"

	"castaway/actors"
)

// A node answers by itself, as long as it was confirmed within the last second that it has
// all that there was; and whoever knows the index of a write reads it anywhere.
func ExampleGroup_ReadWith() {
	g, stop := startCounter()
	defer stop()
	ctx := context.Background()
	written, err := g.Propose(ctx, []byte("40"))
	fmt.Println("sum", string(written.Value), err)

	stale := actors.ReadOptions{Consistency: actors.Serializable, MaxLag: time.Second}
	sum, err := g.ReadWith(ctx, nil, stale)
	fmt.Println("not older than a second:", sum, err)

	mine := actors.ReadOptions{Consistency: actors.Serializable, MinIndex: written.Index}
	sum, err = g.ReadWith(ctx, nil, mine)
	fmt.Println("with our own write:", sum, err)
	// Output:
	// sum 40 <nil>
	// not older than a second: 40 <nil>
	// with our own write: 40 <nil>
}
