package actors

import (
	"testing"
	"time"

	"castaway/raft"
)

// leased is a simulated group of three with lease reads, its nodes' groups by id, and the
// leader.
func leased(t *testing.T, s *simulation) (groups []*Group, leader *Group) {
	t.Helper()
	o := newObserver(t)
	groups = s.cast(t, 3, o, func(_ *HostConfig, g *GroupConfig) {
		g.LeaseReads, g.CheckQuorum = true, false // nothing but its lease stops a leader that is cut off
	})
	s.pass(5 * groups[0].cfg.ElectionTimeout())
	return groups, groups[o.newestLeader()-1]
}

func (o *observer) newestLeader() raft.NodeID {
	o.mu.Lock()
	defer o.mu.Unlock()
	var newest raft.Term
	for term := range o.leaders {
		newest = max(newest, term)
	}
	return o.leaders[newest]
}

// beginRead is a read that nobody waits for yet. It may be refused, where others wait too
// long already.
func (g *Group) beginRead(key string) *waiter {
	w := newWaiter()
	w.query = key
	_ = g.server.pushRead(w)
	return w
}

// count is what a read was answered, if it was.
func (w *waiter) count() (count int, answered bool) {
	select {
	case <-w.done:
		count, answered = w.value.(int)
	default:
	}
	return count, answered
}

// A leader with a lease answers reads while it hears nobody; once the lease is over, it
// answers none, until somebody answers it.
func TestC32_ALeaseAnswersReadsWithoutARound(t *testing.T) {
	s := newSimulation(1)
	_, leader := leased(t, s)
	leader.ProposeAsync([]byte("x"), func(Result, error) {})
	s.pass(leader.cfg.ElectionTimeout())
	s.network.Isolate(leader.Node())
	s.pass(5 * time.Millisecond)
	first := leader.beginRead("x")
	s.pass(5 * time.Millisecond)
	if count, answered := first.count(); !answered || count != 1 {
		t.Errorf("within its lease, the leader that is cut off answers %d (%t)", count, answered)
	}
	lease, _ := leader.cfg.leases()
	s.pass(time.Duration(lease))
	late := leader.beginRead("x")
	s.pass(5 * time.Millisecond)
	if count, answered := late.count(); answered {
		t.Errorf("after its lease, the leader that is cut off answers %d", count)
	}
}

// Whatever moment a leader loses the others at: once anything is acknowledged by another
// leader, no read at the old one misses it.
func TestC32_NoLeaseReadMissesWhatWasAcknowledged(t *testing.T) {
	for seed := range uint64(*seeds) {
		s := newSimulation(seed)
		groups, old := leased(t, s)
		s.pass(time.Duration(s.random.IntN(int(old.cfg.heartbeat()))))
		s.network.Isolate(old.Node())
		writes, acknowledged := 0, 0
		for end := s.Now().Add(4 * old.cfg.ElectionTimeout()); s.Now().Before(end); s.pass(5 * time.Millisecond) {
			least := acknowledged
			got := old.beginRead("x")
			s.settle()
			if count, answered := got.count(); answered && count < least {
				t.Fatalf("seed %d: a read at the old leader has %d, and %d were acknowledged before", seed, count, least)
			}
			if other := groups[s.random.IntN(3)]; other != old && writes == acknowledged {
				writes++
				other.ProposeAsync([]byte("x"), func(_ Result, err error) {
					if err == nil {
						acknowledged++
					} else {
						writes--
					}
				})
			}
		}
		if acknowledged == 0 {
			t.Errorf("seed %d: nothing was acknowledged by another leader: it shows nothing", seed)
		}
	}
}
