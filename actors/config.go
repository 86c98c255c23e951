package actors

import (
	"log/slog"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"castaway/persistence"
	"castaway/raft"
)

// HostConfig is what a host is told about its world. ClusterID, ID, Store and
// Network have no default.
type HostConfig struct {
	// Name is the host's name in its ActorSystem, and the first part of its
	// actors' names; "castaway" if empty. Several hosts in one system need
	// different ones.
	Name      string
	ClusterID uint64
	ID        raft.NodeID
	// Store holds the logs of all groups. The host does not close it.
	Store   persistence.Store
	Network Network
	// Snapshots holds the snapshots of all groups; without it, none are taken, sent or
	// received.
	Snapshots persistence.Snapshots
	// Bulk is a second network, for what is large, so that heartbeats need not wait
	// behind it; without it everything goes over Network. BulkContext tells other nodes
	// where it reaches this one, as the Context of a raft.Member would.
	Bulk        Network
	BulkContext []byte
	// Transfer bounds the sending of snapshots.
	Transfer TransferLimits

	Clock      Clock            // RealClock if nil
	Dispatcher actor.Dispatcher // protoactor's default if nil
	Logger     *slog.Logger     // slog.Default if nil
	// Random gives a number in [0, n). It spreads the election timeouts, and tells
	// this process of the node from all others, so that it must not start from the
	// same seed every time. The process's source if nil. It is called from one
	// actor a group, and from AddGroup.
	Random func(n int) int
	// OnFail is told, once, that the host can't go on: a store failed, or a
	// restart budget ran out. Its groups have then stopped, or are about to; what
	// remains is to end the process. It is called from an actor and must not block.
	OnFail func(error)
	// OnRoundTrip, unless nil, is told how long a heartbeat to a node and its reply took,
	// from the leader's server back to it. It is called from actors and must not block.
	OnRoundTrip func(group raft.GroupID, node raft.NodeID, took time.Duration)
	// Inject, unless nil, is called with every message an actor is about to
	// receive; a test panics in it to crash any actor at any message. Actors are
	// named "host", "transport", "group", "server", "log", "machine", "courier" and
	// "receiver".
	Inject func(actorName string, message any)

	// MaxStrangers bounds the nodes that are members of no group here and talk with
	// this one nevertheless, since somebody was added or removed and not everyone
	// knows of it yet. What more of them say is dropped.
	MaxStrangers int

	HostBudget      Budget
	TransportBudget Budget
	GroupBudget     Budget
}

// DefaultHostConfig has everything but ClusterID, ID, Store and Network.
func DefaultHostConfig() HostConfig {
	return HostConfig{
		Name:            "castaway",
		MaxStrangers:    16,
		Transfer:        DefaultTransferLimits(),
		HostBudget:      Budget{Restarts: 3, Within: 10 * time.Second},
		TransportBudget: Budget{Restarts: 10, Within: 10 * time.Second},
		GroupBudget:     Budget{Restarts: 3, Within: 10 * time.Second},
	}
}

