package config

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"time"

	"castaway/actors"
	"castaway/messages"
	"castaway/persistence"
	"castaway/raft"
)

// Bounds of what a node can be told.
const (
	minTick         = time.Millisecond
	maxTick         = time.Second
	maxPeers        = 15
	maxMessageBytes = 1 * MiB                       // several of them must fit into one batch of the remoting
	maxEntryBytes   = Bytes(messages.MaxEntryBytes) // one must fit into an envelope, and into a transaction of the store
)

// What the actors ask of the limits that a node can be told.
var (
	batchBytes      = Bytes(actors.DefaultLimits().MaxBatchBytes)         // what is proposed at once
	commandOverhead = Bytes(raft.Entry{}.Size() + raft.SessionOpOverhead) // what a command counts beside its bytes, in a session
)

// Validate says all that is wrong with c, or nil.
func (c *Config) Validate() error {
	if problems := c.check(nil); len(problems) > 0 {
		return problems
	}
	return nil
}

// checker collects problems; origins may be nil.
type checker struct {
	c        *Config
	origins  map[string]Origin
	problems Problems
}

func (c *Config) check(origins map[string]Origin) Problems {
	k := &checker{c: c, origins: origins}
	k.identity()
	k.addresses()
	k.network()
	k.times()
	k.limits()
	k.snapshots()
	k.sessions()
	k.oneOf("machine", c.Machine, "memory", "disk")
	k.oneOf("log-level", c.LogLevel, "debug", "info", "warn", "error")
	k.oneOf("log-format", c.LogFormat, "text", "json")
	return k.problems
}

// report notes a problem; every key that it can be called with exists.
func (k *checker) report(key, what, fix string) {
	value := ""
	for _, known := range Keys() {
		if known.Name == key {
			value = text(known.field(k.c))
		}
	}
	k.problems = append(k.problems, Problem{Key: key, Origin: k.origins[key], Value: value, What: what, Fix: fix})
}

func (k *checker) require(ok bool, key, what, fix string) {
	if !ok {
		k.report(key, what, fix)
	}
}

func (k *checker) oneOf(key, value string, allowed ...string) {
	k.require(slices.Contains(allowed, value), key, "is not one of the possible values", fmt.Sprintf("use one of %v", allowed))
}

func (k *checker) identity() {
	c := k.c
	k.require(c.ID > 0, "id", "is not a node's id", "use a number from 1")
	k.require(c.DataDir != "", "data-dir", "is empty", "name a directory that only this node uses")
	k.require(c.ClusterName != "", "cluster-name", "is empty", "give the same name on every node")
	seenID, seenAddress := map[uint64]bool{}, map[string]bool{}
	for _, p := range c.Peers {
		k.require(p.ID > 0, "peers", "has a member with id 0", "number them from 1")
		k.require(!seenID[p.ID], "peers", fmt.Sprintf("has the id %d twice", p.ID), "give each member its own id")
		k.require(!seenAddress[p.Address], "peers", fmt.Sprintf("has the address %s twice", p.Address), "give each member its own address")
		seenID[p.ID], seenAddress[p.Address] = true, true
		k.address("peers", p.Address, len(c.Peers) == 1)
		if p.Client != "" {
			k.address("peers", p.Client, len(c.Peers) == 1)
		}
	}
	k.join()
	k.require(len(c.Peers) <= maxPeers, "peers", fmt.Sprintf("has %d members", len(c.Peers)), fmt.Sprintf("use at most %d; five survive two failures", maxPeers))
}

// join is instead of peers, and the cluster knows the node's port.
func (k *checker) join() {
	c := k.c
	if c.Join == "" {
		return
	}
	k.require(len(c.Peers) == 1 && c.Peers[0].ID == c.ID, "peers", "is given together with join", "founding members have peers; a node that was added to them later has join, and learns the members from the cluster")
	for _, e := range c.JoinEndpoints() {
		k.address("join", e, false)
	}
	k.address("advertise-peer", c.AdvertisePeer, false)
}

