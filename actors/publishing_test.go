package actors

import (
	"testing"
	"time"

	"castaway/messages"
	"castaway/persistence"
)

// slowDisk takes long to verify and sync what it has received.
type slowDisk struct {
	persistence.Snapshots
	publish func() // passes the time
}

type slowReceiver struct {
	persistence.SnapshotReceiver
	disk *slowDisk
}

func (s *slowDisk) Receive(info persistence.SnapshotInfo) (persistence.SnapshotReceiver, error) {
	r, err := s.Snapshots.Receive(info)
	return slowReceiver{r, s}, err
}

func (r slowReceiver) Publish() (persistence.SnapshotInfo, error) {
	r.disk.publish()
	return r.SnapshotReceiver.Publish()
}

// newSlowVoyage is a voyage whose node 2 does this whenever it publishes.
func newSlowVoyage(t *testing.T, seed uint64, publish func(v *voyage)) *voyage {
	var v *voyage
	v = newVoyage(t, seed, func(hc *HostConfig, _ *GroupConfig) {
		if hc.ID == 2 {
			hc.Snapshots = &slowDisk{hc.Snapshots, func() { publish(v) }}
		}
	})
	return v
}

// TestACourierWaitsWhileTheFollowerPublishes: the follower's disk takes a minute for the
// file, and is given it. Whoever took that for silence would send all of it again, and if
// a newer snapshot was there by then, without end.
func TestACourierWaitsWhileTheFollowerPublishes(t *testing.T) {
	for seed := range uint64(5) {
		offers := 0
		v := newSlowVoyage(t, seed, func(v *voyage) {
			v.publish(1, 60) // the leader goes on
			v.pass(time.Minute)
		})
		v.fate = func(e *messages.Envelope) []*messages.Envelope {
			if e.GetSnapshotOffer() != nil {
				offers++
			}
			return []*messages.Envelope{e}
		}
		v.order(1, 9)
		v.reported(1)
		if r := v.lastReport(); !r.ok || r.last != v.info.Meta.Last || len(v.arrivals) != 1 {
			t.Errorf("seed %d: reported %+v, arrived %d times", seed, r, len(v.arrivals))
		}
		if v.sent != v.info.Size {
			t.Errorf("seed %d: %d bytes were sent of a file of %d", seed, v.sent, v.info.Size)
		}
		if offers > 30 {
			t.Errorf("seed %d: it was offered %d times meanwhile", seed, offers)
		}
		v.want(v.info)
	}
}

// TestAReceiverThatDiesWhilePublishingIsAskedAgain: the courier would wait in vain; what
// has come is still there, and need not be sent again.
func TestAReceiverThatDiesWhilePublishingIsAskedAgain(t *testing.T) {
	deaths := 0
	v := newSlowVoyage(t, 2, func(v *voyage) {
		if v.pass(time.Second); deaths == 0 {
			deaths++
			panic(errInjected)
		}
	})
	began := v.now
	v.order(1, 9)
	v.reported(1)
	if !v.lastReport().ok || deaths != 1 {
		t.Fatalf("after %d deaths: reported %+v", deaths, v.lastReport())
	}
	v.want(v.info)
	if most := v.info.Size + 512<<10; v.sent > most {
		t.Errorf("%d bytes were sent, want at most %d", v.sent, most)
	}
	if took := v.now.Sub(began); took > time.Minute {
		t.Errorf("it took %v", took)
	}
}

// TestAFollowerThatNeverPublishesIsGivenUp: the file and the slot are for others then.
func TestAFollowerThatNeverPublishesIsGivenUp(t *testing.T) {
	const ticks = 500
	gone := false
	v := newSlowVoyage(t, 3, func(v *voyage) { gone = true })
	v.groups[0].board.host.cfg.Transfer.PublishTicks = ticks
	v.fate = func(e *messages.Envelope) []*messages.Envelope {
		if gone && e.GetFrom() == 2 && e.GetSnapshotProgress().GetState() != messages.SnapshotState_SNAPSHOT_STATE_PUBLISHING {
			return nil
		}
		return []*messages.Envelope{e}
	}
	began := v.now
	v.order(1, 9)
	v.reported(1)
	limit := ticks * v.groups[0].cfg.TickInterval
	if took := v.now.Sub(began); v.lastReport().ok || took < limit || took > 2*limit {
		t.Errorf("after %v, with a limit of %v, reported %+v", took, limit, v.lastReport())
	}
	if v.groups[0].board.host.sending.taken != 0 {
		t.Error("its slot is still taken")
	}
}
