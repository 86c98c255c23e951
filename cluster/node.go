package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"castaway/actors"
	"castaway/cluster/config"
	"castaway/cluster/httpapi"
	"castaway/cluster/remoting"
	"castaway/persistence"
)

// Config is what Start is told: the node's configuration, and what is around it.
type Config struct {
	config.Config
	// Logger is slog.Default if nil.
	Logger *slog.Logger
	// Version is shown in the status.
	Version httpapi.Version
	// Watch, unless nil, is told what happens in the node's group, from its very
	// start. It is called from actors and must neither block nor panic.
	Watch func(actors.Event)

	// For tests: wrapStore gets between the node and its store, and inject into
	// its actors (see actors.HostConfig).
	wrapStore func(persistence.Store) persistence.Store
	inject    func(actorName string, message any)
}

// Node is one running member of a cluster. Safe for concurrent use.
type Node struct {
	cfg     Config
	cluster uint64
	origin  Membership // what is known of the cluster before the log says more
	log     *slog.Logger
	started time.Time
	meters  *meters

	client, http net.Listener
	store        persistence.Store
	system       *actor.ActorSystem
	snapshots    persistence.Snapshots
	wire, bulk   *remoting.Remoting // bulk is nil where nobody ever comes
	bulkContext  []byte             // tells the others where bulk is
	host         *actors.Host
	group        *actors.Group

	ending sync.Once
	failed chan struct{} // closed when the node begins to end
	done   chan struct{} // closed when all parts have stopped

	mu    sync.Mutex
	parts []part // those that run, in the order of their start
	ended bool   // no part is added any more
	err   error  // why it ends
}

// A part of a node runs from its start to its stop. stop returns within ctx, or
// is left behind.
type part struct {
	name string
	stop stopFunc
}

// Start brings a node up, and returns when its doors are open; whether it has a
// leader is another question, which Ready answers. If ctx ends first, the start is
// given up. An error leaves nothing running; ExitCode tells its kinds apart.
func Start(ctx context.Context, cfg Config) (*Node, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	n := &Node{
		cfg:     cfg,
		log:     cfg.Logger.With("node", cfg.ID),
		started: time.Now(),
		meters:  newMeters(),
		done:    make(chan struct{}),
		failed:  make(chan struct{}),
	}
	if err := n.startParts(ctx); err != nil {
		stopCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cfg.ShutdownTimeout)
		defer cancel()
		n.end(stopCtx, err)
		<-n.done
		return nil, err
	}
	n.log.Info("the node has started", "name", cfg.Name, "cluster", fmt.Sprintf("%016x", n.cluster), "data", cfg.DataDir,
		"peer", cfg.ListenPeer, "client", n.ClientAddress(), "http", n.HTTPAddress(), "members", n.origin.String())
	return n, nil
}

// startParts starts each part upon those before it.
func (n *Node) startParts(ctx context.Context) error {
	for _, s := range []struct {
		name  string
		start func() (stopFunc, error)
	}{
		{"listeners", n.startListeners},
		{"membership", func() (stopFunc, error) { return n.startMembership(ctx) }},
		{"store", n.startStore},
		{"actor system", n.startSystem},
		{"snapshots", n.startSnapshots},
		{"remoting", n.startWire},
		{"second remoting", n.startBulk},
		{"host", n.startHost},
		{"group", n.startGroup},
		{"client door", n.startClientDoor},
		{"HTTP door", n.startHTTPDoor},
	} {
		err := errors.Join(ctx.Err(), n.Err())
		var stop stopFunc
		if err == nil {
			stop, err = s.start()
		}
		if err == nil {
			err = n.add(part{s.name, stop})
		}
		if err != nil {
			return fmt.Errorf("node %d cannot start its %s: %w", n.cfg.ID, s.name, err)
		}
	}
	return nil
}

// add takes a part that runs. When one before it has failed meanwhile, the node is
// ending already: then the part is stopped at once.
func (n *Node) add(p part) error {
	n.mu.Lock()
	ended := n.ended
	if !ended {
		n.parts = append(n.parts, p)
	}
	n.mu.Unlock()
	if !ended {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), n.cfg.ShutdownTimeout)
	defer cancel()
	n.stopPart(ctx, p)
	return n.Err()
}

// take gives the part that is to be stopped next; none is added from the first call
// on.
func (n *Node) take() (part, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.ended = true
	if len(n.parts) == 0 {
		return part{}, false
	}
	last := n.parts[len(n.parts)-1]
	n.parts = n.parts[:len(n.parts)-1]
	return last, true
}

// Stop takes the node down in order and returns when all of it has stopped, or
// when ctx ends; then what still runs is cut short. Its error says which parts did
// not stop in time, or why the node had ended before.
func (n *Node) Stop(ctx context.Context) error {
	n.end(ctx, nil)
	<-n.done
	n.log.Info("the node has stopped")
	return n.Err()
}

// Done is closed when the node has ended, for whatever reason.
func (n *Node) Done() <-chan struct{} { return n.done }

// Err is why the node has ended; nil while it runs, and after a Stop in order.
func (n *Node) Err() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.err
}

// fail ends the node because a part can't go on. It does not block.
func (n *Node) fail(cause error) {
	n.log.Error("the node cannot go on and stops", "error", cause, "exit_code", ExitCode(cause))
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), n.cfg.ShutdownTimeout)
		defer cancel()
		n.end(ctx, cause)
	}()
}

// end stops all parts in reverse, once; later calls return at once.
func (n *Node) end(ctx context.Context, cause error) {
	n.ending.Do(func() {
		n.note(cause)
		close(n.failed)
		for p, more := n.take(); more; p, more = n.take() {
			n.stopPart(ctx, p)
		}
		close(n.done)
	})
}

// lastMoment is what a part gets that is stopped after the time is over.
const lastMoment = 500 * time.Millisecond

// stopPart waits for a part, but no longer than ctx: one that hangs must keep
// neither the parts beneath it nor the process from ending.
func (n *Node) stopPart(ctx context.Context, p part) {
	if ctx.Err() != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), lastMoment)
		defer cancel()
	}
	stopped := make(chan error, 1)
	go func() {
		defer func() {
			if r := recover(); r != nil {
				stopped <- fmt.Errorf("panic: %v", r)
			}
		}()
		stopped <- p.stop(ctx)
	}()
	var err error
	select {
	case err = <-stopped:
	case <-ctx.Done():
		err = fmt.Errorf("%w: the %s", ErrStopTimeout, p.name)
	}
	if err != nil {
		n.log.Warn("a part did not stop as it should", "part", p.name, "error", err)
		n.note(fmt.Errorf("stopping the %s: %w", p.name, err))
	}
}

// note keeps the first error.
func (n *Node) note(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.err == nil {
		n.err = err
	}
}
