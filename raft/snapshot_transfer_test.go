package raft_test

import (
	"testing"

	"castaway/raft"
)

// behind makes server 3 miss what the others commit and then compact.
func behind(t *testing.T) *cluster {
	c := newCluster(t, 3)
	c.elect(1)
	c.write(1, 2)
	c.isolate(3)
	c.write(1, 5)
	c.keepTail(1, 1)
	c.settle()
	return c
}

// A follower that needs what the log no longer has gets a snapshot by itself, and
// then the rest of the log.
func TestSnapshot_FollowerBehindTheLogsStart(t *testing.T) {
	c := behind(t)
	c.heal()
	c.pass(timeout)
	c.want(c.log(3) == c.log(1) && c.servers[3].installed == 1, "server 3 is %s", c.describe(3))
	c.want(c.progress(1, 3).State == "replicate", "the leader's progress is %+v", c.progress(1, 3))
	c.write(1, 1)
	c.want(c.log(3) == c.log(1), "server 3 is %s", c.describe(3))
}

// A transfer that fails is asked for again, in an election timeout and not at once;
// meanwhile heartbeats go on.
func TestC27_FailedTransferIsAskedForAgain(t *testing.T) {
	c := behind(t)
	c.heal()
	requests := func() int { return len(c.servers[1].requests) }
	for range 2 * timeout {
		c.tickWithoutTransfers()
	}
	c.want(requests() == 1, "%d snapshots are asked for while none is reported", requests())
	for range 3 {
		c.transfer(1, false)
		for range electionTicks - 1 {
			c.tickWithoutTransfers()
		}
		c.want(requests() == 0, "it is asked for again at once")
		for range 2 * heartbeatTicks {
			c.tickWithoutTransfers()
		}
		c.want(requests() == 1, "%d are asked for an election timeout after the failure", requests())
	}
	c.want(c.role(1) == raft.Leader && c.term(3) == 1, "server 3 is %s", c.describe(3))
	c.settle()
	c.want(c.log(3) == c.log(1), "server 3 is %s", c.describe(3))
}

// A stream slower than compaction still converges: the snapshot that arrives ends
// before the leader's log starts by then, and a newer one is asked for.
func TestC27_StreamSlowerThanCompaction(t *testing.T) {
	c := behind(t)
	c.heal()
	for range 2 * heartbeatTicks {
		c.passBarely(1)
	}
	for range 3 {
		s := c.servers[1]
		c.want(len(s.requests) == 1, "asked for are %v", s.requests)
		r := s.requests[0]
		s.requests = nil
		m := c.offer(1, r)
		c.writeWithout3(4)
		c.keepTail(1, 1) // beyond the snapshot on its way
		c.step(m)
		c.report(1, r, m, true)
	}
	c.settle()
	c.pass(timeout)
	c.want(c.log(3) == c.log(1) && c.servers[3].installed == 4, "server 3 has installed %d, and is %s", c.servers[3].installed, c.describe(3))
}

// passBarely is pass without anyone who carries snapshots.
func (c *cluster) passBarely(n int) {
	for range n {
		for _, id := range c.ids {
			c.input(id, (*raft.Core).Tick)
		}
		c.exchange(func(raft.Message) bool { return true })
	}
}

// exchange delivers what matches, and what follows from it, and writes.
func (c *cluster) exchange(match func(raft.Message) bool) {
	for range 100 {
		for _, id := range c.ids {
			c.sync(id, 99)
			c.acknowledge(id)
			c.apply(id)
		}
		ms := c.net.takeIf(match)
		for _, m := range ms {
			c.arrive(envelope{Message: m})
		}
		if len(ms) == 0 {
			return
		}
	}
}

// writeWithout3 commits n commands on servers 1 and 2; what is for 3 is lost.
func (c *cluster) writeWithout3(n int) {
	for range n {
		c.propose(1, "x")
		c.exchange(func(m raft.Message) bool { return raft.HeaderOf(m).To != 3 && raft.HeaderOf(m).From != 3 })
		c.drop(func(m raft.Message) bool { return raft.HeaderOf(m).To == 3 })
	}
}

