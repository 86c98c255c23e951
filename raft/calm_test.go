package raft_test

import (
	"testing"

	"castaway/raft"
)

// A cluster with nothing to do is calm on every server, and not while anything is on
// its way, nobody leads, or somebody is silent for half of an election timeout.
func TestCalmIsWhoNeedsNoTicksButForHeartbeats(t *testing.T) {
	c := newCluster(t, 3)
	calm := func(want bool, when string) {
		t.Helper()
		for _, id := range c.ids {
			c.want(c.servers[id].core.Calm() == want, "%s, server %d says that it is calm: %v", when, id, !want)
		}
	}
	calm(false, "before anyone leads")
	c.elect(1)
	c.pass(2 * heartbeatTicks)
	calm(true, "with nothing to do")
	c.tick(2, electionTicks/2+1)
	c.want(!c.servers[2].core.Calm(), "a follower is calm without a leader's word")
	c.pass(2 * heartbeatTicks)
	calm(true, "with the leader heard again")
	c.isolate(3)
	c.pass(electionTicks/2 + heartbeatTicks)
	c.want(!c.servers[1].core.Calm(), "a leader is calm, and a follower silent")
	c.heal()
	c.pass(4 * heartbeatTicks)
	calm(true, "with all heard again")
	c.propose(1, "work")
	c.want(!c.servers[1].core.Calm(), "a leader is calm with an entry to commit")
	c.pass(4 * heartbeatTicks)
	calm(true, "when the work is done")
	c.isolate(1)
	c.read(1)
	c.want(!c.servers[1].core.Calm(), "a leader is calm with a read to confirm")
	c.want(c.role(1) == raft.Leader, "test: server 1 is %s", c.describe(1))
}
