package actors

import (
	"errors"
	"strings"
	"testing"

	"castaway/messages"
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
		"GroupConfig.MaxClockDriftPercent":  func(_ *HostConfig, g *GroupConfig) { g.MaxClockDriftPercent = 51 },
		"GroupConfig.CatchUpRounds":         func(_ *HostConfig, g *GroupConfig) { g.CatchUpRounds = -1 },
		"GroupConfig.CatchUpTicks":          func(_ *HostConfig, g *GroupConfig) { g.CatchUpTicks = -1 },
		"GroupConfig.StallTicks":            func(_ *HostConfig, g *GroupConfig) { g.StallTicks = g.HeartbeatTicks - 1 },
		"GroupConfig.PoisonPanics":          func(_ *HostConfig, g *GroupConfig) { g.PoisonPanics = 0 },
		"Limits.MaxBatchBytes":              func(_ *HostConfig, g *GroupConfig) { g.Limits.MaxBatchBytes = 0 },
		"Limits.MaxBatchBytes, too many":    func(_ *HostConfig, g *GroupConfig) { g.Limits.MaxBatchBytes = messages.MaxEntryBytes + 1 },
		"Limits.MaxBatchCommands":           func(_ *HostConfig, g *GroupConfig) { g.Limits.MaxBatchCommands = 1<<16 + 1 },
		"Limits.MaxEntryBytes":              func(_ *HostConfig, g *GroupConfig) { g.Limits.MaxEntryBytes = messages.MaxEntryBytes + 1 },
		"Limits.MaxMessageBytes":            func(_ *HostConfig, g *GroupConfig) { g.Limits.MaxMessageBytes = messages.MaxEntryBytes + 1 },
		"Limits.MaxUncommittedBytes":        func(_ *HostConfig, g *GroupConfig) { g.Limits.MaxUncommittedBytes = 1 << 20 },
		"GroupConfig.MachineBudget.Within":  func(_ *HostConfig, g *GroupConfig) { g.MachineBudget.Within = 0 },
		"GroupConfig.ServerBudget.Restarts": func(_ *HostConfig, g *GroupConfig) { g.ServerBudget.Restarts = -1 },
	} {
		field, _, _ = strings.Cut(field, ", ")
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

// What the largest limits allow fits an envelope, in which it is forwarded or sent.
func TestWhatTheLargestLimitsAllowFitsAnEnvelope(t *testing.T) {
	g := DefaultGroupConfig()
	g.Voters, g.Machine = []raft.NodeID{1, 2, 3}, func() StateMachine { return &journal{} }
	l := &g.Limits
	l.MaxEntryBytes, l.MaxBatchBytes, l.MaxMessageBytes = messages.MaxEntryBytes, messages.MaxEntryBytes, messages.MaxEntryBytes
	l.MaxInflightBytes, l.MaxBatchCommands = messages.MaxEntryBytes, 1<<16
	if err := g.validate(1); err != nil {
		t.Fatal(err)
	}
	most := l.MaxBatchBytes / l.MaxBatchCommands
	var proposals []*messages.ForwardedProposal
	var entries []raft.Entry
	size := 0
	for i := range l.MaxBatchCommands {
		proposals = append(proposals, &messages.ForwardedProposal{Id: ^uint64(0), Command: make([]byte, most)})
		e := raft.Entry{Term: 1 << 61, Index: 1<<61 + raft.Index(i), Kind: raft.EntryCommand, Data: make([]byte, most)}
		if size += e.Size(); size <= l.MaxMessageBytes {
			entries = append(entries, e)
		}
	}
	e := &messages.Envelope{ClusterId: ^uint64(0), Group: ^uint64(0), From: ^uint64(0), To: 1}
	e.Kind = &messages.Envelope_ForwardProposals{ForwardProposals: &messages.ForwardProposals{Incarnation: ^uint64(0), Proposals: proposals}}
	if err := messages.Validate(e); err != nil {
		t.Error(err)
	}
	messages.Seal(entries)
	m := &raft.AppendEntries{
		Header:   raft.Header{From: 1, To: 2, Term: 1 << 61},
		Previous: raft.Position{Term: 1 << 61, Index: 1<<61 - 1}, Entries: entries,
	}
	if err := messages.Validate(messages.ToEnvelope(^uint64(0), ^raft.GroupID(0), m)); err != nil {
		t.Error(err)
	}
}
