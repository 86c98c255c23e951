package actors

import (
	"testing"

	"castaway/messages"
	"castaway/persistence"
	"castaway/raft"
)

// What is on its way stays within the window.
func TestNoMoreThanTheWindowIsOnItsWay(t *testing.T) {
	limits := TransferLimits{ChunkBytes: 32 << 10, WindowBytes: 128 << 10, MaxConcurrent: 1}
	v := newVoyage(t, 6, func(hc *HostConfig, _ *GroupConfig) { hc.Transfer = limits })
	var acked uint64
	v.fate = func(e *messages.Envelope) []*messages.Envelope {
		if p := e.GetSnapshotProgress(); p != nil {
			acked = max(acked, p.GetOffset())
		}
		if c := e.GetSnapshotChunk(); c != nil {
			if size := len(c.GetData()); size > limits.ChunkBytes || c.GetOffset()+uint64(size) > acked+uint64(limits.WindowBytes) {
				t.Errorf("a chunk of %d bytes at %d is on its way, and %d is acknowledged", size, c.GetOffset(), acked)
			}
		}
		return []*messages.Envelope{e}
	}
	v.order(1, 9)
	v.reported(1)
	v.want(v.info)
}

// crowded is a store of snapshots that finds no room now and then.
type crowded struct {
	persistence.Snapshots
	left int64 // bytes that there is room for
}

type crowdedReceiver struct {
	persistence.SnapshotReceiver
	store *crowded
}

func (c *crowded) Receive(info persistence.SnapshotInfo) (persistence.SnapshotReceiver, error) {
	r, err := c.Snapshots.Receive(info)
	return &crowdedReceiver{r, c}, err
}

func (r *crowdedReceiver) Write(offset int64, p []byte) error {
	if r.store.left -= int64(len(p)); r.store.left < 0 {
		return persistence.ErrNoSpace
	}
	return r.SnapshotReceiver.Write(offset, p)
}

// A follower whose disk is full says so, and keeps what it has: once there is room, the
// rest is sent.
func TestAFullDiskEndsAnErrandAndLosesNothing(t *testing.T) {
	disk := &crowded{left: voyageBytes / 2}
	v := newVoyage(t, 7, func(hc *HostConfig, _ *GroupConfig) {
		if hc.ID == 2 {
			disk.Snapshots = hc.Snapshots
			hc.Snapshots = disk
		}
	})
	v.order(1, 9)
	v.reported(1)
	if v.lastReport().ok || len(v.arrivals) != 0 {
		t.Fatalf("reported %+v, arrived %+v", v.reports, v.arrivals)
	}
	disk.left = 2 * voyageBytes
	v.order(1, 9)
	v.reported(2)
	v.want(v.info)
	if most := v.info.Size + int64(DefaultTransferLimits().WindowBytes) + 512<<10; v.sent > most {
		t.Errorf("%d bytes were sent of %d, want at most %d", v.sent, v.info.Size, most)
	}
}

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
