package actors

import (
	"testing"
	"time"

	"castaway/messages"
)

// stats is what a node of the voyage has counted.
func (v *voyage) stats(node int) SnapshotStats {
	return v.groups[node-1].board.partialStatus().Snapshots
}

// TestBothEndsCountTheSameTransfer: nothing is lost on the way, so that either end's
// numbers are the file's.
func TestBothEndsCountTheSameTransfer(t *testing.T) {
	const rate = 1 << 20
	v := newVoyage(t, 1, func(hc *HostConfig, _ *GroupConfig) { hc.Transfer.BytesPerSecond = rate })
	v.order(1, 9)
	v.reported(1)
	least := time.Duration(float64(v.info.Size)/rate*float64(time.Second)) - throttleSaves
	for name, s := range map[string]TransferStats{"sent": v.stats(1).Sent, "received": v.stats(2).Received} {
		if took := s.LastDuration; took < least || took > 2*least {
			t.Errorf("%s in %v, want at least %v", name, took, least)
		}
		chunk := int64(DefaultTransferLimits().ChunkBytes)
		s.LastDuration = 0
		if want := (TransferStats{Begun: 1, Done: 1, Chunks: uint64((v.info.Size + chunk - 1) / chunk), Bytes: uint64(v.info.Size)}); s != want {
			t.Errorf("%s: %+v, want %+v", name, s, want)
		}
	}
	if other := v.stats(1).Received; other != (TransferStats{}) {
		t.Errorf("node 1 has received %+v", other)
	}
}

// TestTransfersThatBeginEnd: whatever happens on the way, each is done or failed once, the
// bytes that were sent twice are counted twice, and the ones taken once.
func TestTransfersThatBeginEnd(t *testing.T) {
	for seed := range uint64(10) {
		v := newVoyage(t, seed, nil)
		v.fate = func(e *messages.Envelope) []*messages.Envelope {
			if v.random.IntN(20) == 0 {
				return nil
			}
			return []*messages.Envelope{e}
		}
		crashes := 0
		v.inject = func(name string, _ any) {
			if (name == "courier" || name == "receiver") && v.random.IntN(60) == 0 {
				crashes++
				panic("a crash of the " + name)
			}
		}
		v.order(1, 9)
		v.reported(1)
		out, in := v.stats(1).Sent, v.stats(2).Received
		if out.Begun != out.Done+out.Failed || out.Done != 1 || int64(out.Bytes) != v.sent {
			t.Errorf("seed %d: after %d crashes, sent %+v; %d bytes were on their way", seed, crashes, out, v.sent)
		}
		if in.Begun != in.Done+in.Failed || in.Done == 0 || int64(in.Bytes) < v.info.Size || in.Bytes > out.Bytes {
			t.Errorf("seed %d: after %d crashes, received %+v of %+v", seed, crashes, in, out)
		}
	}
}

// TestAnAbandonedTransferHasFailed: nobody reports it to anyone.
func TestAnAbandonedTransferHasFailed(t *testing.T) {
	v := newVoyage(t, 4, func(hc *HostConfig, _ *GroupConfig) { hc.Transfer.BytesPerSecond = 1 << 20 })
	v.order(1, 9)
	v.pass(time.Second)
	if s := v.stats(1).Sent; s.Begun != 1 || s.Done+s.Failed != 0 || s.Bytes == 0 {
		t.Errorf("under way: %+v", s)
	}
	b := v.groups[0].board
	b.send(b.pids.group, abandonSnapshots{})
	v.settle()
	if s := v.stats(1).Sent; s.Begun != 1 || s.Failed != 1 || s.Done != 0 {
		t.Errorf("abandoned: %+v", s)
	}
}

// TestSnapshotsOfTheMachineAreCounted, and so are those found damaged.
func TestSnapshotsOfTheMachineAreCounted(t *testing.T) {
	s, groups, files := laggards(t, 0, nil)
	list, _ := files[1].List(1)
	if got := groups[0].board.partialStatus().Snapshots; got.Taken != 1 || got.LastTakenBytes != list[0].Size || got.TakeFailures != 0 {
		t.Errorf("after one snapshot: %+v", got)
	}
	for id := range files {
		if list, _ := files[id].List(1); len(list) > 0 {
			files[id].Damage(list[0], list[0].Size*4)
		}
	}
	s.network.HealAll()
	s.pass(20 * groups[0].cfg.ElectionTimeout())
	var all SnapshotStats
	for _, g := range groups {
		one := g.board.partialStatus().Snapshots
		all.Taken += one.Taken
		all.Damaged += one.Damaged
		all.Received.Done += one.Received.Done
	}
	if all.Taken != 3 || all.Damaged != 1 || all.Received.Done != 1 {
		t.Errorf("after the leader's was found damaged, all together: %+v", all)
	}
}
