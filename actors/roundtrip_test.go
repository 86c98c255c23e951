package actors

import (
	"sync"
	"testing"
	"time"

	"castaway/raft"
)

// A leader measures the way of its heartbeats to each of its followers and back; whoever
// does not lead has nothing to measure.
func TestHeartbeatsAreMeasuredAtTheLeader(t *testing.T) {
	type way struct{ from, to raft.NodeID }
	var mu sync.Mutex
	measured := make(map[way]int)
	c := newCluster(t, 3, func(h *HostConfig, _ *GroupConfig) {
		from := h.ID
		h.OnRoundTrip = func(_ raft.GroupID, to raft.NodeID, took time.Duration) {
			if took < 0 {
				t.Errorf("a heartbeat from %d to %d took %v", from, to, took)
			}
			mu.Lock()
			defer mu.Unlock()
			measured[way{from, to}]++
		}
	})
	leader := c.leader()
	rest := c.followers(leader)
	c.eventually(10, "heartbeats to both followers", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return measured[way{leader.id, rest[0].id}] >= 3 && measured[way{leader.id, rest[1].id}] >= 3
	})
	leads := map[raft.NodeID]bool{}
	c.observer.mu.Lock()
	for _, id := range c.observer.leaders {
		leads[id] = true
	}
	c.observer.mu.Unlock()
	mu.Lock()
	defer mu.Unlock()
	for w := range measured {
		if !leads[w.from] || w.from == w.to {
			t.Errorf("node %d, which never led, measured heartbeats to %d", w.from, w.to)
		}
	}
}

// Heartbeats that share an envelope are measured as well, each for its group.
func TestHeartbeatsOfManyGroupsAreMeasured(t *testing.T) {
	s := newSimulation(1)
	measured := map[raft.GroupID]map[raft.NodeID]int{1: {}, 2: {}}
	groups, _ := s.castMany(t, 3, 2, func(h *HostConfig, _ *GroupConfig) {
		h.OnRoundTrip = func(group raft.GroupID, to raft.NodeID, took time.Duration) {
			if took < 0 || took > time.Second {
				t.Errorf("a heartbeat of group %d to %d took %v", group, to, took)
			}
			measured[group][to]++
		}
	})
	s.pass(5 * groups[0][0].cfg.ElectionTimeout())
	for group, by := range measured {
		if len(by) < 2 {
			t.Errorf("of group %d, the heartbeats to %v were measured, want two followers", group, by)
		}
	}
}

// A reply that comes back after many rounds says nothing, and is not taken for the reply
// to the round that has its place now.
func TestAnOldHeartbeatsReplyIsNotMeasured(t *testing.T) {
	var r rounds
	begin := time.Unix(0, 0)
	for n := uint64(1); n <= keptRounds+1; n++ {
		r.began(n, begin.Add(time.Duration(n)*time.Second))
	}
	now := begin.Add(time.Minute)
	if took, known := r.took(1, now); known {
		t.Errorf("round 1, long forgotten, took %v", took)
	}
	if took, known := r.took(2, now); !known || took != 58*time.Second {
		t.Errorf("round 2 took %v (known: %t), want 58s", took, known)
	}
	if _, known := r.took(0, now); known {
		t.Error("a round that never was is known")
	}
}
