package client_test

import (
	"errors"
	"strings"
	"testing"

	"castaway/cluster/client"
	"castaway/cluster/etcdapi"
)

// A request that is too large is definitely not done, whether the door refuses it or
// gRPC does before; the error says what the limit is, and by which setting.
func TestATooLargeRequestIsToldWithItsLimit(t *testing.T) {
	cl := connect(t, start(t, 1).addresses())
	for _, size := range []int{etcdapi.DefaultMaxRequestBytes, 2 * etcdapi.DefaultMaxRequestBytes} {
		_, err := cl.Put(soon(t), "k", make([]byte, size))
		var e *client.Error
		if !errors.As(err, &e) || !errors.Is(err, client.ErrNotDone) || e.Reason != "TOO_LARGE" {
			t.Fatalf("%d bytes: got %v", size, err)
		}
		if text := err.Error(); strings.Contains(text, "grpc:") || strings.Contains(text, "MaxRequestBytes") ||
			!strings.Contains(text, "--max-entry-bytes") || !strings.Contains(text, "split it") {
			t.Errorf("%d bytes: the error does not say what to do: %s", size, text)
		}
	}
}
