package actors

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"castaway/persistence"
	"castaway/raft"
)

var seeds = flag.Int("seeds", 30, "how many simulations to run")

// A simulation runs the whole cast on one goroutine: its dispatcher queues what
// the actors have to do, its clock stands still unless all is done, and a seed
// decides whose turn it is. So one seed gives one run.
type simulation struct {
	seed   uint64
	random *rand.Rand
	ready  []func()
	now    time.Time
	timers []*simTimer
	order  uint64

	network *LocalNetwork
}

type simTimer struct {
	at    time.Time
	order uint64
	call  func()
}

func newSimulation(seed uint64) *simulation {
	return &simulation{seed: seed, random: rand.New(rand.NewPCG(seed, 1)), now: time.Unix(0, 0)}
}

// Schedule implements actor.Dispatcher.
func (s *simulation) Schedule(fn func()) { s.ready = append(s.ready, fn) }

// Throughput implements actor.Dispatcher.
func (s *simulation) Throughput() int { return 1 << 30 }

// Now implements Clock.
func (s *simulation) Now() time.Time { return s.now }

// AfterFunc implements Clock.
func (s *simulation) AfterFunc(d time.Duration, f func()) Timer {
	s.order++
	t := &simTimer{at: s.now.Add(d), order: s.order, call: f}
	s.timers = append(s.timers, t)
	return &simStop{s: s, t: t}
}

type simStop struct {
	s *simulation
	t *simTimer
}

// Stop implements Timer.
func (x *simStop) Stop() bool {
	i := slices.Index(x.s.timers, x.t)
	if i >= 0 {
		x.s.timers = slices.Delete(x.s.timers, i, i+1)
	}
	return i >= 0
}

// settle runs everything that is ready.
func (s *simulation) settle() {
	for len(s.ready) > 0 {
		i := s.random.IntN(len(s.ready))
		fn := s.ready[i]
		s.ready = slices.Delete(s.ready, i, i+1)
		fn()
	}
}

// step lets time pass up to the next timer.
func (s *simulation) step() {
	s.settle()
	if len(s.timers) == 0 {
		return
	}
	next := slices.MinFunc(s.timers, func(a, b *simTimer) int {
		if c := a.at.Compare(b.at); c != 0 {
			return c
		}
		return int(a.order) - int(b.order)
	})
	s.timers = slices.DeleteFunc(s.timers, func(t *simTimer) bool { return t == next })
	s.now = next.at
	next.call()
	s.settle()
}

// pass lets d pass.
func (s *simulation) pass(d time.Duration) {
	s.settle()
	for end := s.now.Add(d); len(s.timers) > 0 && s.now.Before(end); {
		s.step()
	}
}

// cast starts n hosts in the simulation, in one ActorSystem.
func (s *simulation) cast(t *testing.T, n int, o *observer, tune func(*HostConfig, *GroupConfig)) []*Group {
	t.Helper()
	system := newSystem()
	var ids []raft.NodeID
	for i := range n {
		ids = append(ids, raft.NodeID(i+1))
	}
	s.network = NewLocalNetwork(ids...)
	var groups []*Group
	for _, id := range ids {
		hc, gc := DefaultHostConfig(), DefaultGroupConfig()
		hc.Name, hc.ClusterID, hc.ID = fmt.Sprintf("host-%d", id), 7, id
		hc.Store, hc.Network, hc.Logger = persistence.NewMemory(), s.network.Node(id), silent()
		hc.Clock, hc.Dispatcher, hc.Random = s, s, s.random.IntN
		gc.Voters = ids
		gc.Machine = func() StateMachine { return &journal{observer: o} }
		if tune != nil {
			tune(&hc, &gc)
		}
		host, err := StartHost(system, hc)
		if err != nil {
			t.Fatal(err)
		}
		group, err := host.AddGroup(gc)
		if err != nil {
			t.Fatal(err)
		}
		group.Watch(o.see)
		groups = append(groups, group)
		t.Cleanup(func() {
			host.BeginStop()
			s.settle()
			select {
			case <-host.Stopped():
			default:
				t.Errorf("seed %d: host %d has not stopped", s.seed, id)
			}
		})
	}
	return groups
}

