package cluster

import (
	"errors"
	"fmt"
	"net"
)

// listen opens the address; a port of 0 lets the system choose.
func listen(key, address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%w on %s (%s): %w; stop what uses it, or choose another address", ErrListen, address, key, err)
	}
	return l, nil
}

// FreeAddresses gives n different addresses on loopback that were free a moment
// ago. Another process may take one before it is used: whoever uses them must be
// ready to fail.
func FreeAddresses(n int) ([]string, error) {
	addresses := make([]string, 0, n)
	held := make([]net.Listener, 0, n) // until the last is known, so that they differ
	var failed error
	for range n {
		l, err := listen("any port", "127.0.0.1:0")
		if err != nil {
			failed = err
			break
		}
		held = append(held, l)
		addresses = append(addresses, l.Addr().String())
	}
	for _, l := range held {
		failed = errors.Join(failed, l.Close())
	}
	return addresses, failed
}
