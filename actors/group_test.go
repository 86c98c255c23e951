package actors

import (
	"context"
	"testing"
	"time"
)

// Three servers elect a leader, replicate a command that came in at any of them,
// and answer a read of it anywhere.
func TestThreeServersReplicate(t *testing.T) {
	c := newCluster(t, 3, nil)
	leader := c.leader()
	ctx, cancel := context.WithTimeout(context.Background(), 20*c.timeout())
	defer cancel()
	for i, n := range append(c.followers(leader), leader) {
		command := string(rune('a' + i))
		r, err := n.group.Propose(ctx, []byte(command))
		if err != nil {
			t.Fatalf("propose on node %d: %v", n.id, err)
		}
		if !c.observer.holds(r.Index, command) {
			t.Errorf("node %d answered index %d for %q, which was not applied there", n.id, r.Index, command)
		}
		for _, reader := range c.nodes {
			v, err := reader.group.Read(ctx, command, Linearizable)
			if err != nil || v != 1 {
				t.Errorf("node %d reads %v, %v", reader.id, v, err)
			}
		}
	}
	c.agree()
}

func BenchmarkPropose(b *testing.B) {
	c := newCluster(b, 3, func(_ *HostConfig, g *GroupConfig) {
		g.TickInterval, g.ElectionTicks, g.HeartbeatTicks = 20*time.Millisecond, 50, 5
		g.Machine = func() StateMachine { return &journal{} }
	})
	leader := c.leader()
	b.SetParallelism(512)
	command := make([]byte, 256)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := leader.group.Propose(context.Background(), command); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
