package e2e

import (
	"encoding/json"
	"math/rand"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// tinySnapshots makes servers take snapshots all the time, and keep little of their logs.
var tinySnapshots = []string{"--snapshot-entries", "500", "--trailing-entries", "100"}

// A follower is away long enough for the log to have gone on without it, while members
// come and go: it gets a snapshot by itself, again and again.
func TestAFollowerLongAwayGetsASnapshot(t *testing.T) {
	chooseSeed(t)
	random := rand.New(rand.NewSource(*seed))
	c := startCluster(t, 5, newNetwork(t, 7), tinySnapshots...)
	w := startWorkload(c, 16)
	for range 2 {
		away := c.servers[random.Intn(len(c.servers))]
		c.kill(away)
		had := c.inspect(away)
		c.awaitLeader()
		all := c.servers
		c.servers = without(all, away)
		fill(c, 1000, 100, 64, nil)
		added := c.addMember()
		fill(c, 1000, 100, 64, nil)
		c.removeMember(added)
		c.servers = all
		c.start(away)
		c.awaitReady(away)
		c.awaitCaughtUp(away)
		c.terminate(away)
		has := c.inspect(away)
		if has.SnapshotIndex <= had.Last {
			t.Errorf("server %d had entries up to %d; its log starts after %d now, which needed no snapshot", away.id, had.Last, has.SnapshotIndex)
		}
		t.Logf("server %d had entries up to %d, and has %d to %d now, and a snapshot of what was before", away.id, had.Last, has.First, has.Last)
		c.start(away)
		c.awaitReady(away)
	}
	w.stop()
	c.awaitSameState()
	for _, s := range c.servers {
		w.verifyAcked(t, c, s)
	}
	w.history.verify(t)
}

// awaitCaughtUp waits until a server has applied what the leader had when this began.
func (c *cluster) awaitCaughtUp(s *server) {
	c.t.Helper()
	st, err := c.awaitLeader().status()
	if err != nil {
		c.t.Fatal(err)
	}
	c.await("a server to catch up", func() bool {
		now, err := s.status()
		return err == nil && now.Applied >= st.Applied
	})
}

// logState is what castaway inspect state tells of a server's log.
type logState struct {
	SnapshotIndex uint64 `json:"snapshot_index"`
	First         uint64 `json:"first"`
	Last          uint64 `json:"last"`
}

// inspect reads the data directory of a server that does not run.
func (c *cluster) inspect(s *server) logState {
	c.t.Helper()
	var state struct {
		Groups []logState `json:"groups"`
	}
	if err := json.Unmarshal([]byte(c.castaway("inspect", "state", c.dataDir(s), "-o", "json")), &state); err != nil || len(state.Groups) != 1 {
		c.t.Fatalf("inspecting server %d: %+v, %v", s.id, state, err)
	}
	return state.Groups[0]
}

// A snapshot is on its way, slowly, when the follower that it is for is killed, and then
// the leader that sends it: it arrives all the same, and is the leader's state.
func TestKillsInTheMiddleOfASnapshot(t *testing.T) {
	flags := append([]string{"--snapshot-bytes-per-second", "2MiB"}, tinySnapshots...)
	c := startCluster(t, 3, newNetwork(t, 3), flags...)
	leader := c.awaitLeader()
	away := c.servers[leader.id%3]
	c.kill(away)
	all := c.servers
	c.servers = without(all, away)
	fill(c, 1200, 1200, 16<<10, nil) // some 20 MB, which take some seconds
	c.servers = all

	c.start(away)
	c.awaitPartial(away)
	c.kill(away)
	t.Logf("killed the follower with %d bytes of the snapshot", c.partial(away))
	c.start(away)
	c.awaitPartial(away)
	leader = c.awaitLeader()
	c.kill(leader)
	t.Logf("killed the leader when the follower had %d bytes of the snapshot", c.partial(away))
	c.start(leader)
	c.awaitReady(c.servers...)
	c.awaitSameState()
}

// partial is how many bytes of an unfinished snapshot a server has on its disk.
func (c *cluster) partial(s *server) int64 {
	return sizes(filepath.Join(c.dataDir(s), "snapshots"), func(path string) bool { return !strings.HasSuffix(path, ".snap") })
}

// awaitPartial waits until more of a snapshot has come than was there before.
func (c *cluster) awaitPartial(s *server) {
	c.t.Helper()
	began := time.Now()
	before := c.partial(s)
	const some = 1 << 20
	c.await("a snapshot to be on its way", func() bool { return c.partial(s) > before+some })
	c.t.Logf("server %d has %d bytes of a snapshot after %v", s.id, c.partial(s), time.Since(began).Round(time.Millisecond))
}
