package actors

import (
	"log/slog"

	"github.com/asynkron/protoactor-go/actor"

	"castaway/raft"
)

// TransportUnderTest spawns a transport of cluster 7 under a parent that gives it
// group 1's server, as a host does.
func TransportUnderTest(system *actor.ActorSystem, id raft.NodeID, network Network, server *actor.PID) (parent, transport *actor.PID, stats func() TransportStats) {
	board := newTransportBoard()
	props := actor.PropsFromProducer(newTransport(transportConfig{ClusterID: 7, ID: id, Network: network,
		Clock: RealClock(), Logger: slog.New(slog.DiscardHandler), Stats: board}))
	spawned := make(chan *actor.PID, 1)
	parent = system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		if _, started := ctx.Message().(*actor.Started); started {
			transport := ctx.Spawn(props)
			ctx.Send(transport, registerGroup{Group: 1, Server: server})
			spawned <- transport
		}
	}))
	return parent, <-spawned, board.stats
}
