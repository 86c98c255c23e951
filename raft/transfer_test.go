package raft_test

import (
	"errors"
	"testing"

	"castaway/raft"
)

func (c *cluster) transferLeadership(from, to raft.NodeID) (err error) {
	c.input(from, func(core *raft.Core) raft.Effects {
		var e raft.Effects
		e, err = core.TransferLeadership(to)
		return e
	})
	return err
}

// The named voter leads the next term, though everybody hears its leader; proposals are
// held back only until then (C14, and C21's exception for a transfer).
func TestC14_LeadershipGoesWhereItIsSent(t *testing.T) {
	c := newCluster(t, 3)
	c.elect(1)
	c.settle()
	term := c.term(1)
	c.sever(1, 3)
	c.propose(1, "3 has not got this")
	c.settle()
	c.heal()
	if err := c.transferLeadership(1, 3); err != nil {
		t.Fatal(err)
	}
	_, err := c.tryPropose(1, "held back")
	c.want(errors.Is(err, raft.ErrTransferring), "a proposal meanwhile: %v", err)
	c.passUntil(electionTicks, func() bool { return c.role(3) == raft.Leader })
	c.settle()
	c.want(c.leader() == 3 && c.term(3) == term+1, "3 leads the next term: %s", c.describe(3))
	c.propose(3, "and takes proposals")
	c.settle()
	c.want(c.commit(3) == c.servers[3].core.Status().Last.Index, "which it commits: %s", c.describe(3))
}

// The target dies in the middle: after an election timeout the leader takes proposals
// again, in its own term (C14).
func TestC14_TheTargetDies(t *testing.T) {
	c := newCluster(t, 3)
	c.elect(1)
	c.settle()
	term := c.term(1)
	if err := c.transferLeadership(1, 2); err != nil {
		t.Fatal(err)
	}
	c.crash(2, 0)
	for range electionTicks - 1 {
		c.pass(1)
		_, err := c.tryPropose(1, "held back")
		c.want(errors.Is(err, raft.ErrTransferring), "a proposal meanwhile: %v", err)
	}
	c.pass(1)
	c.propose(1, "again")
	c.settle()
	c.want(c.role(1) == raft.Leader && c.term(1) == term && c.commit(1) == c.servers[1].core.Status().Last.Index,
		"the leader resumes: %s", c.describe(1))
}

// Nobody but another voter who is heard is handed leadership.
func TestC14_WhoCannotLeadIsNotAsked(t *testing.T) {
	c := newCluster(t, 4, func(o *options) { o.Voters, o.Learners = []raft.NodeID{1, 2, 3}, []raft.NodeID{4} })
	c.elect(1)
	c.settle()
	for _, to := range []raft.NodeID{1, 4, 9} {
		err := c.transferLeadership(1, to)
		c.want(errors.Is(err, raft.ErrTransferee), "to %d: %v", to, err)
	}
	c.isolate(2)
	c.pass(2 * electionTicks)
	err := c.transferLeadership(1, 2)
	c.want(errors.Is(err, raft.ErrTransferee), "to one that is not heard: %v", err)
	err = c.transferLeadership(2, 3)
	c.want(errors.Is(err, raft.ErrNotLeader), "by one that does not lead: %v", err)
	if err := c.transferLeadership(1, raft.None); err != nil {
		t.Fatal(err)
	}
	c.passUntil(electionTicks, func() bool { return c.role(3) == raft.Leader })
	c.want(c.role(3) == raft.Leader, "the one that is heard is the best: %s", c.describe(3))
}

// A leader that is on its way out when it hands over has asked somebody already: it asks
// nobody else to compete with that one once its removal is committed.
func TestC20_ARemovedLeaderAsksOneSuccessor(t *testing.T) {
	c := newCluster(t, 3)
	c.elect(1)
	c.settle()
	if err := c.change(1, raft.Change{Kind: raft.ChangeRemove, ID: 1}); err != nil {
		t.Fatal(err)
	}
	var asked []raft.NodeID
	for handed := false; ; {
		c.disks()
		if len(c.net.queue) == 0 {
			break
		}
		e := c.net.take(0)
		if m, ok := e.Message.(*raft.TimeoutNow); ok {
			asked = append(asked, m.To) // and does not arrive
			continue
		}
		c.arrive(e)
		if !handed && c.role(1) == raft.Leader && c.configured(1) == "[2 3] [] []" {
			handed = c.transferLeadership(1, 3) == nil
		}
	}
	c.want(c.role(1) == raft.Follower, "it has stepped down: %s", c.describe(1))
	c.want(len(asked) == 1 && asked[0] == 3, "asked were %v", asked)
}
