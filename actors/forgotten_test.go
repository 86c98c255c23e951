package actors

import (
	"errors"
	"strings"
	"testing"

	"castaway/persistence"
	"castaway/raft"
)

// TestC43 gives a follower an older copy of its data, or none, while the leader to
// whom it acknowledged more goes on. It halts with the reason, never votes again,
// and neither does its next start; the others go on without it.
func TestC43_AServerThatForgotWhatItAcknowledgedHalts(t *testing.T) {
	for _, empty := range []bool{false, true} {
		t.Run(map[bool]string{false: "an older copy", true: "an empty disk"}[empty], func(t *testing.T) {
			votes := newVoteWatch(t)
			c := newCluster(t, 3, func(h *HostConfig, _ *GroupConfig) { h.Network = votes.watch(h.Network) })
			leader := c.leader()
			c.put(leader, "before")
			c.agree()
			victim := c.followers(leader)[0]
			older := persistence.NewMemory()
			if !empty {
				older = copied(t, victim)
			}
			c.put(leader, "acknowledged")
			c.agree()
			c.halt(victim.id)
			victim.store = older
			before := votes.by(victim.id)

			for start := range 2 {
				c.start(victim.id)
				err := <-victim.failure
				if !errors.Is(err, persistence.ErrCorrupt) || !strings.Contains(err.Error(), "forgot what it had acknowledged") {
					t.Fatalf("start %d: the host failed with %v", start, err)
				}
				st := victim.status()
				if st.Behaviour != "halted" || !strings.Contains(st.Halted, "forgot what it had acknowledged") {
					t.Errorf("start %d: status: %q, %q", start, st.Behaviour, st.Halted)
				}
				_ = victim.group.Campaign(t.Context())
				c.put(leader, "the others go on")
				c.halt(victim.id)
				victim.store = victim.store.(*persistence.Memory).Crash(0)
				if _, err := victim.store.Load(victim.group.Config().Group, 0); !errors.Is(err, persistence.ErrCorrupt) {
					t.Errorf("start %d: a later start finds nothing wrong: %v", start, err)
				}
			}
			if votes.by(victim.id) != before {
				t.Error("the server that forgot voted")
			}
		})
	}
}

// copied is a backup of a node's store.
func copied(t *testing.T, n *node) *persistence.Memory {
	t.Helper()
	r, err := n.store.Load(n.group.Config().Group, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	m := persistence.NewMemory()
	if err := m.Append(n.group.Config().Group, &raft.Persist{HardState: &r.HardState, Entries: r.Tail}); err != nil {
		t.Fatal(err)
	}
	if err := m.Sync(); err != nil {
		t.Fatal(err)
	}
	return m
}
