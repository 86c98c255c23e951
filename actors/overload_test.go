package actors

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"castaway/raft"
)

// overloadedBy checks that err refuses for the limit, says that nothing was done, and
// when to come back.
func overloadedBy(t *testing.T, err error, limit string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Reason != ReasonOverloaded || e.Limit != limit || e.RetryAfter <= 0 || e.Indeterminate {
		t.Errorf("got %+v; want a refusal that names %s and says when to come back", err, limit)
	}
}

// Once what waits at a leader has waited for MaxQueueWait, who comes is refused at
// once. Without a leader requests wait for as long as it takes to elect one.
func TestOverload_WhoWouldWaitTooLongIsRefusedAtOnce(t *testing.T) {
	s := newSimulation(5)
	groups := s.cast(t, 3, newObserver(t), func(_ *HostConfig, g *GroupConfig) { g.Limits.MaxQueueWait = 200 * time.Millisecond })
	s.pass(3 * groups[0].cfg.ElectionTimeout())
	leader := groups[0]
	for _, g := range groups {
		if status := statusIn(s, g); status.Raft.Role == raft.Leader {
			leader = g
		}
	}
	var errs []error
	ask := func() {
		leader.ProposeAsync([]byte("x"), func(_ Result, err error) { errs = append(errs, err) })
		s.settle()
	}
	s.network.Isolate(leader.Node())
	for range leader.cfg.Limits.MaxUncommittedBatches + 1 {
		ask() // the last of them waits for its turn
	}
	s.pass(100 * time.Millisecond)
	ask()
	if len(errs) > 0 {
		t.Fatalf("refused before MaxQueueWait: %v", errs)
	}
	s.pass(150 * time.Millisecond)
	ask()
	if len(errs) != 1 {
		t.Fatalf("%d are refused once the first has waited for longer than MaxQueueWait; want 1", len(errs))
	}
	overloadedBy(t, errs[0], "MaxQueueWait")
	s.pass(leader.cfg.ElectionTimeout()) // the leader has stepped down
	errs = nil
	ask()
	s.pass(100 * time.Millisecond)
	ask()
	if len(errs) > 0 {
		t.Errorf("refused while there is no leader to wait for: %v", errs)
	}
}

// While a leader is silent, and the next one not yet elected, nobody is refused at a
// follower for what is not overload.
func TestOverload_AFailoverIsNone(t *testing.T) {
	for seed := range uint64(10) {
		s := newSimulation(seed)
		groups := s.cast(t, 3, newObserver(t), func(_ *HostConfig, g *GroupConfig) { g.Limits.MaxQueueWait = 600 * time.Millisecond })
		s.pass(3 * groups[0].cfg.ElectionTimeout())
		leader, follower := groups[0], groups[1]
		for i, g := range groups {
			if statusIn(s, g).Raft.Role == raft.Leader {
				leader, follower = g, groups[(i+1)%3]
			}
		}
		s.network.Isolate(leader.Node())
		asked, answered := 0, 0
		for range 50 {
			asked++
			follower.ProposeAsync([]byte("x"), func(_ Result, err error) {
				answered++
				var e *Error
				if errors.As(err, &e) && e.Reason == ReasonOverloaded {
					t.Errorf("seed %d: refused in a failover: %v", seed, err)
				}
			})
			s.pass(50 * time.Millisecond)
		}
		s.pass(3 * follower.cfg.ElectionTimeout())
		if answered != asked {
			t.Errorf("seed %d: %d of %d answered", seed, answered, asked)
		}
	}
}

func statusIn(s *simulation, g *Group) Status {
	ask := &statusRequest{answer: make(chan Status, 1)}
	if err := g.server.pushControl(ask); err != nil {
		return Status{}
	}
	s.settle()
	return <-ask.answer
}

// dear is a machine whose queries take time.
type dear struct {
	StateMachine
	queries int
	spend   func()
}

func (d *dear) Query(any) (any, error) {
	d.queries++
	d.spend()
	return nil, nil
}

// dearGroup is one group of one, with reads that wait.
func dearGroup(t *testing.T, s *simulation, spend func()) (*Group, *dear) {
	t.Helper()
	o := newObserver(t)
	d := &dear{StateMachine: &journal{observer: o}, spend: spend}
	g := s.cast(t, 1, o, func(_ *HostConfig, g *GroupConfig) { g.Machine = func() StateMachine { return d } })[0]
	s.pass(3 * g.cfg.ElectionTimeout())
	return g, d
}

func readsOf(t *testing.T, g *Group, n int) []*waiter {
	t.Helper()
	ws := make([]*waiter, n)
	for i := range ws {
		ws[i] = newWaiter()
		ws[i].query = "x"
		if err := g.machine.inbox.pushRead(ws[i]); err != nil {
			t.Fatal(err)
		}
	}
	return ws
}

// spin takes some time of a CPU.
func spin() {
	for begin := time.Now(); time.Since(begin) < 50*time.Microsecond; {
		continue
	}
}