// A follower that got on by itself, by a snapshot that an earlier leader had sent, is
// not sent another; and reports that no longer fit are ignored.
func TestSnapshot_FollowerGotOnByItself(t *testing.T) {
	c := behind(t)
	c.heal()
	c.passBarely(2 * heartbeatTicks)
	s := c.servers[1]
	c.want(len(s.requests) == 1 && c.progress(1, 3).State == "snapshot", "progress is %+v", c.progress(1, 3))
	r := s.requests[0]
	s.requests = nil
	m := c.offer(1, r)
	c.step(m)
	c.exchange(func(raft.Message) bool { return true })
	c.want(c.progress(1, 3).State == "replicate" && c.log(3) == c.log(1), "progress is %+v", c.progress(1, 3))
	before := c.progress(1, 3)
	c.report(1, r, m, false)
	c.report(1, r, m, true)
	c.report(1, raft.SnapshotRequest{To: 3, Term: 7}, m, false)
	c.report(1, raft.SnapshotRequest{To: 8, Term: 1}, m, true)
	c.report(2, r, m, true)
	c.want(c.progress(1, 3) == before, "progress is %+v", c.progress(1, 3))
}

// C27: a crash in mid-install, after the file was published and before the log knows:
// the server starts from the snapshot, and goes on.
func TestC27_CrashInMidInstall(t *testing.T) {
	c := behind(t)
	c.options.manual = true
	c.heal()
	s := c.servers[3]
	c.step(c.offer(1, raft.SnapshotRequest{To: 3, Term: 1}))
	c.want(s.installed == 1 && len(s.disk.pending) > 0, "server 3 is %s", c.describe(3))
	c.crash(3, 0)
	c.restart(3)
	st := s.core.Status()
	c.want(st.First == 9 && st.Commit == 8, "server 3 starts as %+v", st)
	c.options.manual = false
	c.pass(timeout)
	c.write(1, 1)
	c.want(c.log(3) == c.log(1), "server 3 is %s", c.describe(3))
}

// A snapshot that contradicts what is committed, or makes no sense, is dropped.
func TestInstallSnapshot_Hostile(t *testing.T) {
	c := newCluster(t, 3)
	c.elect(1)
	c.write(1, 4)
	c.pass(1)
	good := raft.SnapshotMeta{Last: raft.Position{Term: 1, Index: 9}, Configuration: c.options.Configuration}
	for name, spoil := range map[string]func(*raft.InstallSnapshot){
		"another term at a committed index": func(m *raft.InstallSnapshot) { m.Term, m.Snapshot.Last = 3, raft.Position{Term: 2, Index: 3} },
		"index zero":                        func(m *raft.InstallSnapshot) { m.Snapshot.Last = raft.Position{} },
		"term zero":                         func(m *raft.InstallSnapshot) { m.Snapshot.Last.Term = 0 },
		"of a later term than its sender":   func(m *raft.InstallSnapshot) { m.Snapshot.Last.Term = 2 },
		"beyond every index":                func(m *raft.InstallSnapshot) { m.Snapshot.Last.Index = 1 << 63 },
		"no voters":                         func(m *raft.InstallSnapshot) { m.Snapshot.Configuration = raft.Configuration{} },
		"from itself":                       func(m *raft.InstallSnapshot) { m.From = 2 },
		"from another leader":               func(m *raft.InstallSnapshot) { m.From = 3 },
	} {
		m := &raft.InstallSnapshot{Header: raft.Header{From: 1, To: 2, Term: 1}, Snapshot: good}
		spoil(m)
		before := c.servers[2].core.Status()
		e := c.servers[2].core.Step(m)
		after := c.servers[2].core.Status()
		if e.Install != nil || !e.Persist.Empty() || after.Last != before.Last || after.HardState != before.HardState {
			t.Errorf("%s: %+v; then it is %+v", name, e, after)
		}
	}
	if e := c.servers[2].core.Step((*raft.InstallSnapshot)(nil)); !e.Persist.Empty() {
		t.Errorf("nil: %+v", e)
	}
}
