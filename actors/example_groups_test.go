package actors_test

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"castaway/actors"
	"castaway/persistence"
	"castaway/raft"
)

// A host takes groups in and gives them up while it runs; what one has in the store is
// there when it comes again.
func ExampleHost_RemoveGroup() {
	quiet := slog.New(slog.DiscardHandler)
	system := actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return quiet }),
		actor.WithDeadLetterThrottleInterval(time.Millisecond))
	cfg := actors.DefaultHostConfig()
	cfg.ClusterID, cfg.ID, cfg.Logger = 1, 1, quiet
	cfg.Store, cfg.Network = persistence.NewMemory(), actors.NewLocalNetwork(1).Node(1)
	host, err := actors.StartHost(system, cfg)
	if err != nil {
		panic(err)
	}
	defer host.Stop(context.Background())
	for _, add := range []string{"3", "4"} {
		group := actors.DefaultGroupConfig()
		group.Group, group.Voters = 7, []raft.NodeID{1}
		group.ElectionTicks = 15 // of 20 ms: nobody else could lead
		group.Machine = func() actors.StateMachine { return &counter{} }
		g, err := host.AddGroup(group)
		if err != nil {
			panic(err)
		}
		result, err := g.Propose(context.Background(), []byte(add))
		fmt.Println(string(result.Value), err, host.RemoveGroup(context.Background(), 7))
	}
	// Output:
	// 3 <nil> <nil>
	// 7 <nil> <nil>
}
