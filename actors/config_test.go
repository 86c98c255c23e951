package actors

import (
	"errors"
	"strings"
	"testing"

	"castaway/persistence"
	"castaway/raft"
)

// A configuration that can't work is refused with the name of the field.
func TestConfigurationsAreRefusedByField(t *testing.T) {
	for field, spoil := range map[string]func(*HostConfig, *GroupConfig){
		"HostConfig.ID":                     func(h *HostConfig, _ *GroupConfig) { h.ID = 0 },
		"HostConfig.Store":                  func(h *HostConfig, _ *GroupConfig) { h.Store = nil },
		"HostConfig.Network":                func(h *HostConfig, _ *GroupConfig) { h.Network = nil },
		"HostConfig.GroupBudget.Restarts":   func(h *HostConfig, _ *GroupConfig) { h.GroupBudget.Restarts = -1 },
		"GroupConfig.Machine":               func(_ *HostConfig, g *GroupConfig) { g.Machine = nil },
		"GroupConfig.Voters":                func(_ *HostConfig, g *GroupConfig) { g.Voters = []raft.NodeID{2, 3} },
		"GroupConfig.TickInterval":          func(_ *HostConfig, g *GroupConfig) { g.TickInterval = 0 },
		"GroupConfig.ElectionTicks":         func(_ *HostConfig, g *GroupConfig) { g.ElectionTicks = 14 },
		"GroupConfig.HeartbeatTicks":        func(_ *HostConfig, g *GroupConfig) { g.HeartbeatTicks = 0 },
		"GroupConfig.PatienceTicks":         func(_ *HostConfig, g *GroupConfig) { g.PatienceTicks = 0 },
		"GroupConfig.PoisonPanics":          func(_ *HostConfig, g *GroupConfig) { g.PoisonPanics = 0 },
		"Limits.MaxBatchBytes":              func(_ *HostConfig, g *GroupConfig) { g.Limits.MaxBatchBytes = 0 },
		"Limits.MaxUncommittedBytes":        func(_ *HostConfig, g *GroupConfig) { g.Limits.MaxUncommittedBytes = 1 << 20 },
		"GroupConfig.MachineBudget.Within":  func(_ *HostConfig, g *GroupConfig) { g.MachineBudget.Within = 0 },
		"GroupConfig.ServerBudget.Restarts": func(_ *HostConfig, g *GroupConfig) { g.ServerBudget.Restarts = -1 },
	} {
		t.Run(field, func(t *testing.T) {
			h, g := DefaultHostConfig(), DefaultGroupConfig()
			h.ID, h.Store, h.Network = 1, persistence.NewMemory(), NewLocalNetwork(1).Node(1)
			g.Voters, g.Machine = []raft.NodeID{1, 2, 3}, func() StateMachine { return &journal{} }
			spoil(&h, &g)
			err := h.complete()
			if err == nil {
				err = g.validate(h.ID)
			}
			if !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), field+" ") {
				t.Errorf("got %v", err)
			}
		})
	}
}

// A host takes a group's number, and a system a host's name, once.
func TestNamesAreTakenOnce(t *testing.T) {
	c := newCluster(t, 1, nil)
	n := c.nodes[1]
	if _, err := n.host.AddGroup(n.group.Config()); !errors.Is(err, ErrConfig) {
		t.Errorf("the same group twice: %v", err)
	}
	h := DefaultHostConfig()
	h.ID, h.Store, h.Network, h.Logger = 1, persistence.NewMemory(), c.network.Node(1), silent()
	if _, err := StartHost(n.system, h); err == nil || !strings.Contains(err.Error(), "HostConfig.Name") {
		t.Errorf("two hosts of one name: %v", err)
	}
}
