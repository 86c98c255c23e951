package cluster

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
)

// listen opens the address; a port of 0 lets the system choose.
func listen(key, address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%w on %s (%s): %w; stop what uses it, or choose another address", ErrListen, address, key, err)
	}
	return l, nil
}

// Ports that systems give to nobody by themselves: what is free here stays free, unless
// somebody asks for that very port.
const (
	firstFreePort = 10000
	freePorts     = 22000
)

// givenPorts are those that freePort has found before: nobody may be listening on them
// yet.
var givenPorts sync.Map

// FreeAddresses gives n different addresses on loopback that were free a moment
// ago. Another process may take one before it is used: whoever uses them must be
// ready to fail.
func FreeAddresses(n int) ([]string, error) {
	const host = "127.0.0.1"
	addresses := make([]string, 0, n)
	for range n {
		port, err := freePort(host)
		if err != nil {
			return nil, err
		}
		addresses = append(addresses, net.JoinHostPort(host, port))
	}
	return addresses, nil
}

// freePort finds a port that was free on the host a moment ago, and that it gave to
// nobody before.
func freePort(host string) (string, error) {
	var last error
	for range freePorts {
		port := strconv.Itoa(firstFreePort + rand.IntN(freePorts))
		if _, before := givenPorts.Load(port); before {
			continue
		}
		l, err := net.Listen("tcp", net.JoinHostPort(host, port))
		if err != nil {
			last = err
			continue
		}
		if err := l.Close(); err != nil {
			return "", err
		}
		if _, before := givenPorts.LoadOrStore(port, true); !before {
			return port, nil
		}
	}
	return "", fmt.Errorf("%w on any port of %s from %d to %d: %w", ErrListen, host, firstFreePort, firstFreePort+freePorts-1, last)
}
