package actors

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"castaway/messages"
	"castaway/raft"
)

// castMany starts n hosts with k groups each; groups[g][h] is group g+1 on host h+1.
func (s *simulation) castMany(t *testing.T, n, k int, tune func(*HostConfig, *GroupConfig)) (groups [][]*Group, observers []*observer) {
	t.Helper()
	observers = append(observers, newObserver(t))
	groups = append(groups, s.cast(t, n, observers[0], tune))
	for id := raft.GroupID(2); id <= raft.GroupID(k); id++ {
		o := newObserver(t)
		var row []*Group
		for _, first := range groups[0] {
			cfg := first.cfg
			cfg.Group, cfg.Machine = id, func() StateMachine { return &journal{observer: o} }
			g, err := first.host.AddGroup(cfg)
			if err != nil {
				t.Fatal(err)
			}
			g.Watch(o.see)
			row = append(row, g)
		}
		groups, observers = append(groups, row), append(observers, o)
	}
	return groups, observers
}

// countingNetwork counts envelopes by kind.
type countingNetwork struct {
	Network
	sent map[messages.Kind]int
}

func (n countingNetwork) Send(to raft.NodeID, e *messages.Envelope) {
	n.sent[messages.KindOf(e)]++
	n.Network.Send(to, e)
}

// However many groups two nodes share, their heartbeats cross in one envelope an
// interval, and so do the replies; and a group that has nothing to do gets one tick
// an interval.
func TestHeartbeatsOfAllGroupsTravelTogether(t *testing.T) {
	const hosts, many, intervals = 3, 20, 50
	s := newSimulation(1)
	sent, ticks := map[messages.Kind]int{}, 0
	groups, _ := s.castMany(t, hosts, many, func(h *HostConfig, _ *GroupConfig) {
		h.Network = countingNetwork{h.Network, sent}
		h.Inject = func(_ string, message any) {
			if _, ok := message.(tick); ok {
				ticks++
			}
		}
	})
	cfg := groups[0][0].cfg
	s.pass(3 * cfg.ElectionTimeout())
	clear(sent)
	ticks = 0
	s.pass(intervals * time.Duration(cfg.HeartbeatTicks) * cfg.TickInterval)
	// Each ordered pair of nodes may have leaders of some groups at its start.
	const pairs = hosts * (hosts - 1)
	for _, kind := range []messages.Kind{messages.KindHeartbeatBundle, messages.KindHeartbeatReplyBundle} {
		if n := sent[kind]; n == 0 || n > pairs*(intervals+2) {
			t.Errorf("%d envelopes of kind %s in %d intervals among %d pairs of nodes", n, kind, intervals, pairs)
		}
	}
	lone := sent[messages.KindHeartbeat] + sent[messages.KindHeartbeatReply]
	if most := 2 * pairs * (intervals + 2); lone > most {
		t.Errorf("%d heartbeats and replies travelled alone; want at most those of nodes that lead one group, %d", lone, most)
	}
	if most := hosts * many * (intervals + 2); ticks > most {
		t.Errorf("%d ticks for idle servers; want at most one an interval, %d", ticks, most)
	}
	if n := sent[messages.KindAppendEntries] + sent[messages.KindRequestPreVote] + sent[messages.KindRequestVote]; n > 0 {
		t.Errorf("%d other messages, though there is nothing to do", n)
	}
}

// Busy groups beat together too, whenever their leaders were elected.
func TestHeartbeatsOfBusyGroupsTravelTogether(t *testing.T) {
	const hosts, many, intervals = 3, 20, 20
	s := newSimulation(4)
	sent := map[messages.Kind]int{}
	groups, _ := s.castMany(t, hosts, many, func(h *HostConfig, _ *GroupConfig) { h.Network = countingNetwork{h.Network, sent} })
	cfg := groups[0][0].cfg
	s.pass(3 * cfg.ElectionTimeout())
	clear(sent)
	for range intervals * cfg.HeartbeatTicks {
		for _, row := range groups {
			row[0].ProposeAsync([]byte("work"), func(_ Result, err error) {
				if err != nil {
					t.Error(err)
				}
			})
		}
		s.pass(cfg.TickInterval)
	}
	const pairs = hosts * (hosts - 1)
	if n := sent[messages.KindHeartbeatBundle]; n == 0 || n > pairs*(intervals+2) {
		t.Errorf("%d bundles of heartbeats in %d intervals among %d pairs of nodes", n, intervals, pairs)
	}
}

// A linearizable read waits for no tick and no bundle: it is confirmed without any
// time passing.
func TestReadsDoNotWaitForABundle(t *testing.T) {
	s := newSimulation(2)
	groups, _ := s.castMany(t, 3, 8, nil)
	s.pass(3 * groups[0][0].cfg.ElectionTimeout())
	for _, row := range groups {
		for _, g := range row {
			w := newWaiter()
			w.query = "count"
			if err := g.server.pushRead(w); err != nil {
				t.Fatal(err)
			}
			s.settle()
			select {
			case <-w.done:
				if w.err != nil {
					t.Errorf("group %d on node %d: %v", g.ID(), g.Node(), w.err)
				}
			default:
				t.Errorf("group %d on node %d: the read waits for time to pass", g.ID(), g.Node())
			}
		}
	}
}

