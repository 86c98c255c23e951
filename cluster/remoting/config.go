package remoting

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"time"

	"castaway/messages"
	"castaway/raft"
)

// Errors of Start.
var (
	// ErrConfig means that the configuration can't be; the error names the field.
	ErrConfig = errors.New("remoting: invalid configuration")
	// ErrInsecure means that plaintext would leave this machine.
	ErrInsecure = errors.New("remoting: plaintext beyond loopback")
	// ErrListen means that the address could not be listened on.
	ErrListen = errors.New("remoting: cannot listen")
)

// Config is what a node's remoting is told. ID and Peers have no default; start
// from DefaultConfig.
type Config struct {
	ID raft.NodeID
	// ClusterID is the cluster's: a node that Peers and Update do not name must be of
	// the same one.
	ClusterID uint64
	// Peers holds the one address of every member, this node's included, until
	// Update says otherwise. It is compared as text, so it must be the same string on
	// every node.
	Peers map[raft.NodeID]string
	// Address finds a member's address in what Update says of it; empty if it is not
	// there. It is the peer address of a member.Info if nil.
	Address func(context []byte) string
	// Advertise, if given, is what this node believes its address to be; it must
	// be the one in Peers.
	Advertise string
	// Listen is where to listen; the node's address in Peers if empty. Its port may
	// differ where something forwards.
	Listen string
	// TLS protects the connections, and makes sure who speaks; nil is plaintext.
	TLS *TLS
	// InsecureNetwork allows plaintext beyond loopback: whoever reaches the port
	// can then act as any node.
	InsecureNetwork bool
	Logger          *slog.Logger // slog.Default if nil

	Limits Limits
}

// Limits bounds what peers can do to a node, and how long it waits for them.
type Limits struct {
	// DialTimeout bounds one attempt to connect; DialPause lies between two.
	DialTimeout time.Duration
	DialPause   time.Duration
	// ConnectTimeout bounds the handshakes of a connection that stands.
	ConnectTimeout time.Duration
	// SendTimeout is how long a peer may take no bytes before its connection is
	// dropped.
	SendTimeout time.Duration
	// MaxAge is how old a message may be when it leaves; older ones are dropped.
	// Like SendTimeout, it is about an election timeout.
	MaxAge time.Duration
	// BatchMessages and BatchBytes bound what goes in one gRPC message; a larger
	// envelope goes alone.
	BatchMessages int
	BatchBytes    int
	// MaxStreams bounds the streams that are open to this node.
	MaxStreams int
	// MaxStrangers bounds the nodes that are let in without having been named.
	MaxStrangers int
}

// DefaultConfig has everything but ID and Peers.
func DefaultConfig() Config {
	return Config{Limits: Limits{
		DialTimeout:    300 * time.Millisecond,
		DialPause:      50 * time.Millisecond,
		ConnectTimeout: 2 * time.Second,
		SendTimeout:    time.Second,
		MaxAge:         time.Second,
		BatchMessages:  64,
		BatchBytes:     256 << 10,
		MaxStreams:     256,
		MaxStrangers:   16,
	}}
}

// queueMessages is the room that protoactor allocates for a peer's queue; it grows
// beyond.
const queueMessages = 1024

// maxReceiveBytes bounds a gRPC message that comes in: a batch, or one largest
// envelope, and what is around it.
func (l *Limits) maxReceiveBytes() int {
	return max(l.BatchBytes, messages.MaxEnvelopeBytes) + l.BatchMessages*64 + 64<<10
}

