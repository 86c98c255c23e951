package e2e

import (
	"math/rand"
	"syscall"
	"testing"
	"time"
)

// nemesis makes one fault after another, at a leader or a follower, and mends each
// before the next; a majority is always left whole.
type nemesis struct {
	t       *testing.T
	cluster *cluster
	random  *rand.Rand
	made    map[string]int
}

type fault struct {
	name string
	make func(n *nemesis, s *server)
	mend func(n *nemesis, s *server)
}

var faults = []fault{
	{
		name: "kill -9",
		make: func(n *nemesis, s *server) { n.cluster.kill(s) },
		mend: func(n *nemesis, s *server) { n.cluster.start(s) },
	},
	{
		name: "kill -9 together with another",
		make: func(n *nemesis, s *server) { n.cluster.kill(s); n.cluster.kill(n.next(s)) },
		mend: func(n *nemesis, s *server) { n.cluster.start(s); n.cluster.start(n.next(s)) },
	},
	{
		name: "stop and continue",
		make: func(n *nemesis, s *server) { n.cluster.signal(s, syscall.SIGSTOP) },
		mend: func(n *nemesis, s *server) { n.cluster.signal(s, syscall.SIGCONT) },
	},
	{
		name: "partition, both ways",
		make: func(n *nemesis, s *server) { n.cluster.network.cut(s.id, n.others(s)...) },
		mend: func(n *nemesis, _ *server) { n.cluster.network.heal() },
	},
	{
		name: "partition, hears nothing",
		make: func(n *nemesis, s *server) { n.cluster.network.deafen(s.id, n.others(s)...) },
		mend: func(n *nemesis, _ *server) { n.cluster.network.heal() },
	},
	{
		name: "partition, is not heard",
		make: func(n *nemesis, s *server) { n.cluster.network.mute(s.id, n.others(s)...) },
		mend: func(n *nemesis, _ *server) { n.cluster.network.heal() },
	},
}

func (n *nemesis) others(s *server) []int {
	var ids []int
	for _, o := range n.cluster.servers {
		if o != s {
			ids = append(ids, o.id)
		}
	}
	return ids
}

// next is the server after s, in a ring.
func (n *nemesis) next(s *server) *server {
	return n.cluster.servers[s.id%len(n.cluster.servers)]
}

// rage makes faults until the time is over; the last one is mended.
func (n *nemesis) rage(d time.Duration) {
	end := time.Now().Add(d)
	for time.Now().Before(end) {
		f := faults[n.random.Intn(len(faults))]
		s, whom := n.victim()
		n.t.Logf("%s at server %d (%s)", f.name, s.id, whom)
		n.made[f.name+" of a "+whom]++
		f.make(n, s)
		// Faults last from shorter than a heartbeat to longer than an election: their
		// length is part of the schedule, not a wait for something.
		pass(time.Duration(n.random.Int63n(int64(2 * maxElectionTimeout))))
		f.mend(n, s)
		pass(time.Duration(n.random.Int63n(int64(maxElectionTimeout))))
	}
}

// victim is the leader in half of all cases.
func (n *nemesis) victim() (*server, string) {
	if n.random.Intn(2) == 0 {
		if s := n.cluster.leader(); s != nil {
			return s, "leader"
		}
	}
	leader := n.cluster.leader()
	for {
		if s := n.cluster.servers[n.random.Intn(len(n.cluster.servers))]; s != leader {
			return s, "follower"
		}
	}
}

func pass(d time.Duration) { <-time.After(d) }
