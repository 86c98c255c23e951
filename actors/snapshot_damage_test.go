package actors

import (
	"errors"
	"fmt"
	"testing"

	"castaway/persistence"
	"castaway/raft"
)

// laggards starts three nodes with keepers that take no snapshots of their own accord but
// the first ones, and leaves node 3 behind all logs. It gives the snapshots by node.
func laggards(t *testing.T, seed uint64, tune func(*HostConfig)) (*simulation, []*Group, map[raft.NodeID]*persistence.MemorySnapshots) {
	t.Helper()
	s, o := newSimulation(seed), newObserver(t)
	files := map[raft.NodeID]*persistence.MemorySnapshots{}
	groups := s.cast(t, 3, o, func(h *HostConfig, g *GroupConfig) {
		files[h.ID] = persistence.NewMemorySnapshots(h.ClusterID)
		h.Snapshots = files[h.ID]
		if tune != nil {
			tune(h)
		}
		g.SnapshotEntries, g.TrailingEntries = 20, 2
		g.Machine = func() StateMachine { return &keeper{journal{observer: o}} }
	})
	s.pass(5 * groups[0].cfg.ElectionTimeout())
	s.network.Isolate(3)
	for i := range 25 {
		groups[i%2].ProposeAsync([]byte(fmt.Sprint("c", i)), func(Result, error) {})
		s.pass(groups[0].cfg.ElectionTimeout() / 10)
	}
	s.pass(5 * groups[0].cfg.ElectionTimeout())
	for id := raft.NodeID(1); id <= 2; id++ {
		if list, err := files[id].List(1); err != nil || len(list) != 1 {
			t.Fatalf("node %d has the snapshots %v, %v; want one", id, list, err)
		}
	}
	return s, groups, files
}

// TestADamagedSnapshotIsReplacedAndAFollowerCaughtUp: nothing is written any more, no
// snapshot is due for long, and the only one that there is rots in its body. Only the
// follower, which puts it together, finds out.
func TestADamagedSnapshotIsReplacedAndAFollowerCaughtUp(t *testing.T) {
	for seed := range uint64(4) {
		s, groups, files := laggards(t, seed, nil)
		for id := raft.NodeID(1); id <= 2; id++ {
			list, _ := files[id].List(1)
			files[id].Damage(list[0], list[0].Size*4)
		}
		s.network.HealAll()
		s.pass(20 * groups[0].cfg.ElectionTimeout())
		sameInTheEnd(t, s, groups)
		if list, _ := files[3].List(1); len(list) == 0 {
			t.Fatalf("seed %d: the follower was sent no snapshot: the test shows little", seed)
		}
	}
}

// TestASnapshotThatIsGoneIsTakenAnew: a leader whose file was cut short has none to send,
// and does not wait for one to be due.
func TestASnapshotThatIsGoneIsTakenAnew(t *testing.T) {
	s, groups, files := laggards(t, 1, nil)
	for id := raft.NodeID(1); id <= 2; id++ {
		list, _ := files[id].List(1)
		files[id].Truncate(list[0], list[0].Size/2)
	}
	s.network.HealAll()
	s.pass(20 * groups[0].cfg.ElectionTimeout())
	sameInTheEnd(t, s, groups)
}

// unreadable is a disk that gives back nothing of one file.
type unreadable struct {
	persistence.Snapshots
	bad persistence.SnapshotInfo
}

var errUnreadable = errors.New("input/output error")

func (u *unreadable) Read(info persistence.SnapshotInfo, offset int64, p []byte) (int, error) {
	if info.Same(&u.bad) {
		return 0, errUnreadable
	}
	return u.Snapshots.Read(info, offset, p)
}

func (u *unreadable) Examine(info persistence.SnapshotInfo) error {
	if info.Same(&u.bad) {
		return errUnreadable
	}
	return u.Snapshots.Examine(info)
}

// TestASnapshotThatCannotBeReadIsTakenAnew: the leader finds out itself, and the disk may
// say anything but that the bytes are wrong.
func TestASnapshotThatCannotBeReadIsTakenAnew(t *testing.T) {
	disks := map[raft.NodeID]*unreadable{}
	s, groups, files := laggards(t, 2, func(h *HostConfig) {
		disks[h.ID] = &unreadable{Snapshots: h.Snapshots}
		h.Snapshots = disks[h.ID]
	})
	for id := raft.NodeID(1); id <= 2; id++ {
		list, _ := files[id].List(1)
		disks[id].bad = list[0]
	}
	s.network.HealAll()
	s.pass(20 * groups[0].cfg.ElectionTimeout())
	sameInTheEnd(t, s, groups)
}

// TestADamagedSnapshotOfTheFollowersOwnIsReceivedAnew: that its name says it is there
// already does not make it good.
func TestADamagedSnapshotOfTheFollowersOwnIsReceivedAnew(t *testing.T) {
	v := newVoyage(t, 8, nil)
	if own := v.publish(2, 40); !own.Same(&v.info) {
		t.Fatalf("node 2 has %v, node 1 %v", own, v.info)
	}
	v.files[2].Damage(v.info, v.info.Size*4)
	v.order(1, 9)
	v.reported(1)
	if !v.lastReport().ok {
		t.Fatalf("reported %+v", v.lastReport())
	}
	v.want(v.info)
}

// A follower that calls whole files damaged does no harm to them: the leader looks itself.
func TestAWholeSnapshotIsNotSetAsideOnAFollowersWord(t *testing.T) {
	v := newVoyage(t, 9, func(hc *HostConfig, _ *GroupConfig) {
		if hc.ID == 2 {
			hc.Snapshots = &liar{hc.Snapshots}
		}
	})
	v.order(1, 9)
	v.reported(1)
	if list, err := v.files[1].List(1); v.lastReport().ok || err != nil || len(list) != 1 {
		t.Errorf("reported %+v; node 1 has %v, %v", v.lastReport(), list, err)
	}
}

// liar is a disk that takes all that is received for damaged.
type liar struct{ persistence.Snapshots }

type liarsReceiver struct{ persistence.SnapshotReceiver }

func (l *liar) Receive(info persistence.SnapshotInfo) (persistence.SnapshotReceiver, error) {
	r, err := l.Snapshots.Receive(info)
	return liarsReceiver{r}, err
}

func (liarsReceiver) Publish() (persistence.SnapshotInfo, error) {
	return persistence.SnapshotInfo{}, persistence.ErrCorrupt
}

// stubborn snapshots can't be removed.
type stubborn struct{ *persistence.MemorySnapshots }

func (stubborn) Prune(raft.GroupID, int) error { return errEIO }

// TestSnapshotsThatCannotBeRemovedDoNotKeepTheLog: they take up space, and the log before
// the newest one goes all the same.
func TestSnapshotsThatCannotBeRemovedDoNotKeepTheLog(t *testing.T) {
	s, groups, _ := laggards(t, 1, func(h *HostConfig) {
		h.Snapshots = stubborn{h.Snapshots.(*persistence.MemorySnapshots)}
	})
	for _, g := range groups[:2] {
		ask := &statusRequest{answer: make(chan Status, 1)}
		if err := g.server.pushControl(ask); err != nil {
			t.Fatal(err)
		}
		s.settle()
		if st := (<-ask.answer).Raft; st.First == 1 {
			t.Errorf("node %d has a snapshot, and its log from 1 to %d", g.Node(), st.Last.Index)
		}
	}
}