func (l *Limits) validate() error {
	for _, d := range []struct {
		name  string
		value time.Duration
	}{
		{"DialTimeout", l.DialTimeout}, {"DialPause", l.DialPause}, {"ConnectTimeout", l.ConnectTimeout},
		{"SendTimeout", l.SendTimeout}, {"MaxAge", l.MaxAge},
	} {
		if d.value <= 0 {
			return invalid("Limits."+d.name, d.value, "must be more than 0; start from DefaultConfig")
		}
	}
	for _, n := range []struct {
		name       string
		value, top int
	}{
		{"BatchMessages", l.BatchMessages, 1024}, {"BatchBytes", l.BatchBytes, 64 << 20}, {"MaxStreams", l.MaxStreams, 1 << 20},
		{"MaxStrangers", l.MaxStrangers, 1 << 10},
	} {
		if n.value < 1 || n.value > n.top {
			return invalid("Limits."+n.name, n.value, fmt.Sprintf("must be between 1 and %d; start from DefaultConfig", n.top))
		}
	}
	return nil
}

func invalid(field string, value any, advice string) error {
	return fmt.Errorf("%w: %s is %v, and %s", ErrConfig, field, value, advice)
}

func (c *Config) complete() error {
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Address == nil {
		c.Address = peerAddress
	}
	if c.ID == raft.None {
		return invalid("ID", c.ID, "node ids start at 1")
	}
	if err := c.checkAddresses(); err != nil {
		return err
	}
	if c.Listen == "" {
		c.Listen = c.Peers[c.ID]
	}
	if err := checkAddress("Listen", c.Listen); err != nil {
		return err
	}
	if err := c.checkPlaintext(); err != nil {
		return err
	}
	return c.Limits.validate()
}

// checkAddresses makes sure that every node has one address, and that this node
// calls itself as its peers call it. A message to a node under another name than
// its own would circle in it for ever.
func (c *Config) checkAddresses() error {
	own, ok := c.Peers[c.ID]
	if !ok {
		return invalid("Peers", c.Peers, fmt.Sprintf("must name this node, %d, too", c.ID))
	}
	owner := make(map[string]raft.NodeID)
	for id, address := range c.Peers {
		if err := checkAddress(fmt.Sprintf("Peers[%d]", id), address); err != nil {
			return err
		}
		if ip, err := netip.ParseAddr(host(address)); err == nil && ip.IsUnspecified() {
			return invalid(fmt.Sprintf("Peers[%d]", id), address, "must be an address that others can reach; a wildcard belongs in Listen")
		}
		if other, taken := owner[address]; taken {
			return invalid(fmt.Sprintf("Peers[%d]", id), address, fmt.Sprintf("is node %d's already; each node needs its own", other))
		}
		owner[address] = id
	}
	if c.Advertise != "" && c.Advertise != own {
		return invalid("Advertise", c.Advertise, fmt.Sprintf(
			"the peers know node %d as %s; the same string has to stand everywhere, so advertise %s, or write %s for node %d in every node's list of peers",
			c.ID, own, own, c.Advertise, c.ID))
	}
	return nil
}

func checkAddress(field, address string) error {
	h, port, err := net.SplitHostPort(address)
	if err != nil || h == "" {
		return invalid(field, strconv.Quote(address), "must be host:port, like 10.0.0.1:2380")
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return invalid(field, strconv.Quote(address), "must have a port from 1 to 65535")
	}
	return nil
}

func host(address string) string {
	h, _, _ := net.SplitHostPort(address)
	return h
}

// checkPlaintext keeps plaintext on this machine, unless told otherwise.
func (c *Config) checkPlaintext() error {
	if c.TLS != nil || c.InsecureNetwork || onLoopback(host(c.Listen)) {
		return nil
	}
	return fmt.Errorf("%w: Listen is %s, and there is no TLS: whoever reaches this port can act as any node, and read, change or destroy all data; "+
		"give certificates (TLS), listen on loopback, or accept the risk with InsecureNetwork", ErrInsecure, c.Listen)
}

func onLoopback(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.IsLoopback()
	}
	ips, err := net.LookupIP(host)
	for _, ip := range ips {
		if !ip.IsLoopback() {
			return false
		}
	}
	return err == nil && len(ips) > 0
}
