package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"castaway/actors"
	"castaway/cluster/config"
	"castaway/cluster/etcdapi"
	"castaway/cluster/httpapi"
	"castaway/messages"
	"castaway/persistence"
	"castaway/raft"
)

// Group is the one Raft group of a node: the key-value store.
const Group raft.GroupID = 1

type stopFunc = func(context.Context) error

// startListeners takes the doors' addresses first, since that is what fails most
// often, and costs nothing to give back.
func (n *Node) startListeners() (stopFunc, error) {
	var err error
	if n.client, err = listen("listen-client", n.cfg.ListenClient); err != nil {
		return nil, err
	}
	if n.http, err = listen("listen-http", n.cfg.ListenHTTP); err != nil {
		return nil, errors.Join(err, n.client.Close())
	}
	return func(context.Context) error { return errors.Join(closed(n.client), closed(n.http)) }, nil
}

// closed closes a listener that may be closed already, by the door on it.
func closed(l net.Listener) error {
	if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

func (n *Node) startStore() (stopFunc, error) {
	n.warnOfFewFiles()
	store, err := persistence.OpenBadger(StoreOptions(n.cluster, &n.cfg.Config, n.log))
	if err != nil {
		return nil, explain(err, n.cfg.DataDir)
	}
	n.store = meteredStore{store, n.meters}
	if n.cfg.wrapStore != nil {
		n.store = n.cfg.wrapStore(n.store)
	}
	return func(context.Context) error { return n.store.Close() }, nil
}

// frameBytes is what a log entry's frame may be larger than its command.
const frameBytes = 4 << 10

// StoreOptions translates the configuration's keys.
func StoreOptions(cluster uint64, c *config.Config, logger *slog.Logger) persistence.Options {
	o := persistence.DefaultOptions(c.DataDir)
	o.ClusterID, o.ServerID = cluster, raft.NodeID(c.ID)
	// What another node's clients may propose must be stored here, too, whatever this
	// node's own limit: nodes get a new one one after the other.
	o.MaxEntryBytes = messages.MaxEntryBytes + frameBytes
	o.ReserveBytes, o.HardFloorBytes = uint64(c.DiskReserveBytes), uint64(c.DiskFloorBytes)
	o.Logger = logger
	return o
}

// startSystem makes an actor system of our own: its PIDs live and die with the node.
func (n *Node) startSystem() (stopFunc, error) {
	n.system = newSystem(n.log)
	return func(context.Context) error { n.system.Shutdown(); return nil }, nil
}

func newSystem(log *slog.Logger) *actor.ActorSystem {
	logger := slog.New(demoted{log.Handler().WithAttrs([]slog.Attr{slog.String("library", "protoactor")})})
	return actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return logger }),
		// A dead letter, of which nothing is logged, keeps a goroutine for this long.
		actor.WithDeadLetterThrottleInterval(time.Millisecond),
	)
}

func (n *Node) startHost() (stopFunc, error) {
	cfg := actors.DefaultHostConfig()
	cfg.ClusterID, cfg.ID = n.cluster, raft.NodeID(n.cfg.ID)
	cfg.Store, cfg.Network, cfg.Logger = n.store, n.wire, n.cfg.Logger
	n.carriage(&cfg)
	cfg.Inject, cfg.OnRoundTrip = n.cfg.inject, n.meters.roundTrip
	cfg.OnFail = func(err error) {
		if errors.Is(err, actors.ErrRemoved) {
			err = n.removed(err)
		}
		n.fail(explain(err, n.cfg.DataDir))
	}
	host, err := actors.StartHost(n.system, cfg)
	if err != nil {
		return nil, err
	}
	n.host = host
	return n.host.Stop, nil
}

// startGroup only hands leadership over when it stops: the host stops its groups.
func (n *Node) startGroup() (stopFunc, error) {
	g := groupConfig(&n.cfg.Config, n.origin)
	var err error
	if g.Machine, err = n.machine(); err != nil {
		return nil, err
	}
	group, err := n.host.AddGroup(g)
	if err != nil {
		return nil, err
	}
	n.group = group
	cancels := []func(){group.Watch(n.meters.watch()), group.Watch(n.logEvent)}
	if n.cfg.Watch != nil {
		cancels = append(cancels, group.Watch(n.cfg.Watch))
	}
	return func(ctx context.Context) error {
		n.handOver(ctx)
		for _, cancel := range cancels {
			cancel()
		}
		return nil
	}, nil
}

