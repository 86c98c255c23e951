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

// A node answers by itself, as long as it was confirmed within the last second that it has
// all that there was; and whoever knows the index of a write reads it anywhere.
func ExampleGroup_ReadWith() {
	quiet := slog.New(slog.DiscardHandler)
	system := actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return quiet }),
		actor.WithDeadLetterThrottleInterval(time.Millisecond))
	host := actors.DefaultHostConfig()
	host.ID, host.ClusterID, host.Logger = 1, 1, quiet
	host.Network, host.Store = actors.NewLocalNetwork(1).Node(1), persistence.NewMemory()
	h, err := actors.StartHost(system, host)
	if err != nil {
		panic(err)
	}
	defer h.Stop(context.Background())
	group := actors.DefaultGroupConfig()
	group.Voters, group.Machine = []raft.NodeID{1}, func() actors.StateMachine { return &counter{} }
	g, err := h.AddGroup(group)
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	written, err := g.Propose(ctx, []byte("40"))
	fmt.Println("sum", string(written.Value), err)

	stale := actors.ReadOptions{Consistency: actors.Serializable, MaxLag: time.Second}
	sum, err := g.ReadWith(ctx, nil, stale)
	fmt.Println("not older than a second:", sum, err)

	mine := actors.ReadOptions{Consistency: actors.Serializable, MinIndex: written.Index}
	sum, err = g.ReadWith(ctx, nil, mine)
	fmt.Println("with our own write:", sum, err)
	// Output:
	// sum 40 <nil>
	// not older than a second: 40 <nil>
	// with our own write: 40 <nil>
}