func (k *checker) addresses() {
	c := k.c
	for _, a := range []struct{ key, value string }{
		{"listen-peer", c.ListenPeer}, {"listen-client", c.ListenClient}, {"listen-http", c.ListenHTTP},
		{"advertise-peer", c.AdvertisePeer}, {"advertise-client", c.AdvertiseClient},
	} {
		k.address(a.key, a.value, true)
	}
	if c.ListenBulk != "" {
		k.address("listen-bulk", c.ListenBulk, true)
	}
	self, listed := c.Peer(c.ID)
	if !listed {
		k.report("peers", fmt.Sprintf("does not hold this node's id %d", c.ID), "add it, or change id")
		return
	}
	// A peer that is addressed by another string than the one it advertises makes
	// messages loop between the two.
	k.require(self.Address == c.AdvertisePeer, "advertise-peer",
		fmt.Sprintf("differs from this node's address in peers, %s", self.Address), "leave it out, or make them equal, letter by letter")
}

func (k *checker) address(key, value string, zeroPort bool) {
	host, port, err := net.SplitHostPort(value)
	if err != nil || host == "" {
		k.report(key, fmt.Sprintf("holds %q, which is not host:port", value), "write it like 127.0.0.1:2379 or [::1]:2379")
		return
	}
	n, err := strconv.ParseUint(port, 10, 16)
	k.require(err == nil, key, fmt.Sprintf("holds %q, whose port is not a number up to 65535", value), "use a port number")
	k.require(err != nil || n != 0 || zeroPort, key, fmt.Sprintf("holds %q, whose port is 0", value), "the others must know the port: choose one")
}

// network refuses plaintext beyond loopback. An advertised address is not looked
// at: only who listens can be reached.
func (k *checker) network() {
	c := k.c
	given := 0
	for _, path := range []string{c.PeerTLSCert, c.PeerTLSKey, c.PeerTLSCA} {
		if path != "" {
			given++
		}
	}
	k.require(given == 0 || given == 3, "peer-tls-cert", "is given without peer-tls-key and peer-tls-ca, or they without it", "give all three, or none")
	if c.InsecureNetwork {
		return
	}
	const plain = "would let anyone on the network in, without encryption or password"
	if !c.PeerTLS() {
		k.require(IsLoopback(c.ListenPeer), "listen-peer", plain, "give peer-tls-cert, peer-tls-key and peer-tls-ca, listen on 127.0.0.1, or accept the risk with insecure-network")
	}
	if !c.PeerTLS() && c.ListenBulk != "" {
		k.require(IsLoopback(c.ListenBulk), "listen-bulk", plain, "give peer-tls-cert, peer-tls-key and peer-tls-ca, listen on 127.0.0.1, or accept the risk with insecure-network")
	}
	k.require(IsLoopback(c.ListenClient), "listen-client", plain, "listen on 127.0.0.1, or accept the risk with insecure-network")
	k.require(IsLoopback(c.ListenHTTP), "listen-http", plain, "listen on 127.0.0.1, or accept the risk with insecure-network")
}

// IsLoopback says whether only this machine can reach the address. A name other
// than localhost is taken to be reachable by others.
func IsLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

func (k *checker) times() {
	c := k.c
	k.require(c.TickInterval >= minTick && c.TickInterval <= maxTick, "tick-interval", "is out of bounds", fmt.Sprintf("use %v to %v", minTick, maxTick))
	k.require(c.HeartbeatTicks >= 1, "heartbeat-ticks", "is too few", "use at least 1")
	k.require(c.ElectionTicks >= 3*c.HeartbeatTicks, "election-ticks", fmt.Sprintf("is less than three times heartbeat-ticks (%d)", c.HeartbeatTicks), "a lost heartbeat would start an election: use more")
	k.require(c.StallTicks == 0 || c.StallTicks >= c.HeartbeatTicks, "stall-ticks", fmt.Sprintf("is less than heartbeat-ticks (%d)", c.HeartbeatTicks), "a slow write would cost leadership: use more, or 0 for twice election-ticks")
	k.require(c.CatchUpTicks >= c.ElectionTicks, "catch-up-ticks", fmt.Sprintf("is less than election-ticks (%d)", c.ElectionTicks), "a new member could not even be started: use more")
	k.require(c.MaxClockDriftPercent >= 1 && c.MaxClockDriftPercent <= 50, "max-clock-drift-percent", "is out of bounds", "use 1 to 50")
	k.require(c.ShutdownTimeout > 0, "shutdown-timeout", "leaves no time", "use some seconds")
}

