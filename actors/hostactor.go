package actors

import (
	"slices"
	"strings"

	"github.com/asynkron/protoactor-go/actor"
)

// The host's messages.
type (
	addGroup struct {
		quiet
		board *board
	}
	removeGroup struct {
		quiet
		board *board
	}
	stopHost struct{ quiet }
	// storeFailed comes from a log actor: the store is closed for good.
	storeFailed struct {
		quiet
		log *actor.PID
		err error
	}
)

// hostActor spawns and stops; it has no state of its own, so that its restart,
// which restarts everything below it from disk, needs nothing but Host.groups.
type hostActor struct {
	*Host
	children *supervision
}

// Receive implements actor.Actor.
func (h *hostActor) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		h.start(ctx)
	case addGroup:
		h.spawn(ctx, m.board)
	case transportStarted:
		h.register(ctx, h.boards()...)
	case storeFailed:
		h.fail(m.log, m.err)
	case stopHost:
		h.stop(ctx)
	case removeGroup:
		h.remove(ctx, m.board)
	case *actor.Terminated:
		h.forgetRemoved(m.Who)
		if h.stopping.Load() {
			h.stop(ctx)
		}
	case *actor.Stopped:
		h.ended()
	}
}

func (h *hostActor) start(ctx actor.Context) {
	if h.stopping.Load() {
		ctx.Stop(ctx.Self())
		return
	}
	first := onlyLane
	if h.cfg.Bulk != nil {
		first = firstLane
		h.spawnTransport(ctx, bulkName, h.cfg.Bulk, bulkLane, h.heavy)
	}
	h.spawnTransport(ctx, "transport", h.cfg.Network, first, h.transport)
	for _, b := range h.boards() {
		h.spawn(ctx, b)
	}
}

func (h *hostActor) spawnTransport(ctx actor.Context, name string, network Network, lane lane, stats *transportBoard) {
	props := guarded(&h.cfg, "transport", nil, newTransport(transportConfig{
		ClusterID: h.cfg.ClusterID, ID: h.cfg.ID, Network: network, Clock: h.cfg.Clock, Logger: h.cfg.Logger, Stats: stats,
		MaxStrangers: h.cfg.MaxStrangers, Lane: lane,
	}))
	if _, err := ctx.SpawnNamed(props, name); err != nil {
		panic(err)
	}
}

// spawn starts a group, unless it runs: a group that was added while the host
// started is in Host.groups and in the mailbox.
func (h *hostActor) spawn(ctx actor.Context, b *board) {
	for _, child := range ctx.Children() {
		if child.Id == b.pids.group.Id {
			return
		}
	}
	name := strings.TrimPrefix(b.pids.group.Id, h.cfg.Name+"/")
	if _, err := ctx.SpawnNamed(groupProps(b), name); err != nil {
		panic(err)
	}
	h.register(ctx, b)
}

// remove stops a group; the end of its actor is the end of the group.
func (h *hostActor) remove(ctx actor.Context, b *board) {
	b.removed.Store(true)
	b.stopping.Store(true)
	for _, child := range ctx.Children() {
		if child.Id == b.pids.group.Id {
			ctx.Send(child, stopGroup{})
			return
		}
	}
	h.forget(b)
}

func (h *hostActor) forgetRemoved(who *actor.PID) {
	for _, b := range h.boards() {
		if b.removed.Load() && b.pids.group.Id == who.GetId() {
			h.forget(b)
		}
	}
}

// register tells the transport which server gets a group's envelopes. It is
// repeated when the transport has restarted, and harmless.
func (h *hostActor) register(ctx actor.Context, boards ...*board) {
	for _, b := range boards {
		ctx.Send(b.pids.transport, registerGroup{Group: b.cfg.Group, Server: b.pids.server, Snapshots: b.pids.group, Members: b.knownMembers()})
		if h.cfg.Bulk != nil {
			ctx.Send(b.pids.bulk, registerGroup{Group: b.cfg.Group, Server: b.pids.group, Members: h.bulk.all()})
		}
	}
}

// stop goes one step down: first all groups, then the transports, then the host.
func (h *hostActor) stop(ctx actor.Context) {
	h.children.leaving = true
	children := ctx.Children()
	if len(children) == 0 {
		ctx.Stop(ctx.Self())
		return
	}
	groups := slices.DeleteFunc(slices.Clone(children), isTransport)
	for _, group := range groups {
		ctx.Send(group, stopGroup{})
	}
	if len(groups) == 0 {
		for _, transport := range children {
			ctx.Stop(transport)
		}
	}
}

func isTransport(child *actor.PID) bool {
	return strings.HasSuffix(child.Id, "/transport") || strings.HasSuffix(child.Id, "/"+bulkName)
}
