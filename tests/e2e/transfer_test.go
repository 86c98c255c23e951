package e2e

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"
)

// transferEvery is the time between two transfers.
const transferEvery = 2 * time.Second

// The leadership moves every two seconds, by clientv3 and by castaway in turns, under
// load: the history stays linearizable, nothing acknowledged is lost, and a planned
// transfer costs no election timeout.
func TestLeaderTransfersUnderLoad(t *testing.T) {
	chooseSeed(t)
	c := startCluster(t, 5, newNetwork(t, 5))
	c.awaitLeader()
	w := startWorkload(c, 16)
	writer := startWriter(c, "transfer")
	var gaps []time.Duration
	for i := range *transfers {
		leader := c.awaitLeader()
		began := time.Now()
		if i%2 == 0 {
			c.moveLeader(leader, c.servers[leader.id%len(c.servers)])
		} else {
			c.castaway("leader", "transfer", "--endpoints", strings.Join(c.endpoints(), ","))
		}
		c.await("another leader", func() bool {
			now := c.leader()
			return now != nil && now != leader
		})
		pass(transferEvery - time.Since(began)) // the schedule
		gaps = append(gaps, writer.gap(began, time.Now()))
	}
	writer.stop()
	w.stop()
	// Both ends of a measured gap, and the machine that runs this may be busy.
	if median, _, worst := report(t, "planned transfers", gaps); median > maxElectionTimeout/4 || worst > 2*maxElectionTimeout {
		t.Errorf("writes waited as if for an election")
	}
	c.awaitSameState()
	for _, s := range c.servers {
		w.verifyAcked(t, c, s)
	}
	w.history.verify(t)
}

// moveLeader is etcd's MoveLeader, which the leader is asked for.
func (c *cluster) moveLeader(from, to *server) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if _, err := c.newClient(from.client).MoveLeader(ctx, uint64(to.id)); err != nil {
		c.t.Logf("moving the leadership from %d to %d: %v", from.id, to.id, err)
	}
}

// etcdctl adds members, voting and not, promotes, updates and removes them, and moves
// the leadership.
func TestEtcdctlChangesMembers(t *testing.T) {
	c := startCluster(t, 3, nil)
	leader := c.awaitLeader()
	ctl := func(args ...string) string { return etcdctl(t, c.endpoints(), args...) }
	expect := func(out, want string) {
		t.Helper()
		if !strings.Contains(out, want) {
			t.Errorf("got %q, want %q in it", out, want)
		}
	}

	ctl("put", "before", "the changes")
	voter := c.newServer(c.nextID())
	expect(ctl("member", "add", "node-4", "--peer-urls", "http://"+voter.peer), "Member ")
	c.join(voter)
	c.awaitVote(voter)

	learner := c.newServer(c.nextID())
	expect(ctl("member", "add", "node-5", "--learner", "--peer-urls", "http://"+learner.peer), "Member ")
	c.join(learner)
	c.await("the learner to be told as one", func() bool {
		m, ok := c.member(learner)
		return ok && m.IsLearner
	})
	expect(ctl("member", "promote", hexID(learner)), "promoted")
	c.awaitVote(learner)

	moved := c.servers[leader.id%3]
	expect(etcdctl(t, []string{leader.client}, "move-leader", hexID(moved)), "Leadership transferred")
	c.await("the leadership to move", func() bool { return c.leader() == moved })

	elsewhere := freeAddress(t)
	expect(ctl("member", "update", hexID(learner), "--peer-urls", "http://"+elsewhere), "updated")
	c.await("the update to be told", func() bool {
		m, ok := c.member(learner)
		return ok && len(m.PeerURLs) == 1 && strings.HasSuffix(m.PeerURLs[0], elsewhere)
	})
	expect(ctl("member", "remove", hexID(leader)), "removed")
	c.servers = without(c.servers, leader)
	c.awaitRemoved(leader)
	expect(ctl("get", "before"), "the changes")
	c.await("four members to be told", func() bool { return len(c.members()) == 4 })
}

// hexID is how etcdctl writes a member's id.
func hexID(s *server) string { return strconv.FormatUint(uint64(s.id), 16) }