func (k *checker) limits() {
	c := k.c
	k.require(c.MaxEntryBytes >= 1*KiB && c.MaxEntryBytes <= maxEntryBytes, "max-entry-bytes", "is out of bounds", fmt.Sprintf("use 1KiB to %v", maxEntryBytes))
	k.require(c.MaxMessageBytes >= 1*KiB && c.MaxMessageBytes <= maxMessageBytes, "max-message-bytes", "is out of bounds", fmt.Sprintf("use 1KiB to %v", maxMessageBytes))
	k.require(c.MaxInflightMessages >= 1, "max-inflight-messages", "is too few", "use at least 1")
	k.require(c.MaxInflightBytes >= c.MaxMessageBytes, "max-inflight-bytes", fmt.Sprintf("is less than max-message-bytes (%v)", c.MaxMessageBytes), "use at least that")
	largest := c.MaxEntryBytes + commandOverhead
	k.require(c.MaxUncommittedBytes >= largest+batchBytes, "max-uncommitted-bytes", fmt.Sprintf("leaves no room for a batch (%v) and an entry of max-entry-bytes (%v)", batchBytes, c.MaxEntryBytes), fmt.Sprintf("use at least %v", largest+batchBytes))
	k.require(c.MaxQueuedCommands >= 1, "max-queued-commands", "is too few", "use at least 1")
	k.require(c.MaxQueuedBytes >= largest, "max-queued-bytes", fmt.Sprintf("leaves no room for an entry of max-entry-bytes (%v)", c.MaxEntryBytes), fmt.Sprintf("use at least %v", largest))
	k.require(c.MaxQueuedReads >= 1, "max-queued-reads", "is too few", "use at least 1")
	k.require(c.MaxQueueWait > 0, "max-queue-wait", "is no time", "use about the time that clients are ready to wait, less what a request takes")
	k.require(c.MaxRequests >= 1, "max-requests", "is too few", "use at least 1")
	k.require(c.MaxRequestsBytes >= c.MaxEntryBytes, "max-requests-bytes", "is less than max-entry-bytes", "leave room for the largest request")
	k.require(c.MaxAnswersBytes >= MiB, "max-answers-bytes", "is too few", "use at least 1MiB")
	store := persistence.DefaultOptions(c.DataDir)
	floor := Bytes(store.LeastHardFloorBytes())
	k.require(c.DiskFloorBytes >= floor, "disk-floor-bytes", "leaves the store no room for its own housekeeping", fmt.Sprintf("use at least %v", floor))
	k.require(c.DiskReserveBytes >= c.DiskFloorBytes, "disk-reserve-bytes", fmt.Sprintf("is less than disk-floor-bytes (%v)", c.DiskFloorBytes), "use at least that")
	k.require(c.CacheBytes >= c.MaxMessageBytes, "cache-bytes", fmt.Sprintf("is less than max-message-bytes (%v)", c.MaxMessageBytes), "use at least that")
}

// snapshots checks what is about snapshots and their way.
func (k *checker) snapshots() {
	c := k.c
	k.require(c.SnapshotEntries >= 10, "snapshot-entries", "would take snapshots all the time", "use at least 10")
	k.require(c.SnapshotBytes >= 64*KiB, "snapshot-bytes", "would take snapshots all the time", "use at least 64KiB")
	k.require(c.TrailingEntries >= 0, "trailing-entries", "is negative", "use at least 0")
	k.require(c.SnapshotChunkBytes >= 1*KiB && c.SnapshotChunkBytes <= 1*MiB, "snapshot-chunk-bytes", "is out of bounds", "use 1KiB to 1MiB")
	k.require(c.SnapshotWindowBytes >= c.SnapshotChunkBytes, "snapshot-window-bytes", fmt.Sprintf("is less than snapshot-chunk-bytes (%v)", c.SnapshotChunkBytes), "use at least that")
	k.require(c.SnapshotWindowBytes <= 64*MiB, "snapshot-window-bytes", "is more than a connection carries at once", "use at most 64MiB")
	k.require(c.MaxConcurrentSnapshots >= 1, "max-concurrent-snapshots", "is too few", "use at least 1")
	k.require(c.SnapshotPublishTicks >= c.ElectionTicks, "snapshot-publish-ticks", fmt.Sprintf("is less than election-ticks (%d)", c.ElectionTicks), "use at least that; a minute's ticks for every few gigabytes of state")
}

// advice is about what is valid and probably not meant.
func (c *Config) advice() []string {
	var warnings []string
	if n := len(c.Peers); n > 1 && n%2 == 0 {
		warnings = append(warnings, fmt.Sprintf("%d members survive no more failures than %d would; use an odd number", n, n-1))
	}
	if c.InsecureNetwork {
		warnings = append(warnings, "insecure-network is set: whoever reaches this node's ports can read and write everything")
	}
	return warnings
}
