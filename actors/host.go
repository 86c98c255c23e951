package actors

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"castaway/raft"
)

// ErrBudget is in what OnFail gets when an actor panicked more often than its
// budget allows.
var ErrBudget = errors.New("actors: restart budget exhausted")

// A Host is a node's root: it owns the transport and the groups, and is the only
// one that gives up. Safe for concurrent use.
type Host struct {
	system *actor.ActorSystem
	cfg    HostConfig
	pid    *actor.PID
	// started is what leases count from.
	started time.Time
	// transport counts on across the transport's restarts.
	transport *transportBoard
	ticker    *ticker
	// What the couriers of all groups share.
	sending  slots
	throttle throttle
	bulk     bulkDirectory
	// heavy is what the transport of the second network did.
	heavy *transportBoard

	stopping atomic.Bool
	failure  atomic.Pointer[error]
	stopped  chan struct{}
	once     sync.Once

	mu     sync.Mutex
	groups []*board // in the order in which they were added
}

// StartHost starts a host in system, which may hold other actors, and other hosts
// of other names.
func StartHost(system *actor.ActorSystem, cfg HostConfig) (*Host, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	h := &Host{
		system: system, cfg: cfg, pid: system.NewLocalPID(cfg.Name), started: cfg.Clock.Now(),
		transport: newTransportBoard(), heavy: newTransportBoard(), ticker: newTicker(cfg.Clock),
		throttle: throttle{rate: cfg.Transfer.BytesPerSecond}, stopped: make(chan struct{}),
	}
	children := newSupervision(h, h.childBudget, h.gaveUp)
	props := guarded(&h.cfg, "host", children, func() actor.Actor { return &hostActor{Host: h, children: children} },
		actor.WithGuardian(newSupervision(h, func(*actor.PID) (string, Budget) { return "host", cfg.HostBudget }, h.fail)))
	if _, err := system.Root.SpawnNamed(props, cfg.Name); err != nil {
		return nil, fmt.Errorf("actors: host %q could not start; give each host of one ActorSystem its own HostConfig.Name: %w", cfg.Name, err)
	}
	return h, nil
}

// ID is the node's.
func (h *Host) ID() raft.NodeID { return h.cfg.ID }

// PID is the host's actor.
func (h *Host) PID() *actor.PID { return h.pid }

// TransportPID is where a Network delivers what comes in.
func (h *Host) TransportPID() *actor.PID { return h.system.NewLocalPID(h.cfg.Name + "/transport") }

// bulkName is the name of the second network's transport.
const bulkName = "bulk"

// BulkTransportPID is where HostConfig.Bulk delivers what comes in.
func (h *Host) BulkTransportPID() *actor.PID {
	return h.system.NewLocalPID(h.cfg.Name + "/" + bulkName)
}

// BulkStats is what the transport of HostConfig.Bulk did so far.
func (h *Host) BulkStats() TransportStats { return h.heavy.stats() }

// TransportStats is what the transport did so far.
func (h *Host) TransportStats() TransportStats { return h.transport.stats() }

// Err is what OnFail was told, or nil.
func (h *Host) Err() error {
	if p := h.failure.Load(); p != nil {
		return *p
	}
	return nil
}

// AddGroup starts a group. It returns at once; requests wait until the group has
// read its log.
func (h *Host) AddGroup(cfg GroupConfig) (*Group, error) {
	cfg.Voters = slices.Sorted(slices.Values(cfg.Voters))
	if err := cfg.validate(h.cfg.ID); err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopping.Load() {
		return nil, fmt.Errorf("actors: group %d was not added, since the host is stopping", cfg.Group)
	}
	if h.find(cfg.Group) != nil {
		return nil, invalid("GroupConfig.Group", cfg.Group, "a number that this host has not yet")
	}
	b := newBoard(h, cfg)
	h.groups = append(h.groups, b)
	h.ticker.add(b)
	h.system.Root.Send(h.pid, addGroup{board: b})
	return &Group{board: b}, nil
}

// RemoveGroup stops a group and forgets it: once it has returned nil, a group of that
// number may be added again. What the group has in the store stays there, and is
// found then. When ctx ends first, the group stops nevertheless, as soon as the
// disk lets it. It takes no part in the group's configuration: a member that is
// removed only here is, to the others, a node that is down.
func (h *Host) RemoveGroup(ctx context.Context, id raft.GroupID) error {
	h.mu.Lock()
	b := h.find(id)
	h.mu.Unlock()
	if b == nil {
		return fmt.Errorf("actors: group %d was not removed, since it is not on this host", id)
	}
	h.system.Root.Send(h.pid, removeGroup{board: b})
	select {
	case <-b.forgotten:
		return nil
	case <-h.stopped:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("actors: group %d has not stopped yet; it does as soon as the store's disk lets it: %w", id, context.Cause(ctx))
	}
}

// forget takes a group that has stopped out of the host.
func (h *Host) forget(b *board) {
	h.mu.Lock()
	h.groups = slices.DeleteFunc(h.groups, func(other *board) bool { return other == b })
	h.mu.Unlock()
	b.end()
	b.forgot.Do(func() { close(b.forgotten) })
}

// Group gives the handle of a group that was added; nil if it was not.
func (h *Host) Group(id raft.GroupID) *Group {
	h.mu.Lock()
	defer h.mu.Unlock()
	if b := h.find(id); b != nil {
		return &Group{board: b}
	}
	return nil
}

func (h *Host) find(id raft.GroupID) *board {
	for _, b := range h.groups {
		if b.cfg.Group == id {
			return b
		}
	}
	return nil
}

func (h *Host) boards() []*board {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.groups)
}

// Stop stops every actor and answers everyone who waits. When ctx ends first, an
// actor is stuck, most likely in a sync of the store; nothing is left undone then
// that would not end by itself once it is not.
func (h *Host) Stop(ctx context.Context) error {
	h.BeginStop()
	select {
	case <-h.stopped:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("actors: host %q has not stopped yet; an actor is busy, most likely with the store's disk: %w", h.cfg.Name, context.Cause(ctx))
	}
}

// BeginStop starts what Stop waits for.
func (h *Host) BeginStop() {
	h.mu.Lock()
	first := h.stopping.CompareAndSwap(false, true)
	h.mu.Unlock()
	if first {
		h.system.Root.Send(h.pid, stopHost{})
	}
}

// Stopped is closed when everything has stopped.
func (h *Host) Stopped() <-chan struct{} { return h.stopped }

// gaveUp is told that the budget of a child ran out, before that is stopped.
func (h *Host) gaveUp(child *actor.PID, err error) {
	for _, b := range h.boards() {
		if b.pids.group.Id == child.Id {
			b.halt(err.Error())
			b.stopping.Store(true)
		}
	}
	h.fail(child, err)
}

// fail makes the host say, once, that it can't go on.
func (h *Host) fail(who *actor.PID, err error) {
	if !h.failure.CompareAndSwap(nil, &err) {
		return
	}
	h.cfg.Logger.Error("host failed", "node", h.cfg.ID, "actor", who.GetId(), "error", err)
	if h.cfg.OnFail != nil {
		h.cfg.OnFail(err)
	}
}

// ended is called when the host's actor is gone for good.
func (h *Host) ended() {
	h.once.Do(func() {
		for _, b := range h.boards() {
			b.end()
		}
		close(h.stopped)
	})
}
