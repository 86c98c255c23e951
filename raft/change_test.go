package raft_test

import (
	"errors"
	"fmt"
	"testing"

	"castaway/raft"
)

// change proposes changes on a server.
func (c *cluster) change(id raft.NodeID, changes ...raft.Change) (err error) {
	c.input(id, func(core *raft.Core) raft.Effects {
		var e raft.Effects
		_, e, err = core.ProposeConfiguration(raft.ConfigurationChange{Changes: changes})
		return e
	})
	return err
}

func (c *cluster) configured(id raft.NodeID) string {
	cfg := c.servers[id].core.Status().Configuration
	return fmt.Sprint(cfg.Voters, cfg.OldVoters, cfg.Learners)
}

// C17: before an entry of the own term is committed, no change; C16: none while
// another is not committed.
func TestC17_NoChangeBeforeTheTermsFirstEntryIsCommitted(t *testing.T) {
	c := newCluster(t, 3)
	update := raft.Change{Kind: raft.ChangeUpdate, ID: 2, Context: []byte("there")}
	c.elect(1)
	c.split([]raft.NodeID{1}, []raft.NodeID{2, 3})
	c.passUntil(300, func() bool { return c.role(2) == raft.Leader || c.role(3) == raft.Leader })
	c.settle()
	for id := range c.servers {
		st := c.servers[id].core.Status()
		if st.Role != raft.Leader {
			continue
		}
		if err := c.change(id, update); st.Commit < st.Last.Index {
			c.want(errors.Is(err, raft.ErrNotReady) || errors.Is(err, raft.ErrChanging), "too early: %v", err)
		}
	}
	c.heal()
	c.pass(50)
	c.settle()
	leader := c.leader()
	if err := c.change(leader, update); err != nil {
		t.Fatal(err)
	}
	err := c.change(leader, update)
	c.want(errors.Is(err, raft.ErrChanging), "a second change while the first is not committed: %v", err)
	c.settle()
	c.want(c.change(leader, update) == nil, "and then one more")
}

// C15: a change that an isolated leader could not commit is reverted with its entry.
func TestC15_AnUncommittedChangeIsReverted(t *testing.T) {
	c := newCluster(t, 3)
	c.elect(1)
	c.settle()
	c.isolate(1)
	if err := c.change(1, raft.Change{Kind: raft.ChangeRemove, ID: 3}); err != nil {
		t.Fatal(err)
	}
	c.want(c.configured(1) == "[1 2] [1 2 3] []", "it is in force once appended: %s", c.configured(1))
	c.passUntil(200, func() bool { return c.role(2) == raft.Leader || c.role(3) == raft.Leader })
	c.settle()
	c.heal()
	c.pass(50)
	c.settle()
	c.want(c.configured(1) == "[1 2 3] [] []", "it was reverted: %s", c.configured(1))
}

// C20, C22: a leader removes itself through a joint configuration that it leaves by
// itself, does not count itself, steps down, and has one of the others take over at once.
func TestC20_ALeaderRemovesItself(t *testing.T) {
	for _, n := range []int{2, 3} {
		c := newCluster(t, n)
		c.elect(1)
		c.settle()
		if err := c.change(1, raft.Change{Kind: raft.ChangeRemove, ID: 1}); err != nil {
			t.Fatal(err)
		}
		cfg := c.servers[1].core.Status().Configuration
		c.want(cfg.Joint(), "a change of voters is joint: %s", c.configured(1))
		c.settle()
		c.want(c.role(1) == raft.Follower, "it has stepped down: %s", c.describe(1))
		cfg = c.servers[1].core.Status().Configuration
		c.want(!cfg.IsMember(1), "it is out: %s", c.configured(1))
		c.want(c.leader() != 1 && c.leader() != raft.None, "another leads, and no time has passed: %d", c.leader())
	}
}

// C21: a server that does not know of its removal, and asks for votes without asking first,
// raises nobody's term but its own, and costs nobody its leadership.
func TestC21_ARemovedServerRaisesNoTerms(t *testing.T) {
	c := newCluster(t, 3, withConfig(func(cfg *raft.Config) { cfg.PreVote = cfg.ID != 3 }))
	c.elect(1)
	c.settle()
	c.isolate(3)
	if err := c.change(1, raft.Change{Kind: raft.ChangeRemove, ID: 3}); err != nil {
		t.Fatal(err)
	}
	c.pass(20 * timeout) // nobody tells it any more
	term := c.term(1)
	c.heal()
	for range 5 * timeout {
		c.pass(1)
		c.want(c.role(1) == raft.Leader && c.term(1) == term && c.term(2) == term,
			"1 is %s, 2 is %s, and 3 is %s", c.describe(1), c.describe(2), c.describe(3))
	}
	c.want(c.term(3) > term, "it asked for votes: %s", c.describe(3))
}