// Quiet groups notice that their leader's node is gone as soon as busy ones.
func TestQuietGroupsElectInTime(t *testing.T) {
	for seed := range uint64(10) {
		s := newSimulation(seed)
		groups, observers := s.castMany(t, 3, 8, nil)
		timeout := groups[0][0].cfg.ElectionTimeout()
		s.pass(3 * timeout)
		s.network.Isolate(1)
		s.pass(2 * timeout)
		for i, o := range observers {
			newest := slices.MaxFunc(o.events, func(a, b Event) int { return int(a.Term) - int(b.Term) })
			if leader := o.leaders[newest.Term]; leader == 1 || leader == raft.None {
				t.Errorf("seed %d: two election timeouts after node 1 was cut off, group %d has leader %d", seed, i+1, leader)
			}
		}
	}
}

// Several groups a host, crashes of every actor at any message, cut links: every
// request of each group has one answer, and what it says is so.
func TestCrashesWithManyGroups(t *testing.T) {
	const many = 4
	for seed := range uint64(*seeds) / 3 {
		s := newSimulation(seed)
		crashing := true
		groups, observers := s.castMany(t, 3, many, func(h *HostConfig, g *GroupConfig) {
			plenty := Budget{Restarts: 10_000, Within: time.Second}
			h.HostBudget, h.TransportBudget, h.GroupBudget = plenty, plenty, plenty
			g.ServerBudget, g.LogBudget, g.MachineBudget = plenty, plenty, plenty
			h.Inject = func(string, any) {
				if crashing && s.random.IntN(400) == 0 {
					panic(errInjected)
				}
			}
		})
		told := make([]map[string]Outcome, many)
		for g := range told {
			told[g] = make(map[string]Outcome)
		}
		ask := func(g, node int, command string) {
			groups[g][node].ProposeAsync([]byte(command), func(r Result, err error) {
				if _, twice := told[g][command]; twice {
					t.Errorf("seed %d: %s was answered twice", seed, command)
				}
				told[g][command] = Outcome{Result: r, Err: err}
			})
		}
		const rounds = 60
		for i := range rounds {
			s.pass(100 * time.Millisecond)
			switch s.random.IntN(10) {
			case 0:
				s.network.Isolate(raft.NodeID(1 + s.random.IntN(3)))
			case 1, 2, 3:
				s.network.HealAll()
			}
			for g := range many {
				ask(g, i%3, fmt.Sprint("c", i))
			}
		}
		crashing = false
		s.network.HealAll()
		timeout := groups[0][0].cfg.ElectionTimeout()
		s.pass(10 * timeout)
		for g := range many {
			ask(g, 0, "after")
		}
		s.pass(timeout)
		for g := range many {
			if told[g]["after"].Err != nil || len(told[g]) != rounds+1 {
				t.Errorf("seed %d, group %d: after the crashes: %v; %d of %d requests answered", seed, g+1, told[g]["after"].Err, len(told[g]), rounds+1)
			}
			observers[g].compare(t, told[g])
		}
	}
}

// A server that is late finds one tick, not a pile; and what it missed is not made up
// for, but for less than a heartbeat's interval.
func TestALateServerFindsOneTick(t *testing.T) {
	s := newSimulation(3)
	ticks, count := 0, 0
	groups, _ := s.castMany(t, 1, 2, func(h *HostConfig, _ *GroupConfig) {
		h.Inject = func(_ string, message any) {
			if m, ok := message.(tick); ok {
				ticks, count = ticks+1, count+m.count
			}
		}
	})
	g := groups[0][0]
	s.pass(3 * g.cfg.ElectionTimeout())
	ticks, count = 0, 0
	for range 100 {
		g.host.ticker.beat(g.host.ticker.pulses[g.cfg.TickInterval]) // and nobody looks at his mailbox
	}
	s.settle()
	if ticks > 2 || count > 2*g.cfg.HeartbeatTicks {
		t.Errorf("two late servers found %d messages with %d ticks", ticks, count)
	}
}

// Groups come and go at run time, many at once; one that comes again finds its log.
func TestGroupsAreAddedAndRemovedAtRunTime(t *testing.T) {
	const many = 30
	c := newCluster(t, 3, nil)
	first := c.leader()
	for id := raft.GroupID(2); id <= many; id++ {
		for _, n := range c.nodes {
			cfg := first.group.cfg
			cfg.Group = id
			cfg.Machine = func() StateMachine { return &journal{observer: newObserver(t)} }
			if _, err := n.host.AddGroup(cfg); err != nil {
				t.Fatal(err)
			}
		}
	}
	for round := range 2 {
		for id := raft.GroupID(2); id <= many; id++ {
			g := first.host.Group(id)
			c.eventually(20, fmt.Sprintf("group %d serves", id), func() bool {
				_, err := g.Propose(t.Context(), []byte("x"))
				return err == nil
			})
			value, err := g.Read(t.Context(), "x", Linearizable)
			if err != nil || value != round+1 {
				t.Errorf("round %d: group %d applied x %v times, %v", round, id, value, err)
			}
		}
		if round > 0 {
			break
		}
		for id := raft.GroupID(2); id <= many; id++ {
			for _, n := range c.nodes {
				old := n.host.Group(id)
				if err := n.host.RemoveGroup(t.Context(), id); err != nil {
					t.Fatal(err)
				}
				var failed *Error
				if _, err := old.Propose(t.Context(), []byte("y")); !errors.As(err, &failed) || failed.Reason != ReasonStopped || failed.Indeterminate {
					t.Errorf("a group that was removed says %v", err)
				}
				if _, err := n.host.AddGroup(old.cfg); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if err := first.host.RemoveGroup(context.Background(), many+1); err == nil {
		t.Error("a group that is not there was removed")
	}
}