// One seed gives one run, to the last event, with crashes of every actor in it:
// nothing in the cast takes time, chance or a goroutine from elsewhere.
func TestOneSeedGivesOneRun(t *testing.T) {
	run := func(seed uint64) (trace []string) {
		s := newSimulation(seed)
		o := newObserver(t)
		groups := s.cast(t, 3, o, func(h *HostConfig, _ *GroupConfig) {
			h.Inject = func(_ string, message any) {
				if _, started := message.(*actor.Started); !started && s.random.IntN(500) == 0 {
					panic(errInjected)
				}
			}
		})
		for i := range 60 {
			s.pass(100 * time.Millisecond)
			groups[i%3].ProposeAsync(fmt.Appendf(nil, "c%d", i), func(r Result, err error) {
				trace = append(trace, fmt.Sprint(i, r, err))
			})
		}
		s.pass(5 * time.Second)
		for _, e := range o.events {
			trace = append(trace, fmt.Sprint(e))
		}
		return trace
	}
	traces := make(map[string]bool)
	for seed := range uint64(10) {
		first, second := run(seed), run(seed)
		if !slices.Equal(first, second) {
			t.Errorf("seed %d gave two runs", seed)
		}
		traces[fmt.Sprint(first)] = true
	}
	if len(traces) < 10 {
		t.Errorf("10 seeds gave %d runs: the test shows little", len(traces))
	}
}

// Crashes of every actor at any message, and cut links, in many runs: what was
// acknowledged is there, what was said not to be done is not, every request has one
// answer, and the cast is well again once the crashes end.
func TestCrashesInManyRuns(t *testing.T) {
	for seed := range uint64(*seeds) {
		s := newSimulation(seed)
		o := newObserver(t)
		crashing := true
		groups := s.cast(t, 3, o, func(h *HostConfig, g *GroupConfig) {
			plenty := Budget{Restarts: 1000, Within: time.Second}
			h.HostBudget, h.TransportBudget, h.GroupBudget = plenty, plenty, plenty
			g.ServerBudget, g.LogBudget, g.MachineBudget = plenty, plenty, plenty
			h.Inject = func(string, any) {
				if crashing && s.random.IntN(200) == 0 {
					panic(errInjected)
				}
			}
		})
		told := make(map[string]Outcome)
		asked := 0
		for i := range 100 {
			s.pass(100 * time.Millisecond)
			switch from, to := raft.NodeID(1+s.random.IntN(3)), raft.NodeID(1+s.random.IntN(3)); s.random.IntN(20) {
			case 0:
				s.network.Isolate(from)
			case 1, 2:
				s.network.Cut(from, to)
			case 3, 4, 5:
				s.network.HealAll()
			}
			command := fmt.Sprint("c", i)
			asked++
			groups[i%3].ProposeAsync([]byte(command), func(r Result, err error) {
				if _, twice := told[command]; twice {
					t.Errorf("seed %d: %s was answered twice", seed, command)
				}
				told[command] = Outcome{Result: r, Err: err}
			})
		}
		crashing = false
		s.network.HealAll()
		s.pass(10 * groups[0].cfg.ElectionTimeout())
		after := errInjected
		groups[0].ProposeAsync([]byte("after"), func(_ Result, err error) { after = err })
		s.pass(groups[0].cfg.ElectionTimeout())
		if after != nil || len(told) != asked {
			t.Errorf("seed %d: after the crashes: %v; %d of %d requests answered", seed, after, len(told), asked)
		}
		o.compare(t, told)
	}
}

// However often server, log, group and host crash, a server feels time pass once,
// and at the clock's pace, in bunches or not.
func TestTicksComeAtTheClocksPace(t *testing.T) {
	s := newSimulation(1)
	ticks, crash := 0, ""
	groups := s.cast(t, 1, newObserver(t), func(h *HostConfig, g *GroupConfig) {
		plenty := Budget{Restarts: 1000, Within: time.Second}
		h.HostBudget, h.GroupBudget, g.ServerBudget, g.LogBudget = plenty, plenty, plenty, plenty
		h.Inject = func(name string, message any) {
			if m, ok := message.(tick); ok {
				ticks += m.count
			}
			if name == crash {
				crash = ""
				panic(errInjected)
			}
		}
	})
	g := groups[0]
	for _, name := range []string{"server", "log", "group", "host", "server", "server"} {
		for range 5 {
			crash = name
			g.send(g.pids.group, wakeup{})
			g.send(g.pids.host, wakeup{})
			s.pass(30 * time.Millisecond)
			s.settle()
		}
		before := ticks
		s.pass(100 * g.cfg.TickInterval)
		if n := ticks - before; n < 95 || n > 105 {
			t.Errorf("after crashes of the %s: %d ticks within 100 tick intervals", name, n)
		}
	}
}
