package remoting

import (
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"castaway/cluster/member"
	"castaway/messages"
	"castaway/raft"
)

func members(addresses map[raft.NodeID]string) (list []raft.Member) {
	for id := raft.NodeID(1); id < 100; id++ {
		if address, ok := addresses[id]; ok {
			list = append(list, raft.Member{ID: id, Context: member.Info{Peer: address}.Encode()})
		}
	}
	return list
}

func ofCluster(c *Config) { c.ClusterID = testCluster }

// only is the part of all addresses that a node was started with.
func only(all map[raft.NodeID]string, ids ...raft.NodeID) map[raft.NodeID]string {
	some := make(map[raft.NodeID]string)
	for _, id := range ids {
		some[id] = all[id]
	}
	return some
}

// awaitPeers waits until the node has links to exactly these.
func (n *node) awaitPeers(want map[raft.NodeID]string) {
	n.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		got := n.remoting.Stats().Peers
		same := len(got) == len(want)
		for _, p := range got {
			same = same && want[p.ID] == p.Address
		}
		if same {
			return
		}
		if time.Now().After(deadline) {
			n.t.Fatalf("node %d has links %+v, want %v", n.id, got, want)
		}
		time.Sleep(time.Millisecond) // links have no event
	}
}

func TestMembersComeAndGoWhileTheNodeRuns(t *testing.T) {
	all := freeAddresses(t, 1, 2, 3)
	a, b := newNode(t, 1, only(all, 1, 2), ofCluster), newNode(t, 2, only(all, 1, 2), ofCluster)
	a.awaitUp(2, true)
	c := newNode(t, 3, all, ofCluster)
	for _, n := range []*node{a, b} {
		n.remoting.Update(members(all))
		n.awaitUp(3, true)
	}
	servesStill(t, a, c)
	servesStill(t, c, b)

	a.remoting.Update(members(only(all, 1, 2)))
	c.remoting.Update(members(only(all, 2, 3)))
	a.remoting.Reset(3) // as each is still connected to the other, and could be answered
	c.remoting.Reset(1)
	a.awaitUp(3, false)
	c.awaitUp(1, false)
	a.awaitPeers(only(all, 2))
	servesStill(t, a, b)
	servesStill(t, b, c)

	a.remoting.Update(members(all)) // and back again
	c.remoting.Update(members(all))
	a.awaitUp(3, true)
	c.awaitUp(1, true)
	servesStill(t, a, c)
}

// What a member's Context does not tell stays as it was.
func TestAnUpdateWithoutAddressesChangesNothing(t *testing.T) {
	a, b := pair(t, ofCluster)
	a.remoting.Update([]raft.Member{{ID: 1}, {ID: 2}})
	a.remoting.Update([]raft.Member{{ID: 2, Context: []byte("garbage")}})
	servesStill(t, a, b)
	if !a.isUp(2) {
		t.Error("the connection was given up")
	}
}

// C16: a node that was away may know none of those that there are now. It is let in
// by whoever knows it, lets them in, and can answer.
func TestC16_ANodeThatNobodyNamedIsLetInAndAnswered(t *testing.T) {
	all := freeAddresses(t, 1, 2)
	away := newNode(t, 1, only(all, 1), ofCluster)
	leader := newNode(t, 2, all, ofCluster)
	leader.awaitUp(1, true)
	leader.send(away, 5)
	if got := away.next(); got.GetFrom() != 2 {
		t.Fatalf("from %d", got.GetFrom())
	}
	away.awaitPeers(map[raft.NodeID]string{2: all[2]})
	if len(away.remoting.Peers()) != 0 {
		t.Error("a stranger is named as a member")
	}
	away.probeOnce(2)
	away.awaitUp(2, true)
	servesStill(t, away, leader)

	away.remoting.Update(members(all)) // and now it is named
	servesStill(t, away, leader)
	away.remoting.Update(nil)
	servesStill(t, leader, away) // it is connected to us
	servesStill(t, away, leader)
	leader.stop()
	away.awaitPeers(nil) // and no longer
}

// probeOnce is what a transport does that heard of a stranger.
func (n *node) probeOnce(to raft.NodeID) {
	e := heartbeat(n.id, to, 0)
	e.Kind = &messages.Envelope_Probe{Probe: &messages.Probe{}}
	n.remoting.Send(to, e)
}