func (c *HostConfig) complete() error {
	d := DefaultHostConfig()
	if c.Name == "" {
		c.Name = d.Name
	}
	if c.Clock == nil {
		c.Clock = RealClock()
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Random == nil {
		c.Random = rand.IntN //nolint:forbidigo // a node in production has no seed to be repeated from
	}
	if c.MaxStrangers == 0 {
		c.MaxStrangers = d.MaxStrangers
	}
	if c.Transfer == (TransferLimits{}) {
		c.Transfer = d.Transfer
	}
	for _, b := range []struct{ given, preset *Budget }{
		{&c.HostBudget, &d.HostBudget}, {&c.TransportBudget, &d.TransportBudget}, {&c.GroupBudget, &d.GroupBudget},
	} {
		if *b.given == (Budget{}) {
			*b.given = *b.preset
		}
	}
	return c.validate()
}

func (c *HostConfig) validate() error {
	if c.ID == raft.None {
		return invalid("HostConfig.ID", c.ID, "a node id, which starts at 1")
	}
	if c.Store == nil {
		return invalid("HostConfig.Store", "nil", "a store")
	}
	if c.Network == nil {
		return invalid("HostConfig.Network", "nil", "a network; see NewLocalNetwork")
	}
	if c.MaxStrangers < 0 {
		return invalid("HostConfig.MaxStrangers", c.MaxStrangers, "at least 0")
	}
	if err := c.Transfer.validate(); err != nil {
		return err
	}
	for _, b := range []struct {
		field  string
		budget Budget
	}{
		{"HostConfig.HostBudget", c.HostBudget},
		{"HostConfig.TransportBudget", c.TransportBudget},
		{"HostConfig.GroupBudget", c.GroupBudget},
	} {
		if err := b.budget.validate(b.field); err != nil {
			return err
		}
	}
	return nil
}

// GroupConfig describes one Raft group on a host. Start from DefaultGroupConfig,
// and give it Voters and Machine.
type GroupConfig struct {
	Group raft.GroupID
	// Voters are the founding members, the same on every node; what the log says
	// later goes over it.
	Voters []raft.NodeID
	// Founders is what is said of the founding members, the same on every node.
	Founders []raft.Member
	// Join is for a node that is no founding member: instead of Voters it has the
	// log's word, and takes part in nothing until a leader has sent it (T4.1).
	Join bool
	// Machine makes an empty state machine: at the start, and after its panic.
	Machine func() StateMachine

	// A machine that is a Snapshotter is written into a snapshot, if the host has
	// Snapshots, once SnapshotEntries were applied or SnapshotBytes of the log since the
	// last one; zero is no reason for one. The log before it goes then, but for
	// TrailingEntries, which spare followers that are a little behind the snapshot.
	SnapshotEntries int
	SnapshotBytes   int
	TrailingEntries int

	// TickInterval is the length of a tick. The election timeout is drawn from
	// [ElectionTicks, 2*ElectionTicks); HeartbeatTicks lie between heartbeats.
	TickInterval   time.Duration
	ElectionTicks  int
	HeartbeatTicks int
	PreVote        bool
	CheckQuorum    bool
	// LeaseReads lets a leader answer linearizable reads without a round of heartbeats,
	// for as long as those who answered its last round promise to help nobody else into
	// leadership (T6.4.1): some ElectionTicks. It is right only while the clocks of any two
	// servers, as measured from one moment to another, differ by no more than
	// MaxClockDriftPercent, 10 if zero; and only if LeaseReads, TickInterval, ElectionTicks
	// and MaxClockDriftPercent are the same on all servers of the group at any time. Nothing
	// checks that: stop all of them to change one of these. A machine whose monotonic clock
	// stands still while it is suspended breaks the bound. Off, no clock matters.
	LeaseReads           bool
	MaxClockDriftPercent int
	// CatchUpRounds and CatchUpTicks are when a learner that was to be promoted is given
	// up and removed (T4.2.1): after so many slow rounds in a row, or after so many ticks
	// without coming any closer. 10 and 45,000 if zero.
	CatchUpRounds int
	CatchUpTicks  int
	// PatienceTicks is how long a request waits for a leader to be known, and a
	// forwarded one for the leader's answer.
	PatienceTicks int
	// StallTicks is how long no write of a leader's may end before it takes its disk for
	// hung and hands leadership over; twice ElectionTicks if zero.
	StallTicks int

	Limits Limits
	// Sessions bounds the sessions that are registered while this node leads.
	Sessions      SessionLimits
	ServerBudget  Budget
	LogBudget     Budget
	MachineBudget Budget
	// PoisonPanics is how many panics of the machine at one index halt the group.
	PoisonPanics int
	// Trace, unless nil, is told of every step of the core; see raft.TraceEvent.
	Trace func(raft.TraceEvent)
}

// DefaultGroupConfig is a group 1 with ticks of 20 ms, heartbeats of 100 ms and
// election timeouts of 1 to 2 s.
func DefaultGroupConfig() GroupConfig {
	return GroupConfig{
		Group:          1,
		TickInterval:   20 * time.Millisecond,
		ElectionTicks:  50,
		HeartbeatTicks: 5,
		PreVote:        true,
		CheckQuorum:    true,
		PatienceTicks:  100,

		SnapshotEntries: 100_000,
		SnapshotBytes:   64 << 20,
		TrailingEntries: 5_000,

		Limits:        DefaultLimits(),
		Sessions:      DefaultSessionLimits(),
		ServerBudget:  Budget{Restarts: 10, Within: 10 * time.Second},
		LogBudget:     Budget{Restarts: 10, Within: 10 * time.Second},
		MachineBudget: Budget{Restarts: 10, Within: 10 * time.Second},
		PoisonPanics:  3,
	}
}

// ElectionTimeout is the largest randomized election timeout, the measure of
// every bound on time.
func (c *GroupConfig) ElectionTimeout() time.Duration {
	return 2 * time.Duration(c.ElectionTicks) * c.TickInterval
}

func (c *GroupConfig) patience() time.Duration {
	return time.Duration(c.PatienceTicks) * c.TickInterval
}

func (c *GroupConfig) stallTime() time.Duration {
	return time.Duration(c.StallTicks) * c.TickInterval
}

func (c *GroupConfig) validate(self raft.NodeID) error {
	if c.StallTicks == 0 {
		c.StallTicks = 2 * c.ElectionTicks
	}
	switch {
	case c.Machine == nil:
		return invalid("GroupConfig.Machine", "nil", "a function that makes a state machine")
	case c.Join && len(c.Voters) > 0:
		return invalid("GroupConfig.Voters", c.Voters, "empty, since Join is set")
	case !c.Join && len(c.Voters) == 0:
		return invalid("GroupConfig.Voters", "empty", "the founding members")
	case slices.Contains(c.Voters, raft.None):
		return invalid("GroupConfig.Voters", c.Voters, "node ids, which start at 1")
	case !c.Join && !slices.Contains(c.Voters, self):
		return invalid("GroupConfig.Voters", c.Voters, "with this node among them")
	case c.TickInterval <= 0:
		return invalid("GroupConfig.TickInterval", c.TickInterval, "more than 0")
	case c.HeartbeatTicks < 1:
		return invalid("GroupConfig.HeartbeatTicks", c.HeartbeatTicks, "at least 1")
	case c.ElectionTicks < 3*c.HeartbeatTicks:
		return invalid("GroupConfig.ElectionTicks", c.ElectionTicks, "at least three times HeartbeatTicks")
	case c.PatienceTicks < 1:
		return invalid("GroupConfig.PatienceTicks", c.PatienceTicks, "at least 1")
	case c.StallTicks < c.HeartbeatTicks:
		return invalid("GroupConfig.StallTicks", c.StallTicks, "at least HeartbeatTicks, or 0 for twice ElectionTicks")
	case c.CatchUpRounds < 0:
		return invalid("GroupConfig.CatchUpRounds", c.CatchUpRounds, "at least 0, which is 10")
	case c.CatchUpTicks != 0 && c.CatchUpTicks < c.ElectionTicks:
		return invalid("GroupConfig.CatchUpTicks", c.CatchUpTicks, "at least ElectionTicks, or 0 for 45,000")
	case c.SnapshotEntries < 0:
		return invalid("GroupConfig.SnapshotEntries", c.SnapshotEntries, "at least 0")
	case c.SnapshotBytes < 0:
		return invalid("GroupConfig.SnapshotBytes", c.SnapshotBytes, "at least 0")
	case c.TrailingEntries < 0:
		return invalid("GroupConfig.TrailingEntries", c.TrailingEntries, "at least 0")
	case c.PoisonPanics < 1:
		return invalid("GroupConfig.PoisonPanics", c.PoisonPanics, "at least 1")
	}
	if err := c.validateLeases(); err != nil {
		return err
	}
	if err := c.Limits.validate(); err != nil {
		return err
	}
	if err := c.Sessions.validate(); err != nil {
		return err
	}
	if err := c.ServerBudget.validate("GroupConfig.ServerBudget"); err != nil {
		return err
	}
	if err := c.LogBudget.validate("GroupConfig.LogBudget"); err != nil {
		return err
	}
	return c.MachineBudget.validate("GroupConfig.MachineBudget")
}
