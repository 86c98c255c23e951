package actors

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"castaway/persistence"
	"castaway/raft"
)

// join starts a node that is no founding member.
func (c *cluster) join(id raft.NodeID) *node {
	c.t.Helper()
	tune := c.tune
	c.tune = func(h *HostConfig, g *GroupConfig) {
		if tune != nil {
			tune(h, g)
		}
		if h.ID == id {
			g.Voters, g.Join = nil, true
		}
	}
	n := &node{id: id, store: persistence.NewMemory()}
	c.nodes[id] = n
	c.start(id)
	c.ids = append(c.ids, id)
	return n
}

// change changes the members through whoever leads, until that is done.
func (c *cluster) change(changes ...raft.Change) {
	c.t.Helper()
	var last error
	c.eventually(60, "change of members", func() bool {
		n := c.leader()
		ctx, cancel := context.WithTimeout(context.Background(), 8*c.timeout())
		defer cancel()
		_, last = n.group.ChangeConfiguration(ctx, raft.ConfigurationChange{Changes: changes})
		return last == nil
	})
}

// voters waits until the leader's committed configuration has these voters.
func (c *cluster) voters(want ...raft.NodeID) {
	c.t.Helper()
	c.eventually(60, "configuration", func() bool {
		st := c.leader().status().Raft
		return st.ConfigurationCommitted && !st.Configuration.Joint() && slices.Equal(st.Configuration.Voters, want)
	})
}

// C19, C22: a server joins as a learner, is caught up, gets its vote by itself, and
// the cluster goes on with it when one of the founders is gone.
func TestC19_AServerJoinsIsCaughtUpAndVotes(t *testing.T) {
	c := newCluster(t, 3, nil)
	for range 50 {
		c.put(c.leader(), "before")
	}
	c.change(raft.Change{Kind: raft.ChangeAddVoter, ID: 4, Context: []byte("at 4")})
	if st := c.leader().status().Raft; !slices.Equal(st.Configuration.Promoting, []raft.NodeID{4}) {
		t.Errorf("the new server is to be a learner first: %+v", st.Configuration)
	}
	c.join(4)
	c.voters(1, 2, 3, 4)
	c.agree()
	c.halt(c.leader().id)
	c.put(c.nodes[4], "after")
	c.agree()
}

// C19: a server that was added and never started is given up after CatchUpTicks: the leader
// says so, and goes on without it.
func TestC19_AServerThatNeverStartsIsGivenUp(t *testing.T) {
	c := newCluster(t, 3, func(_ *HostConfig, g *GroupConfig) { g.CatchUpTicks = 4 * g.ElectionTicks })
	gaveUp := make(chan Event, 10)
	for _, n := range c.nodes {
		defer n.group.Watch(func(e Event) {
			if e.Kind == EventGaveUp {
				gaveUp <- e
			}
		})()
	}
	c.change(raft.Change{Kind: raft.ChangeAddVoter, ID: 4})
	select {
	case e := <-gaveUp:
		if !strings.Contains(e.Detail, "node 4") || !strings.Contains(e.Detail, "CatchUpTicks") {
			t.Errorf("it says %q", e.Detail)
		}
	case <-time.After(40 * c.timeout()):
		t.Fatal("nobody gives it up")
	}
	c.eventually(60, "configuration without it", func() bool {
		st := c.leader().status().Raft
		return st.ConfigurationCommitted && len(st.Configuration.Learners) == 0
	})
	c.put(c.leader(), "after")
	c.agree()
}

// C20: a leader that removes itself hands on, ends, and says why; the others go on.
func TestC20_TheLeaderIsRemoved(t *testing.T) {
	for _, size := range []int{2, 3} {
		c := newCluster(t, size, nil)
		leader := c.leader()
		c.put(leader, "before")
		c.change(raft.Change{Kind: raft.ChangeRemove, ID: leader.id})
		select {
		case err := <-leader.failure:
			if !errors.Is(err, ErrRemoved) {
				t.Errorf("it ended with %v", err)
			}
		case <-time.After(40 * c.timeout()):
			t.Fatal("the removed leader does not end")
		}
		c.halt(leader.id)
		rest := c.followers(leader)
		c.put(rest[0], "after")
		c.agree()
	}
}

// C14: leadership goes to the named server without an election timeout, and nothing
// that was acknowledged is lost.
func TestC14_LeadershipIsTransferred(t *testing.T) {
	c := newCluster(t, 3, nil)
	leader := c.leader()
	c.put(leader, "before")
	to := c.followers(leader)[0]
	ctx, cancel := context.WithTimeout(context.Background(), 20*c.timeout())
	defer cancel()
	if err := leader.group.TransferLeadership(ctx, to.id); err != nil {
		t.Fatal(err)
	}
	if now := c.leader(); now.id != to.id {
		t.Errorf("node %d leads, want %d", now.id, to.id)
	}
	c.put(leader, "after")
	c.agree()
}

// C12, C16, C23: what cannot be is refused, with the reason.
func TestC12_ImpossibleChangesAreRefused(t *testing.T) {
	c := newCluster(t, 3, nil)
	n := c.leader()
	for name, x := range map[string]struct {
		change raft.ConfigurationChange
		is     error
	}{
		"an id of before":  {raft.ConfigurationChange{Changes: []raft.Change{{Kind: raft.ChangeAddLearner, ID: 0}}}, raft.ErrMember},
		"a member":         {raft.ConfigurationChange{Changes: []raft.Change{{Kind: raft.ChangeAddVoter, ID: 2}}}, raft.ErrMember},
		"no member":        {raft.ConfigurationChange{Changes: []raft.Change{{Kind: raft.ChangeRemove, ID: 9}}}, raft.ErrMember},
		"no learner":       {raft.ConfigurationChange{Changes: []raft.Change{{Kind: raft.ChangePromote, ID: 2}}}, raft.ErrMember},
		"another's change": {raft.ConfigurationChange{If: 999, Changes: []raft.Change{{Kind: raft.ChangeAddLearner, ID: 4}}}, raft.ErrStale},
		"nobody left": {raft.ConfigurationChange{Changes: []raft.Change{{Kind: raft.ChangeRemove, ID: 1},
			{Kind: raft.ChangeRemove, ID: 2}, {Kind: raft.ChangeRemove, ID: 3}}}, raft.ErrMember},
	} {
		if _, err := n.group.ChangeConfiguration(t.Context(), x.change); !errors.Is(err, x.is) || errors.Is(err, ErrIndeterminate) {
			t.Errorf("%s: got %v, want %v", name, err, x.is)
		}
	}
	gone := c.followers(n)[0]
	c.change(raft.Change{Kind: raft.ChangeRemove, ID: gone.id})
	_, err := c.leader().group.ChangeConfiguration(t.Context(), raft.ConfigurationChange{Changes: []raft.Change{{Kind: raft.ChangeAddVoter, ID: gone.id}}})
	if !errors.Is(err, raft.ErrRemoved) {
		t.Errorf("a removed id: got %v", err)
	}
}
