package staleness_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"google.golang.org/grpc/metadata"

	"castaway/cluster/etcdapi/staleness"
)

// A client's bound arrives as it was given.
func Example() {
	sent := staleness.Attach(context.Background(), 500*time.Millisecond)
	md, _ := metadata.FromOutgoingContext(sent) // on the wire
	lag, err := staleness.Of(metadata.NewIncomingContext(context.Background(), md))
	fmt.Println(lag, err)
	// Output: 500ms <nil>
}

func TestABoundThatMakesNoSenseIsRefused(t *testing.T) {
	for _, values := range [][]string{{"soon"}, {"0s"}, {"-1s"}, {""}, {"1s", "2s"}} {
		md := metadata.MD{staleness.Header: values}
		if lag, err := staleness.Of(metadata.NewIncomingContext(t.Context(), md)); !errors.Is(err, staleness.ErrMalformed) {
			t.Errorf("%q is read as %v, %v", values, lag, err)
		}
	}
	if lag, err := staleness.Of(t.Context()); lag != 0 || err != nil {
		t.Errorf("no bound is read as %v, %v", lag, err)
	}
}
