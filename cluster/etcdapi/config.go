package etcdapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"castaway/actors"
	"castaway/cluster/kv"
)

// Group is what the door needs of a group of servers; *actors.Group is one.
type Group interface {
	Propose(ctx context.Context, command []byte) (actors.Result, error)
	ReadWith(ctx context.Context, query any, o actors.ReadOptions) (any, error)
	Status(ctx context.Context) (actors.Status, error)
}

var _ Group = (*actors.Group)(nil)

// Member is a member of the cluster, as MemberList tells it.
type Member struct {
	ID         uint64
	Name       string
	PeerURLs   []string
	ClientURLs []string
	IsLearner  bool
}

// Defaults of Config.
const (
	// DefaultVersion is the etcd whose API this is.
	DefaultVersion = "3.7.3"

	DefaultMaxRequestBytes      = 3 << 19 // 1.5 MiB, as in etcd
	DefaultMaxConcurrentStreams = 1 << 10
	DefaultMaxRequests          = 1 << 12
	DefaultMaxQueueWait         = time.Second
	DefaultMaxRequestsBytes     = 128 << 20
	DefaultMaxAnswersBytes      = 256 << 20
	DefaultRequestTimeout       = 7 * time.Second
	DefaultStatusTimeout        = time.Second
	DefaultKeepaliveMinTime     = 5 * time.Second
	DefaultKeepaliveInterval    = time.Minute
	DefaultKeepaliveTimeout     = 20 * time.Second
)

// envelopeBytes is what a message may be larger than the request in it.
const envelopeBytes = 512 << 10

// Config is what a door is told about its world. Group is required; whatever else is
// zero has a default.
type Config struct {
	Group     Group
	ClusterID uint64
	MemberID  uint64
	// Members lists the cluster's members. Nil lists none.
	Members func() []Member
	// Version is the version of etcd whose API this is, for clients that look.
	Version string
	// Size gives the bytes that the member's data has on disk. Without it, Status
	// tells the size in memory.
	Size func() int64

	// MaxRequestBytes bounds a write. A larger one is refused.
	MaxRequestBytes int
	// MaxTxnOperations bounds the compares and the operations on each side of a
	// transaction; it is at most kv.MaxTxnOperations.
	MaxTxnOperations int
	// MaxConcurrentStreams bounds the requests at a time of one connection.
	MaxConcurrentStreams uint32
	// MaxRequests bounds the requests of all clients that are under way, to the
	// service KV, and MaxRequestsBytes their bytes.
	MaxRequests      int
	MaxRequestsBytes int64
	// MaxAnswersBytes bounds the answers that clients have not taken from their
	// connections yet; one client may have a quarter of it. Reads are refused beyond.
	MaxAnswersBytes int64
	// MaxQueueWait is how long a request may wait before anything is done for it, for
	// want of CPU.
	MaxQueueWait time.Duration
	// RequestTimeout bounds a request whose client has set no deadline.
	RequestTimeout time.Duration
	// StatusTimeout bounds how long Status waits for a server that does not answer.
	StatusTimeout time.Duration
	// KeepaliveMinTime is how often a client may ping before it is cut off.
	KeepaliveMinTime time.Duration
	// KeepaliveInterval and KeepaliveTimeout say after how much silence a client is
	// pinged, and how much more is taken for its death.
	KeepaliveInterval time.Duration
	KeepaliveTimeout  time.Duration

	Logger *slog.Logger
}

// ErrConfig is in every error about a Config; the text names the field.
var ErrConfig = errors.New("etcdapi: invalid configuration")

func (c *Config) complete() {
	setDefault(&c.Members, c.Members == nil, func() []Member { return nil })
	setDefault(&c.Version, c.Version == "", DefaultVersion)
	setDefault(&c.MaxRequestBytes, c.MaxRequestBytes == 0, DefaultMaxRequestBytes)
	setDefault(&c.MaxTxnOperations, c.MaxTxnOperations == 0, kv.DefaultMaxTxnOperations)
	setDefault(&c.MaxConcurrentStreams, c.MaxConcurrentStreams == 0, DefaultMaxConcurrentStreams)
	setDefault(&c.MaxRequests, c.MaxRequests == 0, DefaultMaxRequests)
	setDefault(&c.MaxRequestsBytes, c.MaxRequestsBytes == 0, DefaultMaxRequestsBytes)
	setDefault(&c.MaxAnswersBytes, c.MaxAnswersBytes == 0, DefaultMaxAnswersBytes)
	setDefault(&c.MaxQueueWait, c.MaxQueueWait == 0, DefaultMaxQueueWait)
	setDefault(&c.RequestTimeout, c.RequestTimeout == 0, DefaultRequestTimeout)
	setDefault(&c.StatusTimeout, c.StatusTimeout == 0, DefaultStatusTimeout)
	setDefault(&c.KeepaliveMinTime, c.KeepaliveMinTime == 0, DefaultKeepaliveMinTime)
	setDefault(&c.KeepaliveInterval, c.KeepaliveInterval == 0, DefaultKeepaliveInterval)
	setDefault(&c.KeepaliveTimeout, c.KeepaliveTimeout == 0, DefaultKeepaliveTimeout)
	setDefault(&c.Logger, c.Logger == nil, slog.Default())
}

func setDefault[T any](field *T, missing bool, preset T) {
	if missing {
		*field = preset
	}
}

// Validate says what is wrong with a Config, after its defaults are filled in.
func (c Config) Validate() error {
	c.complete()
	if c.Group == nil {
		return fmt.Errorf("%w: Group is nil, but must be a group to serve", ErrConfig)
	}
	if c.MaxRequestBytes < 1 {
		return fmt.Errorf("%w: MaxRequestBytes is %d, but must be at least 1", ErrConfig, c.MaxRequestBytes)
	}
	if c.MaxTxnOperations < 1 || c.MaxTxnOperations > kv.MaxTxnOperations {
		return fmt.Errorf("%w: MaxTxnOperations is %d, but must be from 1 to %d", ErrConfig, c.MaxTxnOperations, kv.MaxTxnOperations)
	}
	for field, value := range map[string]int64{
		"MaxRequests": int64(c.MaxRequests), "MaxRequestsBytes": c.MaxRequestsBytes, "MaxAnswersBytes": c.MaxAnswersBytes,
	} {
		if value < 1 {
			return fmt.Errorf("%w: %s is %d, but must be at least 1", ErrConfig, field, value)
		}
	}
	for field, value := range map[string]time.Duration{
		"RequestTimeout":    c.RequestTimeout,
		"MaxQueueWait":      c.MaxQueueWait,
		"StatusTimeout":     c.StatusTimeout,
		"KeepaliveMinTime":  c.KeepaliveMinTime,
		"KeepaliveInterval": c.KeepaliveInterval,
		"KeepaliveTimeout":  c.KeepaliveTimeout,
	} {
		if value <= 0 {
			return fmt.Errorf("%w: %s is %v, but must be more than 0", ErrConfig, field, value)
		}
	}
	return nil
}
