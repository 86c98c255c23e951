package actors

import (
	"testing"

	"castaway/messages"
	"castaway/raft"
)

// An errand that cannot be carried out is reported at once, or given up in the end.
func TestAnErrandAlwaysEnds(t *testing.T) {
	v := newVoyage(t, 8, nil)
	v.order(3, 9) // which has no snapshot
	v.reported(1)
	v.fate = func(*messages.Envelope) []*messages.Envelope { return nil }
	v.order(1, 9)
	v.reported(2)
	for _, r := range v.reports {
		if r.ok {
			t.Errorf("reported %+v", r)
		}
	}
	v.fate = nil
	v.order(1, 9)
	v.reported(3)
	v.want(v.info)
	damaged := v.publish(1, 60)
	v.files[1].Damage(damaged, damaged.Size*4)
	v.order(1, 9)
	v.reported(4)
	if v.lastReport().ok {
		t.Error("a damaged snapshot was taken")
	}
	v.want(v.info)
}

// Hostile envelopes about snapshots crash nobody.
func TestHostileSnapshotEnvelopesAreSurvived(t *testing.T) {
	v := newVoyage(t, 9, nil)
	network := v.network.Node(3)
	for range 500 {
		e := &messages.Envelope{ClusterId: 7, Group: 1, From: 3, To: 2, Term: uint64(v.random.IntN(3))}
		number := func() uint64 { return []uint64{0, 1, 64 << 10, 1 << 49, 1 << 63}[v.random.IntN(5)] }
		switch v.random.IntN(3) {
		case 0:
			e.Kind = &messages.Envelope_SnapshotOffer{SnapshotOffer: &messages.SnapshotOffer{
				Transfer: number() % 3, Size: number(), Sum: number(), Last: &messages.Position{Term: number(), Index: number()},
			}}
		case 1:
			e.Kind = &messages.Envelope_SnapshotChunk{SnapshotChunk: &messages.SnapshotChunk{
				Transfer: number() % 3, Offset: number(), Data: make([]byte, v.random.IntN(3)),
			}}
		default:
			e.To, e.Kind = 1, &messages.Envelope_SnapshotProgress{SnapshotProgress: &messages.SnapshotProgress{
				Transfer: number(), State: messages.SnapshotState(v.random.IntN(7)), Offset: number(),
			}}
		}
		network.Send(raft.NodeID(e.GetTo()), e)
		v.settle()
	}
	v.order(1, 9)
	v.reported(1)
	v.want(v.info)
	for _, g := range v.groups {
		if why := g.board.halted.Load(); why != nil || g.board.host.Err() != nil {
			t.Errorf("a node failed: %v", g.board.host.Err())
		}
	}
}
