package client_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"castaway/actors"
	"castaway/cluster/client"
	"castaway/cluster/etcdapi"
	"castaway/cluster/kv"
	"castaway/persistence"
	"castaway/raft"
)

// cast is three servers made of actors, in one process, each with its door.
type cast struct {
	network *actors.LocalNetwork
	groups  []*actors.Group
	doors   []string
}

func startCast(t *testing.T, tune ...func(*actors.GroupConfig)) *cast {
	t.Helper()
	nodes := []raft.NodeID{1, 2, 3}
	c := &cast{network: actors.NewLocalNetwork(nodes...)}
	quiet := slog.New(slog.DiscardHandler)
	system := actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return quiet }),
		actor.WithDeadLetterThrottleInterval(time.Millisecond), // so that its timer ends with the test
	)
	t.Cleanup(system.Shutdown)
	var members []etcdapi.Member
	var listeners []net.Listener
	for _, id := range nodes {
		l := must(net.Listen("tcp", "127.0.0.1:0"))(t)
		listeners = append(listeners, l)
		c.doors = append(c.doors, l.Addr().String())
		members = append(members, etcdapi.Member{ID: uint64(id), ClientURLs: []string{"http://" + l.Addr().String()}})
	}
	for i, id := range nodes {
		host := actors.DefaultHostConfig()
		host.Name, host.ID, host.ClusterID, host.Logger = fmt.Sprint("node-", id), id, 1, quiet
		host.Network, host.Store = c.network.Node(id), persistence.NewMemory()
		h := must(actors.StartHost(system, host))(t)
		t.Cleanup(func() { _ = h.Stop(context.Background()) })
		cfg := actors.DefaultGroupConfig()
		cfg.Voters, cfg.TickInterval = nodes, 4*time.Millisecond
		cfg.Machine = func() actors.StateMachine { return kv.New() }
		for _, f := range tune {
			f(&cfg)
		}
		g := must(h.AddGroup(cfg))(t)
		c.groups = append(c.groups, g)
		door := etcdapi.New(etcdapi.Config{
			Group: g, ClusterID: 1, MemberID: uint64(id), Members: func() []etcdapi.Member { return members },
		})
		served := make(chan error, 1)
		go func() { served <- door.Serve(listeners[i]) }()
		t.Cleanup(func() {
			if err := errors.Join(door.Stop(soon(t)), <-served); err != nil {
				t.Error(err)
			}
		})
	}
	return c
}

// leader waits until someone other than not leads, and gives its place.
func (c *cast) leader(t *testing.T, not int) int {
	t.Helper()
	for ctx := soon(t); ctx.Err() == nil; {
		for i, g := range c.groups {
			if s, err := g.Status(ctx); err == nil && i != not && s.Raft.Role == raft.Leader {
				return i
			}
		}
	}
	t.Fatal("nobody leads")
	return -1
}

// A client that knows every door writes on while the leader is cut off and comes
// back. What was acknowledged is there afterwards, at every door; what was not done
// is not there, and only what is indeterminate may be either.
func TestAClientOutlivesItsLeader(t *testing.T) {
	c := startCast(t)
	cl := connect(t, c.doors, func(o *client.Options) { o.LeaderInterval = 100 * time.Millisecond })
	cfg := c.groups[0].Config()
	acknowledged, open := map[string]bool{}, map[string]bool{}
	write := func(round string, count int) {
		for i := range count {
			key := fmt.Sprintf("%s/%03d", round, i)
			ctx, cancel := context.WithTimeout(context.Background(), 3*cfg.ElectionTimeout())
			_, err := cl.Put(ctx, key, []byte(round))
			cancel()
			switch {
			case err == nil:
				acknowledged[key] = true
			case errors.Is(err, client.ErrIndeterminate):
				open[key] = true
			}
		}
	}
	write("before", 50)
	old := c.leader(t, -1)
	c.network.Isolate(c.groups[old].Node())
	write("while", 10)
	c.leader(t, old)
	write("after", 50)
	c.network.HealAll()
	if len(acknowledged) < 100 {
		t.Errorf("only %d writes were acknowledged", len(acknowledged))
	}
	for _, door := range c.doors {
		r := must(connect(t, []string{door}).Get(soon(t), "", client.Prefix()))(t)
		found := map[string]bool{}
		for _, kv := range r.KVs {
			found[kv.Key] = true
			if !acknowledged[kv.Key] && !open[kv.Key] {
				t.Errorf("%s was not done, and is there", kv.Key)
			}
		}
		for key := range acknowledged {
			if !found[key] {
				t.Errorf("%s was acknowledged, and is not at %s", key, door)
			}
		}
	}
}
