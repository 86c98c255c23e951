package actors

import (
	"sync/atomic"
	"testing"

	"castaway/raft"
)

// A leader's disk hangs: no write ends, and none fails. The leader hands leadership over
// within two election timeouts, at a time when everybody hears its heartbeats; nobody has
// to wait for an election. Once its disk goes on, it has all that it missed.
func TestALeaderWhoseDiskHangsStandsAside(t *testing.T) {
	stores := make(map[raft.NodeID]*trickyStore)
	c := newCluster(t, 3, tricky(stores))
	old := c.leader()
	c.put(old, "before")
	term := old.status().Raft.HardState.Term
	hung := make(chan Event, 100)
	old.group.Watch(func(e Event) {
		if e.Kind == EventDisk {
			hung <- e
		}
	})
	release := stores[old.id].jam()
	defer release()
	old.group.ProposeAsync([]byte("on two disks of three"), func(Result, error) {})
	c.eventually(4, "other leader", func() bool {
		for _, n := range c.followers(old) {
			if st := n.status(); st.Behaviour == "leader" && st.Raft.HardState.Term == term+1 {
				return true
			}
		}
		return false
	})
	if e := <-hung; e.Detail == "" {
		t.Error("the event does not say what happened")
	}
	c.put(c.followers(old)[0], "while it hangs")
	if s := old.status().Raft; s.Role != raft.Follower {
		t.Errorf("the one whose disk hangs is a %v", s.Role)
	}
	release()
	c.put(old, "after")
	c.agree()
}

// A disk that is slow, but gets on, is no reason to go.
func TestALeaderWhoseDiskIsSlowStays(t *testing.T) {
	stores, ticks := make(map[raft.NodeID]*trickyStore), make(map[raft.NodeID]*atomic.Int64)
	c := newCluster(t, 3, func(h *HostConfig, g *GroupConfig) {
		tricky(stores)(h, g)
		g.Limits.MaxUnsyncedBatches = 4
		passed := &atomic.Int64{}
		ticks[h.ID] = passed
		h.Inject = func(actor string, message any) {
			if m, ok := message.(tick); ok && actor == "server" {
				passed.Add(int64(m.count))
			}
		}
	})
	leader := c.leader()
	c.put(leader, "before")
	from, stall := leader.status().Raft.HardState.Term, int64(leader.group.cfg.StallTicks)
	disk := stores[leader.id]
	hung := 0
	hangs := func() bool {
		disk.mu.Lock()
		defer disk.mu.Unlock()
		return disk.waiting > hung
	}
	release := disk.jam()
	leader.group.ProposeAsync([]byte("slowly"), func(Result, error) {})
	for end := ticks[leader.id].Load() + 3*stall; ticks[leader.id].Load() < end; {
		c.eventually(10, "write that hangs", hangs)
		hung++
		// The disk is never even: one more waits behind the one that hangs.
		leader.group.ProposeAsync([]byte("slowly"), func(Result, error) {})
		c.eventually(10, "two writes", func() bool {
			r := leader.status().Raft
			return r.Last.Index >= r.Durable+2
		})
		since := ticks[leader.id].Load()
		c.eventually(10, "time to pass", func() bool { return ticks[leader.id].Load() >= since+stall/4 })
		next := disk.jam()
		release()
		release = next
	}
	release()
	if term := leader.status().Raft.HardState.Term; term != from || leader.status().Behaviour != "leader" {
		t.Errorf("leadership went from term %d to %d", from, term)
	}
}