// groupConfig translates the configuration's keys.
func groupConfig(c *config.Config, m Membership) actors.GroupConfig {
	g := actors.DefaultGroupConfig()
	g.Group, g.Join = Group, m.Joined
	if !m.Joined {
		g.Voters, g.Founders = m.voters(), m.founders()
	}
	g.TickInterval, g.ElectionTicks, g.HeartbeatTicks = c.TickInterval, c.ElectionTicks, c.HeartbeatTicks
	g.StallTicks, g.CatchUpTicks = c.StallTicks, c.CatchUpTicks
	g.LeaseReads, g.MaxClockDriftPercent = c.LeaseReads, c.MaxClockDriftPercent
	g.PatienceTicks = 2 * c.ElectionTicks // as long as an election may take to begin
	g.SnapshotEntries, g.SnapshotBytes, g.TrailingEntries = c.SnapshotEntries, int(c.SnapshotBytes), c.TrailingEntries
	g.PreVote, g.CheckQuorum = c.PreVote, c.CheckQuorum
	l := &g.Limits
	g.Sessions = actors.SessionLimits{
		Timeout:        c.Sessions.Timeout,
		MaxOutstanding: c.Sessions.MaxOutstanding, MaxSessionBytes: int(c.Sessions.MaxAnswerBytes),
		MaxSessions: c.Sessions.MaxCount, MaxAnswers: c.Sessions.MaxAnswers, MaxBytes: int(c.Sessions.MaxBytes),
	}
	// A command of a session has a little around it.
	l.MaxEntryBytes = min(int(c.MaxEntryBytes)+raft.SessionOpOverhead, messages.MaxEntryBytes)
	l.MaxMessageBytes = int(c.MaxMessageBytes)
	l.MaxInflightMessages, l.MaxInflightBytes = c.MaxInflightMessages, int(c.MaxInflightBytes)
	l.MaxUncommittedBytes, l.CacheBytes = int(c.MaxUncommittedBytes), int(c.CacheBytes)
	l.MaxQueuedCommands, l.MaxQueuedBytes, l.MaxQueuedReads = c.MaxQueuedCommands, int(c.MaxQueuedBytes), c.MaxQueuedReads
	l.MaxQueueWait = c.MaxQueueWait
	return g
}

func (n *Node) startClientDoor() (stopFunc, error) {
	cfg := etcdapi.Config{
		Group:           meteredGroup{n.group, n.meters},
		ClusterID:       n.cluster,
		MemberID:        n.cfg.ID,
		Members:         n.members,
		MaxRequestBytes: int(n.cfg.MaxEntryBytes),
		MaxQueueWait:    n.cfg.MaxQueueWait,
		MaxRequests:     n.cfg.MaxRequests, MaxRequestsBytes: int64(n.cfg.MaxRequestsBytes), MaxAnswersBytes: int64(n.cfg.MaxAnswersBytes),
		Logger: n.log,
	}
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	door := etcdapi.New(cfg)
	return n.serve(func() error { return door.Serve(n.client) }, door.Stop), nil
}

func (n *Node) startHTTPDoor() (stopFunc, error) {
	server := httpapi.NewServer(httpapi.NewHandler(n, n.log, n.meters.collectors()...), n.log)
	serve := func() error {
		if err := server.Serve(n.http); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	}
	return n.serve(serve, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, doorPatience)
		defer cancel()
		if err := server.Shutdown(ctx); err != nil {
			return server.Close()
		}
		return nil
	}), nil
}

// doorPatience is how long a door waits for requests under way before it cuts them
// off; the rest of the stop needs time as well.
const doorPatience = 2 * time.Second

// serve runs a door until it is stopped; one that ends by itself ends the node.
func (n *Node) serve(run func() error, stop stopFunc) stopFunc {
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		if err := run(); err != nil {
			n.fail(fmt.Errorf("a door cannot serve any longer: %w", err))
		}
	}()
	return func(ctx context.Context) error {
		err := stop(ctx)
		<-finished
		return err
	}
}

// advertisedClient is the configured address, with the port that the system chose
// where it was left to it.
func (n *Node) advertisedClient() string {
	if strings.HasSuffix(n.cfg.AdvertiseClient, ":0") {
		return n.ClientAddress()
	}
	return n.cfg.AdvertiseClient
}

// ClientAddress is where the etcd v3 API is served.
func (n *Node) ClientAddress() string { return n.client.Addr().String() }

// HTTPAddress is where health, status and metrics are served.
func (n *Node) HTTPAddress() string { return n.http.Addr().String() }

// PeerAddress is where the node's peers reach it.
func (n *Node) PeerAddress() string { return n.cfg.AdvertisePeer }

// ID is the node's.
func (n *Node) ID() uint64 { return n.cfg.ID }

// Group is the handle of the node's group.
func (n *Node) Group() *actors.Group { return n.group }
