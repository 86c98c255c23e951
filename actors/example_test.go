package actors_test

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"castaway/actors"
	"castaway/persistence"
	"castaway/raft"
)

// counter is a state machine: a command is a number to add.
type counter struct{ sum int }

func (c *counter) Apply(commands []actors.Command) [][]byte {
	results := make([][]byte, len(commands))
	for i, command := range commands {
		n, _ := strconv.Atoi(string(command.Data))
		c.sum += n
		results[i] = strconv.AppendInt(nil, int64(c.sum), 10)
	}
	return results
}

func (c *counter) Query(any) (any, error) { return c.sum, nil }

// Three hosts in one process replicate a counter: what one adds, the others read.
func Example() {
	quiet := slog.New(slog.DiscardHandler)
	nodes := []raft.NodeID{1, 2, 3}
	network := actors.NewLocalNetwork(nodes...)
	system := actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return quiet }),
		actor.WithDeadLetterThrottleInterval(time.Millisecond)) // or a goroutine stays for a second
	var groups []*actors.Group
	for _, id := range nodes {
		host := actors.DefaultHostConfig()
		host.Name, host.ID, host.ClusterID, host.Logger = fmt.Sprint("node-", id), id, 1, quiet
		host.Network, host.Store = network.Node(id), persistence.NewMemory()
		h, err := actors.StartHost(system, host)
		if err != nil {
			panic(err)
		}
		defer h.Stop(context.Background())
		group := actors.DefaultGroupConfig()
		group.Voters, group.Machine = nodes, func() actors.StateMachine { return &counter{} }
		g, err := h.AddGroup(group)
		if err != nil {
			panic(err)
		}
		groups = append(groups, g)
	}
	for i, g := range groups {
		result, err := g.Propose(context.Background(), strconv.AppendInt(nil, int64(i+1), 10))
		fmt.Println("sum", string(result.Value), err)
	}
	sum, err := groups[2].Read(context.Background(), nil, actors.Linearizable)
	fmt.Println("read", sum, err)
	// Output:
	// sum 1 <nil>
	// sum 3 <nil>
	// sum 6 <nil>
	// read 6 <nil>
}

// startCounter starts a counter on a node of its own, as Example does on three.
func startCounter() (g *actors.Group, stop func()) {
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
	group := actors.DefaultGroupConfig()
	group.Voters, group.Machine = []raft.NodeID{1}, func() actors.StateMachine { return &counter{} }
	g, err = h.AddGroup(group)
	if err != nil {
		panic(err)
	}
	return g, func() { _ = h.Stop(context.Background()) }
}

// In a session, a command that may have been lost can be proposed again: it is executed
// once.
func ExampleGroup_OpenSession() {
	g, stop := startCounter()
	defer stop()
	ctx := context.Background()
	session, err := g.OpenSession(ctx)
	if err != nil {
		panic(err)
	}
	defer session.Close(ctx)
	pending, err := session.Begin([]byte("5"))
	if err != nil {
		panic(err)
	}
	for range 2 { // the second time is what a client does that did not get the answer
		ref := actors.SessionRef{ID: session.ID(), Sequence: pending.Sequence(), Acknowledged: pending.Sequence()}
		result, err := g.ProposeInSession(ctx, ref, []byte("5"))
		fmt.Println("sum", string(result.Value), err)
	}
	result, err := pending.Propose(ctx)
	fmt.Println("sum", string(result.Value), err)
	// Output:
	// sum 5 <nil>
	// sum 5 <nil>
	// sum 5 <nil>
}
