package main

import (
	"context"
	"log/slog"
	"os"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"

	"castaway/actors"
	"castaway/cluster/remoting"
	"castaway/persistence"
	"castaway/raft"
)

// castawayVoter is this library as an embedder uses it, with its defaults: Badger
// below, protoactor remoting between the voters.
type castawayVoter struct {
	group  *actors.Group
	leader atomic.Bool
}

func startCastaway(id int, dir string, peers []string) (voter, error) {
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	self := raft.NodeID(id)
	options := persistence.DefaultOptions(dir)
	options.ClusterID, options.ServerID, options.Logger = 1, self, logger
	store, err := persistence.OpenBadger(options)
	if err != nil {
		return nil, err
	}
	wire := remoting.DefaultConfig()
	wire.ID, wire.Logger, wire.Peers = self, logger, map[raft.NodeID]string{}
	group := actors.DefaultGroupConfig()
	for i, peer := range peers {
		wire.Peers[raft.NodeID(i+1)] = peer
		group.Voters = append(group.Voters, raft.NodeID(i+1))
	}
	group.Machine = func() actors.StateMachine { return &mapMachine{values: map[string][]byte{}} }
	system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return logger }))
	network, err := remoting.Start(system, wire)
	if err != nil {
		return nil, err
	}
	host := actors.DefaultHostConfig()
	host.ClusterID, host.ID, host.Store, host.Network, host.Logger = 1, self, store, network, logger
	host.OnFail = func(err error) {
		logger.Error("the voter failed", "error", err)
		os.Exit(1)
	}
	h, err := actors.StartHost(system, host)
	if err != nil {
		return nil, err
	}
	v := &castawayVoter{}
	if v.group, err = h.AddGroup(group); err != nil {
		return nil, err
	}
	v.group.Watch(func(e actors.Event) {
		if e.Kind == actors.EventRole {
			v.leader.Store(e.Role == raft.Leader)
		}
	})
	return v, nil
}

func (v *castawayVoter) leads() bool { return v.leader.Load() }

func (v *castawayVoter) put(ctx context.Context, key, value []byte) error {
	command := make([]byte, 0, len(key)+len(value))
	command = append(append(command, key...), value...)
	_, err := v.group.Propose(ctx, command)
	return err
}

// mapMachine is mapFSM's twin.
type mapMachine struct{ values map[string][]byte }

func (m *mapMachine) Apply(commands []actors.Command) [][]byte {
	for _, c := range commands {
		m.values[string(c.Data[:keyBytes])] = append([]byte(nil), c.Data[keyBytes:]...)
	}
	return make([][]byte, len(commands))
}

func (m *mapMachine) Query(any) (any, error) { return len(m.values), nil }
