package client

import (
	"fmt"
	"math"
	"slices"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
)

// endpoint is a connection to one member's door.
type endpoint struct {
	address string
	conn    *grpc.ClientConn
}

// Reconnecting is quick, since a server that was killed is often back soon.
const (
	firstReconnect = 50 * time.Millisecond
	lastReconnect  = time.Second
)

// Keepalive finds connections that died silently; servers allow a ping every 5 s.
const (
	keepaliveInterval = 10 * time.Second
	keepaliveTimeout  = 3 * time.Second
)

// endpointFor gives the endpoint of an address, new or old.
func (c *Client) endpointFor(name string) (*endpoint, error) {
	address, secure, err := parseEndpoint(name)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, fmt.Errorf("client: connect to %s: the client is closed", address)
	}
	known := slices.IndexFunc(c.endpoints, func(e *endpoint) bool { return e.address == address })
	if known >= 0 {
		return c.endpoints[known], nil
	}
	conn, err := grpc.NewClient("passthrough:///"+address, c.dialOptions(secure)...)
	if err != nil {
		return nil, fmt.Errorf("client: connect to %s: %w", address, err)
	}
	e := &endpoint{address: address, conn: conn}
	c.endpoints = append(c.endpoints, e)
	return e, nil
}

func (c *Client) dialOptions(secure bool) []grpc.DialOption {
	transport := insecure.NewCredentials()
	if secure || c.opts.TLS != nil {
		transport = credentials.NewTLS(c.opts.TLS)
	}
	reconnect := backoff.Config{BaseDelay: firstReconnect, Multiplier: 1.6, Jitter: 0.2, MaxDelay: lastReconnect}
	return append([]grpc.DialOption{
		grpc.WithTransportCredentials(transport),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: reconnect, MinConnectTimeout: c.opts.DialTimeout}),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: keepaliveInterval, Timeout: keepaliveTimeout}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(math.MaxInt32), grpc.MaxCallSendMsgSize(math.MaxInt32)),
		grpc.WithStatsHandler(traceHandler{}),
		grpc.WithDisableServiceConfig(),
	}, c.opts.DialOptions...)
}

// endpoint is the one to use next.
func (c *Client) endpoint() *endpoint {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.preferred
}

// Endpoints lists the addresses that the client knows, the one it prefers first.
func (c *Client) Endpoints() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	addresses := []string{c.preferred.address}
	for _, e := range c.endpoints {
		if e != c.preferred {
			addresses = append(addresses, e.address)
		}
	}
	return addresses
}

// prefer makes an endpoint the one to use.
func (c *Client) prefer(e *endpoint, why string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.preferred != e {
		c.opts.Logger.Info("using another endpoint", "endpoint", e.address, "instead_of", c.preferred.address, "why", why)
		c.preferred = e
	}
}

// leave draws the consequences of a failed attempt at an endpoint: if that is still
// the preferred one, the leader takes its place, or else the next in the row. It
// tells whether the server has named another one.
func (c *Client) leave(at *endpoint, v verdict) (toLeader bool) {
	if hint := v.info.LeaderEndpoint; hint != "" {
		if e, err := c.endpointFor(hint); err == nil && e != at {
			c.prefer(e, "it leads, says "+at.address)
			return true
		}
	}
	switch v.code {
	case codes.Unavailable, codes.DeadlineExceeded, codes.Unknown, codes.Internal:
		c.next(at)
	}
	return false
}

// next prefers the endpoint after one that failed, unless another was chosen since.
func (c *Client) next(failed *endpoint) {
	c.mu.Lock()
	following := c.endpoints[(slices.Index(c.endpoints, failed)+1)%len(c.endpoints)]
	current := c.preferred
	c.mu.Unlock()
	if current == failed && following != failed {
		c.prefer(following, "the attempt failed at "+failed.address)
	}
	c.leader.expire()
}
