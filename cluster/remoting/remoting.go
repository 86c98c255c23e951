package remoting

import (
	"context"
	"crypto/tls"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"

	"castaway/actors"
	"castaway/messages"
	"castaway/raft"
)

// wireTarget is the name by which nodes address each other's transport. It is a
// label only: whoever is attached gets what comes in, and nobody else can.
const wireTarget = "castaway/transport"

// Remoting carries envelopes between nodes, by protoactor's remoting. It is the
// actors.Network of a node. Safe for concurrent use.
type Remoting struct {
	cfg    Config
	system *actor.ActorSystem
	remote *remote.Remote
	tls    *tls.Config
	self   string
	stats  *board

	book      atomic.Pointer[book]
	changing  sync.Mutex             // held while the book is changed
	said      map[raft.NodeID]string // where members are, as told last; under changing
	streamsOf map[raft.NodeID]int    // open ones from each node; under changing

	lifetime context.Context //nolint:containedctx // it ends with Stop, and with it every dial and stream
	end      context.CancelFunc
	attached atomic.Pointer[attachment]

	mu      sync.RWMutex // held for reading while something is handed to protoactor
	closed  bool
	streams sync.WaitGroup
}

var _ actors.Network = (*Remoting)(nil)

// maxOrphans is after how many probes in a row without so much as an attempt to
// connect protoactor's endpoint is taken for dead.
const maxOrphans = 20

// Start listens, and makes system reachable under its address in cfg.Peers. A
// system has one Remoting, started before any of its PIDs is made. Connections
// are made when the attached transport probes.
func Start(system *actor.ActorSystem, cfg Config) (*Remoting, error) {
	cfg.Peers = maps.Clone(cfg.Peers)
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	r := &Remoting{
		cfg: cfg, system: system, self: cfg.Peers[cfg.ID], stats: newBoard(cfg.ID, cfg.Logger),
		said: maps.Clone(cfg.Peers), streamsOf: make(map[raft.NodeID]int),
	}
	if cfg.TLS != nil {
		loaded, err := cfg.TLS.load(cfg.ID)
		if err != nil {
			return nil, err
		}
		r.tls = loaded
	}
	r.lifetime, r.end = context.WithCancel(context.Background())
	delete(r.said, cfg.ID)
	links := newBook()
	for id, address := range r.said {
		links.add(r.newLink(id, address, false))
	}
	r.book.Store(links)
	if err := r.start(); err != nil {
		r.end()
		return nil, err
	}
	return r, nil
}

// start turns protoactor's panics into errors.
func (r *Remoting) start() (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w on %s: %v; stop what uses the address, or choose another", ErrListen, r.cfg.Listen, p)
		}
	}()
	r.remote = remote.NewRemote(r.system, r.recipe())
	r.remote.Start()
	// After Start, so that protoactor's own subscription is served first: a peer
	// that is told to be lost has then left its tables.
	r.system.EventStream.SubscribeWithPredicate(r.event, func(m any) bool {
		switch m.(type) {
		case *remote.EndpointConnectedEvent, *remote.EndpointTerminatedEvent:
			return true
		}
		return false
	})
	return nil
}

// listenAt is Listen in protoactor's form.
func (r *Remoting) listenAt() (string, int) {
	h, text, _ := net.SplitHostPort(r.cfg.Listen)
	port, _ := strconv.Atoi(text)
	if strings.Contains(h, ":") {
		h = "[" + h + "]" // protoactor puts host and port together as they are
	}
	return h, port
}

// event hears of connections made and lost from protoactor.
func (r *Remoting) event(m any) {
	switch m := m.(type) {
	case *remote.EndpointConnectedEvent:
		if l := r.linkAt(m.Address); l != nil && l.live.Load() != nil {
			r.tell(actors.PeerConnected{ID: l.id})
		}
	case *remote.EndpointTerminatedEvent:
		if l := r.linkAt(m.Address); l != nil && l.live.Load() == nil {
			r.tell(actors.PeerTerminated{ID: l.id})
		}
	}
}

// attachment is who gets what comes in. A PID must be used through the system that its
// actor lives in, which need not be the remoting's: another takes it for remote, and
// writes that into the PID, so that nobody reaches the actor any more.
type attachment struct {
	system *actor.ActorSystem
	pid    *actor.PID
}

func (a *attachment) send(message any) { a.system.Root.Send(a.pid, message) }

func (r *Remoting) tell(message any) {
	if to := r.attached.Load(); to != nil {
		to.send(message)
	}
}

// Attach implements actors.Network.
func (r *Remoting) Attach(system *actor.ActorSystem, transport *actor.PID) {
	if transport == nil {
		r.attached.Store(nil)
		return
	}
	r.attached.Store(&attachment{system, transport})
	links := r.book.Load().byID
	for _, id := range slices.Sorted(maps.Keys(links)) {
		if links[id].live.Load() != nil {
			r.tell(actors.PeerConnected{ID: id})
		}
	}
}

// Address is the node's one address.
func (r *Remoting) Address() string { return r.self }

// Send implements actors.Network.
func (r *Remoting) Send(to raft.NodeID, e *messages.Envelope) {
	l := r.link(to)
	if l == nil {
		return
	}
	if l.live.Load() == nil && !r.mayProbe(l, e) {
		r.stats.peer(to).unsent.Add(1)
		return
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.closed {
		return
	}
	r.system.Root.Send(l.target, &letter{envelope: e, deadline: time.Now().Add(r.cfg.Limits.MaxAge)})
}

// mayProbe says whether e may go to a peer that is not connected: a probe that
// makes protoactor connect, unless it is at it already.
func (r *Remoting) mayProbe(l *link, e *messages.Envelope) bool {
	if e.GetProbe() == nil || l.pending.Load() != nil {
		return false
	}
	if l.orphans.Add(1) > maxOrphans {
		// Its writer crashed without a word, and protoactor still keeps it. There
		// is no other to be hit by this event.
		l.orphans.Store(0)
		r.abandon(l.address)
	}
	return true
}

// Reset implements actors.Network.
func (r *Remoting) Reset(to raft.NodeID) {
	if l := r.link(to); l != nil {
		if o := l.live.Load(); o != nil {
			o.cancel()
		}
	}
}

func (r *Remoting) stopping() bool { return r.lifetime.Err() != nil }

// Stop ends every connection, and stops what protoactor started. Stop whoever
// sends first. It is bounded by ctx; what has not ended then ends by itself.
//
// It does not use protoactor's graceful shutdown, which waits for peers that are
// not there, and sometimes sends on a channel that it has closed.
func (r *Remoting) Stop(ctx context.Context) error {
	r.mu.Lock()
	first := !r.closed
	r.closed = true
	r.mu.Unlock()
	if !first {
		return nil
	}
	r.attached.Store(nil)
	r.end()
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		r.shutdown()
	}()
	select {
	case <-stopped:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("remoting: node %d did not end its connections in time: %w", r.cfg.ID, context.Cause(ctx))
	}
}

func (r *Remoting) shutdown() {
	defer func() {
		if p := recover(); p != nil {
			r.cfg.Logger.Warn("protoactor's remoting panicked while it stopped", "node", r.cfg.ID, "panic", p)
		}
	}()
	r.remote.Shutdown(false)
	r.streams.Wait()
	for _, name := range []string{"activator", "EndpointSupervisor"} {
		_ = r.system.Root.StopFuture(r.system.NewLocalPID(name)).Wait()
	}
}
