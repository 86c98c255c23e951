package actors

import (
	"strings"
	"testing"

	"castaway/messages"
	"castaway/raft"
)

// between gives an envelope of group 1 from node 2 to node 1, as the stage's clusters do.
func between(e *messages.Envelope) *messages.Envelope {
	e.ClusterId, e.Group, e.From, e.To = 7, 1, 2, 1
	return e
}

// TestEachNetworkLetsInWhatBelongsThere: whatever another node sends where, no vote comes
// in behind the chunks of a snapshot, and no chunk before a heartbeat.
func TestEachNetworkLetsInWhatBelongsThere(t *testing.T) {
	chunk := func(first bool) *messages.Envelope {
		return between(&messages.Envelope{Kind: &messages.Envelope_SnapshotChunk{SnapshotChunk: &messages.SnapshotChunk{FirstNetwork: first}}})
	}
	offer := between(&messages.Envelope{Kind: &messages.Envelope_SnapshotOffer{SnapshotOffer: &messages.SnapshotOffer{}}})
	progress := between(&messages.Envelope{Kind: &messages.Envelope_SnapshotProgress{SnapshotProgress: &messages.SnapshotProgress{}}})
	vote := between(&messages.Envelope{Kind: &messages.Envelope_RequestVote{RequestVote: &messages.RequestVote{}}})
	beat := heartbeat(2, 1)
	for name, c := range map[string]struct {
		lane lane
		in   []*messages.Envelope
		out  []*messages.Envelope
	}{
		"the only network":   {onlyLane, []*messages.Envelope{chunk(false), chunk(true), offer, progress, vote, beat}, nil},
		"the first of two":   {firstLane, []*messages.Envelope{chunk(true), offer, progress, vote, beat}, []*messages.Envelope{chunk(false)}},
		"the second network": {bulkLane, []*messages.Envelope{chunk(false), chunk(true), progress}, []*messages.Envelope{offer, vote, beat}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStageOn(t, c.lane)
			for _, e := range append(append([]*messages.Envelope(nil), c.in...), c.out...) {
				s.tell(e)
			}
			if len(s.arrived) != len(c.in) {
				t.Errorf("%d envelopes arrived, want %d", len(s.arrived), len(c.in))
			}
			if n := s.board.dropped[dropLane].Load(); n != uint64(len(c.out)) {
				t.Errorf("%d are counted as dropped, want %d", n, len(c.out))
			}
			if logged := strings.Count(s.log.String(), dropLane.String()); logged != min(len(c.out), 1) {
				t.Errorf("logged %d times, want once at most:\n%s", logged, s.log.String())
			}
			before := len(s.sent)
			s.tell(probe(2, 1, false))
			if len(s.sent) != before+1 {
				t.Errorf("a probe was answered with %d envelopes", len(s.sent)-before)
			}
		})
	}
}

// deaf is a second network that loses everything.
type deaf struct{ Network }

func (deaf) Send(raft.NodeID, *messages.Envelope) {}

// TestASnapshotComesOverTheFirstNetworkOnPurpose: where the second one does not carry, or
// the sender has none, a chunk says so and is let in.
func TestASnapshotComesOverTheFirstNetworkOnPurpose(t *testing.T) {
	for name, without := range map[string]bool{"the second carries nothing": false, "the sender has no second": true} {
		t.Run(name, func(t *testing.T) {
			bulk := NewLocalNetwork(1, 2, 3)
			v := newVoyage(t, 1, func(hc *HostConfig, _ *GroupConfig) {
				if hc.ID == 1 && without {
					return
				}
				hc.Bulk, hc.BulkContext = deaf{bulk.Node(hc.ID)}, []byte("there")
			})
			v.order(1, 9)
			v.reported(1)
			v.want(v.info)
			if v.sent < v.info.Size {
				t.Errorf("%d bytes went over the first network, want %d", v.sent, v.info.Size)
			}
			for _, d := range v.groups[1].board.host.TransportStats().Dropped {
				if d.Reason == dropLane.String() && d.Count != 0 {
					t.Errorf("%d envelopes were dropped", d.Count)
				}
			}
		})
	}
}
