package remoting

import (
	"context"
	"net"
	"time"
)

// dial connects to address, and goes on trying until ctx ends: gRPC's own
// patience grows with every failure, and with it the time until a peer that came
// back is noticed.
func (l *Limits) dial(ctx context.Context, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: l.DialTimeout, Control: limitUnacknowledged(l.SendTimeout)}
	for {
		conn, err := dialer.DialContext(ctx, "tcp", address)
		if err == nil {
			return conn, nil
		}
		if !pause(ctx, l.DialPause) {
			return nil, err
		}
	}
}

// pause waits; false means that ctx ended.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