// A flood of reads does not hold up a write: they take turns.
func TestOverload_ReadsAndWritesTakeTurns(t *testing.T) {
	const flood = 2000
	var queries atomic.Int64
	all := make(chan struct{})
	c := newCluster(t, 1, func(_ *HostConfig, g *GroupConfig) {
		g.Limits.MaxQueueWait = time.Hour
		inner := g.Machine
		g.Machine = func() StateMachine {
			return &dear{StateMachine: inner(), spend: func() { <-all; queries.Add(1); spin() }}
		}
	})
	g := c.leader().group
	ws := readsOf(t, g, flood)
	close(all)
	for queries.Load() < 10 { // the flood is under way
		runtime.Gosched()
	}
	written := make(chan int64)
	g.ProposeAsync([]byte("x"), func(Result, error) {
		at := queries.Load()
		go func() { written <- at }()
	})
	if at := <-written; at > flood/2 {
		t.Errorf("a write was answered after %d of %d reads", at, flood)
	}
	for _, w := range ws {
		<-w.done
	}
}

// A read that the machine was too busy for is refused, not answered late; and one
// whose caller has gone costs nothing.
func TestOverload_ReadsThatNobodyWantsAnyMoreCostNothing(t *testing.T) {
	s := newSimulation(7)
	const each, many, withdrawn = 10 * time.Millisecond, 1000, 50
	var ws []*waiter
	g, d := dearGroup(t, s, func() {
		s.now = s.now.Add(each)
		for _, w := range ws[1 : 1+withdrawn] {
			w.state.CompareAndSwap(taken, gone) // as wait does when the context ends
		}
	})
	ws = readsOf(t, g, many)
	s.settle()
	bound := int(g.cfg.Limits.MaxQueueWait/each) + readsALook
	if d.queries > bound {
		t.Errorf("the machine answered %d reads of %v each; want those within MaxQueueWait, %d", d.queries, each, bound)
	}
	answered := 0
	for _, w := range slices.Delete(ws, 1, 1+withdrawn) {
		<-w.done
		if w.err == nil {
			answered++
		} else {
			overloadedBy(t, w.err, "MaxQueueWait")
		}
	}
	if answered != d.queries {
		t.Errorf("%d queries for %d answers", d.queries, answered)
	}
}

// closedLoops measures how many commands a second a group carries.
func closedLoops(t *testing.T, g *Group, clients, each, size int) float64 {
	t.Helper()
	var wg sync.WaitGroup
	begin := time.Now()
	for range clients {
		wg.Go(func() {
			for range each {
				if _, err := g.Propose(t.Context(), make([]byte, size)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	return float64(clients*each) / time.Since(begin).Seconds()
}

// Far more commands than a group carries: those that it takes it does, the others it
// refuses by the name of a limit; its memory stays bounded, and nobody campaigns.
func TestOverload_TenTimesTheLoadCostsNoElectionAndNoMemory(t *testing.T) {
	const producers, times, size, milliseconds = 4, 10, 1024, 1000
	c := newCluster(t, 3, func(_ *HostConfig, g *GroupConfig) {
		g.ElectionTicks, g.HeartbeatTicks, g.PatienceTicks = 200, 20, 400
		g.Limits.MaxQueuedCommands, g.Limits.CacheBytes = 2000, 1<<20
	})
	leader := c.leader()
	term := leader.status().Raft.HardState.Term
	carries := closedLoops(t, leader.group, 256, 60, size)
	each := int(times*carries*milliseconds/1000/producers) + 1
	var done, refused, left atomic.Int64
	left.Store(int64(producers * each))
	finished := make(chan struct{})
	then := func(_ Result, err error) {
		var e *Error
		switch {
		case err == nil:
			done.Add(1)
		case errors.As(err, &e) && e.Reason == ReasonOverloaded && e.Limit != "" && e.RetryAfter > 0 && !e.Indeterminate:
			refused.Add(1)
		default:
			t.Errorf("neither done nor refused: %v", err)
		}
		if left.Add(-1) == 0 {
			close(finished)
		}
	}
	begin := time.Now()
	for p := range producers {
		go func() {
			pace := time.NewTicker(time.Millisecond)
			defer pace.Stop()
			for sent := 0; sent < each; {
				<-pace.C
				due := int(times * carries / producers * time.Since(begin).Seconds())
				for ; sent < min(due, each); sent++ {
					command := make([]byte, size)
					copy(command, fmt.Sprint(p, "-", sent))
					leader.group.ProposeAsync(command, then)
				}
			}
		}()
	}
	<-finished
	if done.Load() == 0 || refused.Load() == 0 {
		t.Errorf("%d done, %d refused: the test shows little", done.Load(), refused.Load())
	}
	if now := leader.status(); now.Raft.Role != raft.Leader || now.Raft.HardState.Term != term {
		t.Errorf("an election: term %d became %d", term, now.Raft.HardState.Term)
	}
	if proposals, reads := leader.group.server.counts(); proposals+reads > 0 {
		t.Errorf("%d proposals and %d reads still wait", proposals, reads)
	}
	rate := func(n int64) float64 { return float64(n) / time.Since(begin).Seconds() }
	t.Logf("closed loops: %.0f a second; offered %.0f, done %.0f, refused %.0f a second", carries, rate(int64(producers*each)), rate(done.Load()), rate(refused.Load()))
	if _, err := leader.group.Propose(context.Background(), []byte("after")); err != nil {
		t.Error(err)
	}
}
