package actors

import (
	"fmt"
	"strings"
	"testing"

	"castaway/messages"
	"castaway/raft"
)

func memberList(ids ...raft.NodeID) (list []raft.Member) {
	for _, id := range ids {
		list = append(list, raft.Member{ID: id, Context: fmt.Appendf(nil, "at %d", id)})
	}
	return list
}

// lastUpdate is what the network was told last.
func (s *stage) lastUpdate() string {
	if len(s.updates) == 0 {
		return ""
	}
	var words []string
	for _, m := range s.updates[len(s.updates)-1] {
		words = append(words, fmt.Sprintf("%d(%s)", m.ID, m.Context))
	}
	return strings.Join(words, " ")
}

func (s *stage) wantUpdate(t *testing.T, want string) {
	t.Helper()
	if got := s.lastUpdate(); got != want {
		t.Fatalf("the network was told %q, want %q", got, want)
	}
}

func (s *stage) pass(ticks int) {
	for range ticks {
		s.tick()
	}
}

// A node that is added is probed at once; one that is removed is sent to until it had
// time to learn of it, and then no more.
func TestTheTransportFollowsTheConfiguration(t *testing.T) {
	s := newStage(t)
	s.outbox()
	s.tell(groupMembers{Group: 1, Members: memberList(1, 2, 4)})
	s.wantUpdate(t, "2(at 2) 3() 4(at 4)")
	s.tick()
	s.wantOut(t, "p2 p3 p4")
	s.tell(PeerConnected{ID: 3})
	s.tell(Outbound{Envelopes: []*messages.Envelope{heartbeat(1, 3)}})
	s.wantOut(t, "3") // that it is removed
	s.pass(defaultTransportLimits().graceTicks())
	s.wantUpdate(t, "2(at 2) 4(at 4)")
	s.outbox()
	s.tell(Outbound{Envelopes: []*messages.Envelope{heartbeat(1, 3)}})
	s.tick()
	s.wantOut(t, "p2 p4")
	if s.state(3) != "" {
		t.Error("what was counted of node 3 is kept for ever")
	}
}

// A removed node that comes back within its grace, as when the change is reverted
// (C15), is a member like any other.
func TestAMemberThatIsBackInTimeStays(t *testing.T) {
	s := newStage(t)
	s.tell(groupMembers{Group: 1, Members: memberList(1, 2)})
	s.pass(defaultTransportLimits().graceTicks() - 1)
	s.tell(groupMembers{Group: 1, Members: memberList(1, 2, 3)})
	s.pass(defaultTransportLimits().graceTicks())
	s.wantUpdate(t, "2(at 2) 3(at 3)")
}

// The members of all groups are peers; a group that does not know its members yet
// keeps those that the network was made with.
func TestTheMembersOfAllGroupsArePeers(t *testing.T) {
	s := newStage(t)
	s.tell(registerGroup{Group: 2, Server: s.transport, Members: memberList(1, 5)})
	s.wantUpdate(t, "2() 3() 5(at 5)")
	s.tell(groupMembers{Group: 1, Members: memberList(1, 4)})
	s.pass(defaultTransportLimits().graceTicks())
	s.wantUpdate(t, "4(at 4) 5(at 5)")
	s.tell(unregisterGroup{Group: 2})
	s.tell(groupMembers{Group: 1, Members: memberList(1, 4, 6)})
	s.pass(defaultTransportLimits().graceTicks())
	s.wantUpdate(t, "4(at 4) 6(at 6)")
}

// A new address is told, and the members are not lost with the transport.
func TestTheTransportTellsNewContextsAndSurvivesACrash(t *testing.T) {
	s := newStage(t)
	s.members = memberList(1, 2, 3)
	s.tell(groupMembers{Group: 1, Members: s.members})
	s.members = []raft.Member{{ID: 2, Context: []byte("moved")}, {ID: 3, Context: []byte("at 3")}}
	s.tell(groupMembers{Group: 1, Members: s.members})
	s.wantUpdate(t, "2(moved) 3(at 3)")
	s.updates = nil
	s.tell(crash{})
	s.wantUpdate(t, "2(moved) 3(at 3)")
}

// C16: what a server of our cluster says that is no member here reaches our server,
// and is answered: it may have been away while all that it knew were replaced, or we.
func TestC16_AStrangerIsHeardAndAnswered(t *testing.T) {
	s := newStage(t)
	s.outbox()
	s.tell(heartbeat(9, 1))
	if len(s.arrived) != 1 {
		t.Fatal("it did not reach the server")
	}
	s.wantOut(t, "p9")
	s.tell(probe(9, 1, true))
	s.tell(Outbound{Envelopes: []*messages.Envelope{heartbeat(1, 9)}})
	s.wantOut(t, "9")
	if s.lastUpdate() != "2() 3()" {
		t.Errorf("a stranger was made a member: %q", s.lastUpdate())
	}
	for range 3 { // as long as it talks, it stays
		s.pass(defaultTransportLimits().graceTicks() - 1)
		s.tell(heartbeat(9, 1))
	}
	s.outbox()
	s.tell(Outbound{Envelopes: []*messages.Envelope{heartbeat(1, 9)}})
	s.wantOut(t, "9")
	s.pass(defaultTransportLimits().graceTicks())
	s.outbox()
	s.tell(Outbound{Envelopes: []*messages.Envelope{heartbeat(1, 9)}})
	s.wantOut(t, "")
	if s.state(9) != "" {
		t.Error("what was counted of a stranger is kept for ever")
	}
}

// Made-up senders fill neither the memory nor the log, and keep no member out.
func TestStrangersAreFew(t *testing.T) {
	s := newStage(t)
	for i := range uint64(1000) {
		s.tell(heartbeat(100+i, 1))
	}
	if n := strings.Count(s.log.String(), dropStrangers.String()); n != 1 || len(s.board.logged) != 1 {
		t.Errorf("%d lines and %d keys, want one of each", n, len(s.board.logged))
	}
	if n := len(s.board.stats().Peers); n != 4 || len(s.arrived) != 2 {
		t.Errorf("%d peers are counted, and %d envelopes came through; want 4 and 2", n, len(s.arrived))
	}
	s.tell(heartbeat(2, 1))
	s.tell(groupMembers{Group: 1, Members: memberList(1, 2, 3, 7)})
	s.tell(heartbeat(7, 1))
	if len(s.arrived) != 4 {
		t.Error("members are kept out by strangers")
	}
}

// What is of another cluster, or for a group that is not here, makes nobody a
// stranger (C42).
func TestC42_AnothersEnvelopeMakesNoStranger(t *testing.T) {
	s := newStage(t)
	foreign := heartbeat(9, 1)
	foreign.ClusterId = 8
	s.tell(foreign)
	elsewhere := heartbeat(9, 1)
	elsewhere.Group = 2
	s.tell(elsewhere)
	if len(s.arrived) != 0 || s.state(9) != "" {
		t.Error("node 9 was let in")
	}
}
