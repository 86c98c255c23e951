package fleet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"castaway/actors"
	"castaway/cluster"
	"castaway/cluster/pool"
	"castaway/cluster/remoting"
	"castaway/persistence"
	"castaway/raft"
)

// Config describes a fleet.
type Config struct {
	// Dir is where the nodes keep their data, in directories of their own.
	Dir string
	// Nodes is how many there are; 3 if zero.
	Nodes int
	// Logger hears all of them; nil means slog.Default().
	Logger *slog.Logger
}

const (
	defaultNodes = 3
	maxNodes     = 9
)

// Fleet is some nodes in this process. Safe for concurrent use.
type Fleet struct {
	cfg   Config
	nodes []*node
	ids   []raft.NodeID
	pool  *pool.Pool

	mu     sync.Mutex
	groups []*group
	failed error
}

type node struct {
	id      raft.NodeID
	store   *persistence.Badger
	system  *actor.ActorSystem
	network *remoting.Remoting
	host    *actors.Host
}

// Start starts the nodes, without any group. Errors name the node.
func Start(cfg Config) (*Fleet, error) {
	if cfg.Nodes == 0 {
		cfg.Nodes = defaultNodes
	}
	if cfg.Nodes < 1 || cfg.Nodes > maxNodes {
		return nil, fmt.Errorf("fleet: Config.Nodes is %d, but must be 1 to %d", cfg.Nodes, maxNodes)
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	addresses, err := cluster.FreeAddresses(cfg.Nodes)
	if err != nil {
		return nil, fmt.Errorf("fleet: no addresses to listen on: %w", err)
	}
	f := &Fleet{cfg: cfg, pool: pool.New(poolIdle)}
	peers := make(map[raft.NodeID]string, cfg.Nodes)
	for i, address := range addresses {
		f.ids = append(f.ids, raft.NodeID(i+1))
		peers[f.ids[i]] = address
	}
	for _, id := range f.ids {
		n := &node{id: id}
		f.nodes = append(f.nodes, n)
		if err := f.start(n, peers); err != nil {
			return nil, errors.Join(fmt.Errorf("fleet: node %d: %w", id, err), f.giveUp())
		}
	}
	return f, nil
}

// giveUp stops what has started.
func (f *Fleet) giveUp() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopPatience)
	defer cancel()
	return f.Stop(ctx)
}

// stopPatience is how long a fleet that could not start waits for its end.
const stopPatience = 10 * time.Second

// poolIdle is how long the pool's goroutines stay without work.
const poolIdle = time.Second

// clusterID is every fleet's: their nodes listen on loopback, at chosen ports.
const clusterID = 1

func (f *Fleet) start(n *node, peers map[raft.NodeID]string) (err error) {
	options := persistence.DefaultOptions(filepath.Join(f.cfg.Dir, "node-"+strconv.FormatUint(uint64(n.id), 10)))
	options.ClusterID, options.ServerID, options.Logger = clusterID, n.id, f.cfg.Logger
	if n.store, err = persistence.OpenBadger(options); err != nil {
		return err
	}
	quiet := slog.New(slog.DiscardHandler)
	n.system = actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return quiet }),
		actor.WithDeadLetterThrottleInterval(time.Millisecond))
	wire := remoting.DefaultConfig()
	wire.ID, wire.ClusterID, wire.Peers, wire.Logger = n.id, clusterID, peers, f.cfg.Logger
	if n.network, err = remoting.Start(n.system, wire); err != nil {
		return err
	}
	host := actors.DefaultHostConfig()
	host.ClusterID, host.ID, host.Store, host.Network, host.Logger = clusterID, n.id, n.store, n.network, f.cfg.Logger
	host.OnFail, host.Dispatcher = f.fail, f.pool
	n.host, err = actors.StartHost(n.system, host)
	return err
}

// fail keeps the first reason for which a node could not go on.
func (f *Fleet) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failed == nil {
		f.failed = err
	}
}

// Err is why a node of the fleet could not go on, if one could not.
func (f *Fleet) Err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.failed
}

// Stop stops all nodes. The data stays where it is.
func (f *Fleet) Stop(ctx context.Context) error {
	errs := make([]error, len(f.nodes))
	var wg sync.WaitGroup
	for i, n := range f.nodes {
		wg.Go(func() { errs[i] = n.stop(ctx) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (n *node) stop(ctx context.Context) error {
	var errs []error
	if n.host != nil {
		errs = append(errs, n.host.Stop(ctx))
	}
	if n.network != nil {
		errs = append(errs, n.network.Stop(ctx))
	}
	if n.system != nil {
		n.system.Shutdown()
	}
	if n.store != nil {
		errs = append(errs, n.store.Close())
	}
	return errors.Join(errs...)
}
