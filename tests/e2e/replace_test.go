package e2e

import (
	"slices"
	"testing"
)

// Every server of a cluster is replaced by a new one, one after the other, while clients
// write, and each of them needs a snapshot to join: the history stays linearizable, and nothing that was acknowledged is lost,
// though in the end no server is left that was there when it was.
func TestEveryServerIsReplacedUnderLoad(t *testing.T) {
	chooseSeed(t)
	const size = 5
	c := startCluster(t, size, newNetwork(t, 2*size), tinySnapshots...)
	c.awaitLeader()
	w := startWorkload(c, 16)
	fill(c, 1500, 100, 64, nil)
	for _, old := range slices.Clone(c.servers) {
		before := w.acknowledged()
		added := c.addMember()
		c.removeMember(old)
		w.retarget(c.endpoints())
		c.await("writes to go on", func() bool { return w.acknowledged() > before })
		t.Logf("server %d came for %d; %d additions are acknowledged so far", added.id, old.id, w.acknowledged())
	}
	w.stop()
	c.await("the new members, and no others", func() bool {
		members := c.members()
		return len(members) == size && !slices.ContainsFunc(members, func(m memberInfo) bool { return m.ID <= size || m.IsLearner })
	})
	c.awaitSameState()
	for _, s := range c.servers {
		w.verifyAcked(t, c, s)
	}
	t.Logf("%d acknowledged additions are on all five new servers", len(w.acked))
	w.history.verify(t)
}
