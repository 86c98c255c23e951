package actors

import (
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"castaway/messages"
	"castaway/raft"
)

// driftingClock is a node's own, which goes at percent of the simulation's pace.
type driftingClock struct {
	s       *simulation
	percent int64
}

func (k driftingClock) Now() time.Time {
	return time.Unix(0, 0).Add(k.s.now.Sub(time.Unix(0, 0)) * time.Duration(k.percent) / 100)
}

func (k driftingClock) AfterFunc(d time.Duration, f func()) Timer {
	return k.s.AfterFunc(d*100/time.Duration(k.percent), f)
}

// staleReadWith cuts a leader off whose clock goes at one pace while the others' go at
// another, lets them elect at once, as soon as their promises let them, and says whether
// the old leader then missed what was acknowledged. restart crashes their servers first.
func staleReadWith(t *testing.T, seed uint64, leaders, followers int64, restart bool) (stale, moved bool) {
	s, o := newSimulation(seed), newObserver(t)
	crash := map[raft.NodeID]bool{}
	groups := s.cast(t, 3, o, func(h *HostConfig, g *GroupConfig) {
		g.LeaseReads, g.CheckQuorum, g.PreVote = true, false, false
		h.Clock = driftingClock{s, followers}
		if h.ID == 1 {
			h.Clock = driftingClock{s, leaders}
		}
		id := h.ID
		h.Inject = func(name string, m any) {
			if _, started := m.(*actor.Started); !started && name == "server" && crash[id] {
				crash[id] = false
				panic(errInjected)
			}
		}
	})
	old := groups[0]
	for range 100 { // the slow or fast clock is to be the leader's
		if s.pass(old.cfg.ElectionTimeout() / 4); o.newestLeader() == 1 {
			break
		}
		_ = old.Campaign(t.Context())
		if leader := o.newestLeader(); leader > 1 {
			s.network.Isolate(leader)
			s.pass(2 * old.cfg.ElectionTimeout())
			s.network.HealAll()
		}
	}
	if o.newestLeader() != 1 {
		return false, false
	}
	s.pass(2 * old.cfg.ElectionTimeout())
	s.pass(time.Duration(s.random.IntN(int(old.cfg.heartbeat()))))
	s.network.Isolate(1)
	if restart {
		crash[2], crash[3] = true, true
	}
	acknowledged, asked := false, false
	for end := s.Now().Add(3 * old.cfg.ElectionTimeout()); s.Now().Before(end); s.pass(5 * time.Millisecond) {
		after := acknowledged
		got := old.beginRead("x")
		s.settle()
		if count, answered := got.count(); answered && after && count == 0 {
			return true, true
		}
		_ = groups[1].Campaign(t.Context())
		s.settle()
		if o.newestLeader() != 1 && !asked {
			asked = true
			groups[o.newestLeader()-1].ProposeAsync([]byte("x"), func(_ Result, err error) { acknowledged = err == nil })
		}
	}
	return false, acknowledged
}

// With clocks at the ends of their bound, and others that seek to lead all the time, also
// when they have just crashed, no read by lease misses what was acknowledged.
func TestC32_ClocksThatDriftWithinTheBoundMakeNoReadStale(t *testing.T) {
	moved := 0
	for seed := range uint64(*seeds) {
		stale, led := staleReadWith(t, seed, 90, 110, seed%2 == 0)
		if stale {
			t.Fatalf("seed %d: the old leader missed what another had acknowledged", seed)
		}
		if led {
			moved++
		}
	}
	if moved < *seeds/2 {
		t.Errorf("another leader acknowledged something in %d of %d runs only: it shows little", moved, *seeds)
	}
}

// Beyond the bound there are stale reads, so that the test above would see them.
func TestC32_DriftBeyondTheBoundIsSeen(t *testing.T) {
	for seed := range uint64(*seeds) {
		if stale, _ := staleReadWith(t, seed, 40, 160, false); stale {
			return
		}
	}
	t.Error("clocks at 40 and 160 percent of the time's pace, and no read was stale")
}

// A leader that is cut off has no read confirmed, also when acknowledgements of earlier
// rounds arrive again, of which it had many.
func TestC31_ReplayedAcknowledgementsConfirmNoRead(t *testing.T) {
	s, o := newSimulation(1), newObserver(t)
	var acknowledgements []*messages.Envelope
	groups := s.cast(t, 3, o, func(h *HostConfig, g *GroupConfig) {
		g.CheckQuorum = false
		h.Inject = func(name string, m any) {
			if e, ok := m.(*messages.Envelope); ok && name == "server" {
				if _, reply := e.GetKind().(*messages.Envelope_HeartbeatReply); reply {
					acknowledgements = append(acknowledgements, e)
				}
			}
		}
	})
	s.pass(5 * groups[0].cfg.ElectionTimeout())
	leader := groups[o.newestLeader()-1]
	first := leader.beginRead("x")
	s.pass(5 * time.Millisecond)
	if _, answered := first.count(); !answered {
		t.Fatal("a leader that is heard answers no read")
	}
	old := acknowledgements
	s.network.Isolate(leader.Node())
	read := leader.beginRead("x")
	s.settle()
	for _, e := range old {
		if raft.NodeID(e.GetTo()) == leader.Node() {
			leader.send(leader.pids.server, e)
		}
	}
	s.pass(5 * time.Millisecond)
	if _, answered := read.count(); answered || len(old) < 10 {
		t.Errorf("after %d old acknowledgements the read is answered: %t", len(old), answered)
	}
}

// A follower's lag, too, counts from when it asked its leader, however long the answer
// took.
func TestAFollowersLagCountsFromTheQuestion(t *testing.T) {
	s, o := newSimulation(1), newObserver(t)
	groups := s.cast(t, 3, o, nil)
	s.pass(5 * groups[0].cfg.ElectionTimeout())
	leader := o.newestLeader()
	follower, third := groups[leader%3], groups[(leader+1)%3]
	asked := s.Now()
	s.network.Cut(leader, follower.Node()) // the question arrives, and the leader is not heard
	s.network.Cut(leader, third.Node())
	read := follower.beginRead("x")
	s.pass(5 * time.Millisecond)
	s.network.HealAll()
	if _, answered := read.count(); answered {
		t.Fatal("the read is answered without a quorum")
	}
	s.pass(2 * follower.cfg.heartbeat())
	_, answered := read.count()
	if last := follower.fresh.confirmed.Load(); !answered || last == nil || !last.asked.Equal(asked) {
		t.Errorf("asked at %v, answered (%t) by %v, it has %+v", asked, answered, s.Now(), last)
	}
}
