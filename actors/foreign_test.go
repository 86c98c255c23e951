package actors

import (
	"fmt"
	"strings"
	"testing"

	"castaway/messages"
)

// A node of another cluster stands where a peer should: connections to it stand, and
// nothing comes that is for us. They are given up ever more rarely, and the log has
// a line for each change, not for each try. When the peer is ours again, it is heard.
func TestAPeerOfAnotherClusterFillsNoLog(t *testing.T) {
	s := newStage(t)
	const minutes = 10
	for range minutes * 600 { // ticks of 100 ms
		if s.state(2) != GateUp {
			s.tell(PeerConnected{ID: 2})
		}
		s.tell(Outbound{Envelopes: []*messages.Envelope{heartbeat(1, 2)}})
		foreign := heartbeat(2, 1)
		foreign.ClusterId = 0xa00af8cd29d9d6f7
		s.tell(foreign)
		s.tick()
		if s.state(2) != GateUp {
			s.tell(PeerTerminated{ID: 2})
		}
	}
	if n := len(s.resets); n < 5 || n > 30 {
		t.Errorf("%d resets in %d minutes", n, minutes)
	}
	if log := s.log.String(); strings.Count(log, "\n") != 3 || !strings.Contains(log, "cluster=a00af8cd29d9d6f7 ours=0000000000000007") {
		t.Errorf("want a line for the connection, its silence, and another cluster's id:\n%s", log)
	}
	s.tell(PeerConnected{ID: 2})
	s.log.Reset()
	s.tell(heartbeat(2, 1))
	if log := s.log.String(); strings.Count(log, "heard again") != 1 {
		t.Errorf("it is heard again:\n%s", log)
	}
	before := len(s.resets)
	for range 12 {
		s.tell(Outbound{Envelopes: []*messages.Envelope{heartbeat(1, 2)}})
		s.tick()
	}
	if len(s.resets) != before+1 {
		t.Error("after a word of its own, its next silence is not borne any longer than the first")
	}
}

// Who asks whether it would be elected waits for a term that has not begun.
func TestAPreCandidateNamesTheTermThatItWouldLead(t *testing.T) {
	c := newCluster(t, 3, nil)
	c.leader()
	c.network.Isolate(1)
	c.eventually(20, "the reason", func() bool {
		st := c.nodes[1].status()
		return st.Behaviour == "precandidate" &&
			strings.HasSuffix(st.WaitingFor, fmt.Sprintf("to lead term %d", st.Raft.HardState.Term+1))
	})
}
