package actors

import (
	"fmt"
	"strings"

	"github.com/asynkron/protoactor-go/actor"

	"castaway/messages"
	"castaway/raft"
)

// courierName begins the names of couriers; the node that each carries to follows.
const courierName = "courier-"

// passOn gives what is about snapshot files to whom it is for.
func (g *groupActor) passOn(ctx actor.Context, e *messages.Envelope) {
	if g.host.cfg.Snapshots == nil || g.stopping.Load() {
		return
	}
	switch messages.KindOf(e) {
	case messages.KindSnapshotOffer, messages.KindSnapshotChunk:
		ctx.Send(ctx.ActorSystem().NewLocalPID(g.pids.group.Id+"/receiver"), e)
	case messages.KindSnapshotProgress:
		if c := g.courier(ctx, raft.NodeID(e.GetFrom())); c != nil {
			ctx.Send(c, e)
		}
	default:
	}
}

// courier finds the one that carries to a node, if there is one.
func (g *groupActor) courier(ctx actor.Context, to raft.NodeID) *actor.PID {
	id := fmt.Sprintf("%s/%s%d", g.pids.group.Id, courierName, to)
	for _, child := range ctx.Children() {
		if child.Id == id {
			return child
		}
	}
	return nil
}

// dispatch gives an errand to a node's courier, which stays for the next one.
func (g *groupActor) dispatch(ctx actor.Context, m sendSnapshot) {
	if g.stopping.Load() {
		return
	}
	if g.host.cfg.Snapshots == nil {
		g.send(g.pids.server, snapshotReported{to: m.to, term: m.term})
		return
	}
	c := g.courier(ctx, m.to)
	if c == nil {
		name := fmt.Sprintf("%s%d", courierName, m.to)
		var err error
		if c, err = ctx.SpawnNamed(guarded(&g.host.cfg, "courier", nil, func() actor.Actor { return newCourier(g.board, m.to) }), name); err != nil {
			panic(err)
		}
	}
	g.errands.put(m.to, &m) // also for a courier that panics over the message
	ctx.Send(c, &m)
}

// recall tells all couriers that the server does not lead any more.
func (g *groupActor) recall(ctx actor.Context, m abandonSnapshots) {
	for _, child := range ctx.Children() {
		if strings.HasPrefix(child.Id, g.pids.group.Id+"/"+courierName) {
			ctx.Send(child, m)
		}
	}
}
