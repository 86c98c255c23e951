//go:build !linux

package remoting

import (
	"syscall"
	"time"
)

// limitUnacknowledged has no such option here; the transport's silence limit
// drops the connection instead.
func limitUnacknowledged(time.Duration) func(network, address string, c syscall.RawConn) error {
	return nil
}