func TestStrangersAreFewAndOfOurCluster(t *testing.T) {
	all := freeAddresses(t, 1, 2)
	b := newNode(t, 2, only(all, 2), func(c *Config) { c.ClusterID, c.Limits.MaxStrangers = testCluster, 2 })
	for _, c := range []struct {
		name    string
		claim   claim
		address string
		code    codes.Code
		why     reason
	}{
		{"another cluster's", claim{testCluster + 1, 5}, all[1], codes.PermissionDenied, dropStranger},
		{"our own id", claim{testCluster, 2}, all[1], codes.PermissionDenied, dropStranger},
		{"our own address", claim{testCluster, 5}, all[2], codes.PermissionDenied, dropStranger},
		{"no address", claim{testCluster, 5}, "nowhere", codes.PermissionDenied, dropStranger},
		{"a good one", claim{testCluster, 5}, "127.0.0.1:15", codes.OK, 0},
		{"one with its address, that came before", claim{testCluster, 4}, "127.0.0.1:15", codes.PermissionDenied, dropStranger},
		{"a second one", claim{testCluster, 6}, "127.0.0.1:16", codes.OK, 0},
		{"one too many", claim{testCluster, 7}, "127.0.0.1:17", codes.ResourceExhausted, dropStrangers},
		{"the first, moved", claim{testCluster, 5}, "127.0.0.1:25", codes.OK, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := b.dropped(c.why)
			h := newHostile(b.t, all[2]) // stays until the end
			m := connectRequest(c.address)
			m.GetConnectRequest().GetServerConnection().SystemId = c.claim.String()
			h.send(m)
			if _, err := h.stream.Recv(); status.Code(err) != c.code {
				t.Errorf("the answer is %v, want %v", err, c.code)
			}
			if c.code != codes.OK && b.dropped(c.why) != before+1 {
				t.Errorf("it was not counted as %q: %+v", c.why, b.remoting.Stats().Dropped)
			}
		})
	}
	b.awaitPeers(map[raft.NodeID]string{5: "127.0.0.1:25", 6: "127.0.0.1:16"})
}

// With certificates, nobody is let in as a node that it is not, named or not.
func TestAStrangerMustHaveItsCertificate(t *testing.T) {
	ca := newAuthority(t)
	all := freeAddresses(t, 1, 2, 3)
	away := newNode(t, 1, only(all, 1), func(c *Config) { c.ClusterID, c.TLS = testCluster, ca.node(1) })
	leader := newNode(t, 2, only(all, 1, 2), func(c *Config) { c.ClusterID, c.TLS = testCluster, ca.node(2) })
	leader.awaitUp(1, true)
	away.probeOnce(2)
	away.awaitUp(2, true)
	servesStill(t, away, leader)

	h := newHostile(t, all[1], dialAs(t, ca.node(3)))
	m := connectRequest(all[3])
	m.GetConnectRequest().GetServerConnection().SystemId = claim{testCluster, 4}.String()
	h.send(m)
	if _, err := h.stream.Recv(); status.Code(err) != codes.PermissionDenied || away.dropped(dropCertificate) != 1 {
		t.Errorf("node 3 in node 4's name: %v", err)
	}
	away.awaitPeers(only(all, 2))
}

// A member that moved is followed, before the members say so and after.
func TestAMemberThatMovedIsFollowed(t *testing.T) {
	old, moved := freeAddresses(t, 1, 2), freeAddresses(t, 2)
	a, b := newNode(t, 1, old, ofCluster), newNode(t, 2, old, ofCluster)
	a.awaitUp(2, true)
	b.stop()
	a.awaitUp(2, false)
	now := map[raft.NodeID]string{1: old[1], 2: moved[2]}
	b = newNode(t, 2, now, ofCluster)
	a.awaitUp(2, true) // it has connected, and told its address
	servesStill(t, a, b)
	a.remoting.Update(members(old)) // of somebody who does not know yet
	servesStill(t, a, b)
	a.remoting.Update(members(now))
	servesStill(t, a, b)
	a.awaitPeers(only(now, 2))
}

// An address may be the new member's while the old one's removal is still news.
func TestTheLaterOfTwoMembersAtOneAddressHasIt(t *testing.T) {
	all := freeAddresses(t, 1, 2)
	a := newNode(t, 1, all, ofCluster)
	b := newNode(t, 4, map[raft.NodeID]string{1: all[1], 4: all[2]}, ofCluster)
	a.remoting.Update(members(map[raft.NodeID]string{1: all[1], 2: all[2], 4: all[2]}))
	a.awaitUp(4, true)
	b.awaitUp(1, true)
	servesStill(t, a, b)
	a.awaitPeers(map[raft.NodeID]string{4: all[2]})
}
