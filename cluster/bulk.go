package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"castaway/actors"
	"castaway/cluster/config"
	"castaway/cluster/member"
	"castaway/cluster/remoting"
	"castaway/persistence"
	"castaway/raft"
)

// startSnapshots opens the snapshot files. It has no stop.
func (n *Node) startSnapshots() (stopFunc, error) {
	snapshots, err := persistence.OpenSnapshots(persistence.SnapshotOptions{
		Dir: n.cfg.DataDir, ClusterID: n.cluster, HardFloorBytes: uint64(n.cfg.DiskFloorBytes),
	})
	if err != nil {
		return nil, err
	}
	n.snapshots = snapshots
	return func(context.Context) error { return nil }, nil
}

// startBulk starts the second remoting, in an actor system of its own: what is large
// travels there, and no heartbeat waits behind it. The others learn its address when
// they offer a snapshot.
func (n *Node) startBulk() (stopFunc, error) {
	if strings.HasSuffix(n.cfg.AdvertisePeer, ":0") {
		return func(context.Context) error { return nil }, nil // nobody will ever come
	}
	listen, advertised, err := bulkAddresses(&n.cfg.Config)
	if err != nil {
		return nil, err
	}
	cfg, err := wireConfig(n.origin, &n.cfg.Config)
	if err != nil {
		return nil, err
	}
	cfg.Logger = n.cfg.Logger.With("network", "bulk")
	cfg.Peers = map[raft.NodeID]string{raft.NodeID(n.cfg.ID): advertised}
	cfg.Listen, cfg.Address = listen, bulkAddress
	system := newSystem(n.log)
	bulk, err := remoting.Start(system, cfg)
	if err != nil {
		system.Shutdown()
		if errors.Is(err, remoting.ErrListen) {
			return nil, fmt.Errorf("%w (listen-bulk): %w", ErrListen, err)
		}
		return nil, err
	}
	n.bulk = bulk
	n.bulkContext = member.Info{Peer: n.cfg.AdvertisePeer, Bulk: advertised}.Encode()
	return func(ctx context.Context) error {
		defer system.Shutdown()
		return bulk.Stop(ctx)
	}, nil
}

// bulkAddress finds a member's second address.
func bulkAddress(about []byte) string {
	i, err := member.Decode(about)
	if err != nil {
		return ""
	}
	return i.Bulk
}

// bulkAddresses are where to listen, and what the others are told: the host that they
// know, with the port.
func bulkAddresses(c *config.Config) (listen, advertised string, err error) {
	if listen = c.ListenBulk; listen == "" {
		host, _, err := net.SplitHostPort(c.ListenPeer)
		if err != nil {
			return "", "", fmt.Errorf("%w: listen-peer: %w", config.ErrInvalid, err)
		}
		listen = net.JoinHostPort(host, "0")
	}
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "", "", fmt.Errorf("%w: listen-bulk: %w", config.ErrInvalid, err)
	}
	if port == "0" {
		if port, err = freePort(host); err != nil {
			return "", "", fmt.Errorf("%w (listen-bulk)", err)
		}
	}
	known, _, err := net.SplitHostPort(c.AdvertisePeer)
	if err != nil {
		return "", "", fmt.Errorf("%w: advertise-peer: %w", config.ErrInvalid, err)
	}
	return net.JoinHostPort(host, port), net.JoinHostPort(known, port), nil
}

// carriage translates the configuration's keys about snapshots on their way.
func (n *Node) carriage(cfg *actors.HostConfig) {
	cfg.Snapshots = n.snapshots
	if n.bulk != nil {
		cfg.Bulk, cfg.BulkContext = n.bulk, n.bulkContext
	}
	cfg.Transfer = actors.TransferLimits{
		ChunkBytes:     int(n.cfg.SnapshotChunkBytes),
		WindowBytes:    int(n.cfg.SnapshotWindowBytes),
		BytesPerSecond: int64(n.cfg.SnapshotBytesPerSecond),
		MaxConcurrent:  n.cfg.MaxConcurrentSnapshots,
		PublishTicks:   n.cfg.SnapshotPublishTicks,
	}
}
