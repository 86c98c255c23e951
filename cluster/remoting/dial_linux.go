package remoting

import (
	"syscall"
	"time"
)

// tcpUserTimeout is TCP_USER_TIMEOUT, which package syscall does not name.
const tcpUserTimeout = 0x12

// limitUnacknowledged makes the kernel drop a connection whose bytes the other
// end does not acknowledge in time, with the bytes; otherwise it would go on for
// a quarter of an hour, and deliver them at last.
func limitUnacknowledged(after time.Duration) func(network, address string, c syscall.RawConn) error {
	return func(_, _ string, c syscall.RawConn) error {
		var failure error
		err := c.Control(func(fd uintptr) {
			failure = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, int(after.Milliseconds()))
		})
		if err != nil {
			return err
		}
		return failure
	}
}
