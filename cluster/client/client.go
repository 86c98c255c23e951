package client

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
)

// Defaults of Options.
const (
	DefaultDialTimeout    = 2 * time.Second
	DefaultRequestTimeout = 10 * time.Second
	DefaultLeaderInterval = 5 * time.Second
)

// Options is what a client is told. Endpoints is required; whatever else is zero has
// a default.
type Options struct {
	// Endpoints are addresses of members' doors: host:port, or URLs with http or
	// https. One that answers is enough.
	Endpoints []string
	// DialTimeout bounds one attempt to connect.
	DialTimeout time.Duration
	// RequestTimeout bounds a request whose context has no deadline.
	RequestTimeout time.Duration
	// LeaderInterval is how often, while there are requests, the client looks who
	// leads. Negative is never: then it stays with the first endpoint that works.
	LeaderInterval time.Duration
	// Retry says how failed attempts are repeated.
	Retry RetryPolicy
	// NoSession makes writes without a session: one that may have been done is then not
	// tried again.
	NoSession bool
	// TLS is used for endpoints with https, and for all of them if it is set.
	TLS *tls.Config
	// DialOptions are added to the client's own for every connection.
	DialOptions []grpc.DialOption
	// Logger is told of changes of endpoint. Nil is silent.
	Logger *slog.Logger
}

// ErrOptions is in every error about Options; the text names the field.
var ErrOptions = errors.New("client: invalid options")

func (o *Options) complete() error {
	if len(o.Endpoints) == 0 {
		return fmt.Errorf("%w: Endpoints is empty, but must name at least one member's client address", ErrOptions)
	}
	for _, endpoint := range o.Endpoints {
		if _, _, err := parseEndpoint(endpoint); err != nil {
			return fmt.Errorf("%w: Endpoints: %w", ErrOptions, err)
		}
	}
	if o.DialTimeout < 0 || o.RequestTimeout < 0 {
		return fmt.Errorf("%w: DialTimeout is %v and RequestTimeout %v, but neither must be negative", ErrOptions, o.DialTimeout, o.RequestTimeout)
	}
	setDefault(&o.DialTimeout, DefaultDialTimeout)
	setDefault(&o.RequestTimeout, DefaultRequestTimeout)
	setDefault(&o.LeaderInterval, DefaultLeaderInterval)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o.Retry.complete()
}

func setDefault[T comparable](field *T, preset T) {
	var zero T
	if *field == zero {
		*field = preset
	}
}

// parseEndpoint gives the address of an endpoint, and whether it says to use TLS.
func parseEndpoint(endpoint string) (address string, secure bool, err error) {
	scheme, rest, found := strings.Cut(endpoint, "://")
	switch {
	case !found:
		address = endpoint
	case scheme == "http":
		address = rest
	case scheme == "https":
		address, secure = rest, true
	default:
		return "", false, fmt.Errorf("%q has the scheme %s, but must have http, https or none", endpoint, scheme)
	}
	address = strings.TrimSuffix(address, "/")
	if i := strings.LastIndexByte(address, ':'); i < 0 || i == len(address)-1 {
		return "", false, fmt.Errorf("%q has no port; write host:port", endpoint)
	}
	return address, secure, nil
}

// Client talks to a cluster. It is safe for concurrent use, and one is enough for a
// process: requests share its connections.
type Client struct {
	opts   Options
	random func() float64 // in [0, 1), for jitter

	mu        sync.Mutex
	endpoints []*endpoint // the configured ones first, then members that were found
	preferred *endpoint
	closed    bool

	leader   leaderSearch
	sessions sessionKeeper
}

// New makes a client. It connects with the first request.
func New(opts Options) (*Client, error) {
	opts.Endpoints = slices.Clone(opts.Endpoints)
	if err := opts.complete(); err != nil {
		return nil, err
	}
	c := &Client{opts: opts, random: rand.Float64}
	c.sessions.none = opts.NoSession
	for _, e := range opts.Endpoints {
		if _, err := c.endpointFor(e); err != nil {
			return nil, errors.Join(err, c.Close())
		}
	}
	c.preferred = c.endpoints[0]
	return c, nil
}

// Close ends the session and the connections. Requests under way fail: writes as indeterminate.
func (c *Client) Close() error {
	c.sessions.close(c)
	c.mu.Lock()
	c.closed = true
	endpoints := c.endpoints
	c.mu.Unlock()
	c.leader.wait()
	var errs []error
	for _, e := range endpoints {
		errs = append(errs, e.conn.Close())
	}
	return errors.Join(errs...)
}
