package actors

import (
	"context"
	"strings"
	"testing"

	"castaway/persistence"
	"castaway/raft"
)

// All nodes hold the same data, so all disks reach their reserves together. Then
// writes are refused; but a new leader is made, commits in its term, and serves reads.
func TestReadsGoOnBelowTheReserve(t *testing.T) {
	stores := make(map[raft.NodeID]*trickyStore)
	c := newCluster(t, 3, tricky(stores))
	leader := c.leader()
	c.put(leader, "before")
	c.agree()
	for _, s := range stores {
		s.set(func(s *trickyStore) { s.space = &persistence.Space{Free: 1, Reserve: 2} })
	}
	for _, n := range c.nodes {
		c.eventually(10, "word of it", func() bool { return n.status().Space.Low() })
	}
	reader := c.followers(leader)[0]
	c.halt(leader.id)
	ctx, cancel := context.WithTimeout(t.Context(), 20*c.timeout())
	defer cancel()
	if _, err := reader.group.Read(ctx, "before", Linearizable); err != nil {
		t.Errorf("two of three nodes serve no read when their disks are below the reserve: %v", err)
	}
	_, err := reader.group.Propose(ctx, []byte("after"))
	want(t, err, ReasonDiskReserve, false)
}

// A leader cannot see its followers' disks, but it sees who answers and takes
// nothing, and says where to look.
func TestALeaderSaysWhoAnswersButTakesNothing(t *testing.T) {
	stores := make(map[raft.NodeID]*trickyStore)
	c := newCluster(t, 3, tricky(stores))
	leader := c.leader()
	c.put(leader, "before")
	c.agree()
	for _, f := range c.followers(leader) {
		stores[f.id].noSpace("append")
	}
	told := make(chan error, 1)
	leader.group.ProposeAsync([]byte("stuck"), func(_ Result, err error) { told <- err })
	c.eventually(10, "the reason", func() bool {
		return strings.Contains(leader.status().WaitingFor, "its own status says why, such as a full disk")
	})
	for _, f := range c.followers(leader) {
		stores[f.id].room()
	}
	if err := <-told; err != nil {
		t.Error(err)
	}
}
