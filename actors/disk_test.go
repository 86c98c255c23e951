package actors

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"castaway/persistence"
	"castaway/raft"
)

var errEIO = errors.New("input/output error")

// TestC40 lets the leader's disk fail. From then on it acknowledges nothing, votes
// for nobody, and writes nothing any more; it says why; and the others go on.
func TestC40_AFailedSyncIsFinal(t *testing.T) {
	for _, where := range []string{"sync", "append"} {
		t.Run(where, func(t *testing.T) {
			stores := make(map[raft.NodeID]*trickyStore)
			votes := newVoteWatch(t)
			c := newCluster(t, 3, func(h *HostConfig, g *GroupConfig) {
				tricky(stores)(h, g)
				h.Network = votes.watch(h.Network)
			})
			leader := c.leader()
			c.put(leader, "before")
			disk := stores[leader.id]
			disk.set(func(s *trickyStore) {
				if where == "sync" {
					s.syncErr = errEIO
				} else {
					s.writeErr = errEIO
				}
			})
			ctx, cancel := context.WithTimeout(context.Background(), 20*c.timeout())
			defer cancel()
			_, _ = leader.group.Propose(ctx, []byte("the last straw")) // the followers alone may commit it
			if err := <-leader.failure; !errors.Is(err, errEIO) {
				t.Errorf("the host failed with %v, not with the disk's error", err)
			}
			disk.set(func(s *trickyStore) { s.syncErr, s.writeErr = nil, nil }) // a retry would succeed
			syncs, appends := disk.syncs.Load(), disk.appends.Load()

			_, err := leader.group.Propose(ctx, []byte("after"))
			var e *Error
			if !errors.As(err, &e) || e.Reason != ReasonHalted || e.Indeterminate {
				t.Errorf("a command after the failure: %v", err)
			}
			st := leader.status()
			if st.Behaviour != "halted" || !strings.Contains(st.Halted, "input/output error") {
				t.Errorf("status: %q, %q", st.Behaviour, st.Halted)
			}
			rest := c.followers(leader)
			c.put(rest[0], "the others go on")
			before := votes.by(leader.id)
			for range 5 {
				_ = rest[1].group.Campaign(ctx)
				c.put(rest[0], "and on")
			}
			if votes.by(leader.id) != before {
				t.Error("the halted server voted")
			}
			if disk.syncs.Load() != syncs || disk.appends.Load() != appends {
				t.Error("the failed disk was used again")
			}
		})
	}
}

// A log that lost what it acknowledged refuses to take part from the start.
func TestACorruptLogHaltsAtOpen(t *testing.T) {
	c := newCluster(t, 3, func(h *HostConfig, _ *GroupConfig) {
		if h.ID == 3 {
			h.Store = corruptStore{h.Store}
		}
	})
	if err := <-c.nodes[3].failure; !errors.Is(err, persistence.ErrCorrupt) {
		t.Errorf("the host failed with %v", err)
	}
	if st := c.nodes[3].status(); !strings.Contains(st.Halted, "damaged") {
		t.Errorf("halted: %q", st.Halted)
	}
	c.put(c.nodes[1], "two are enough")
}

// A leader that finds its log damaged, when it reads entries for a follower, leads no
// longer: it might have acknowledged what it can't give to anyone.
func TestDamageFoundForAFollowerHaltsTheLeader(t *testing.T) {
	var damaged atomic.Uint64 // the node
	c := newCluster(t, 3, func(h *HostConfig, g *GroupConfig) {
		g.Limits.CacheBytes = 1
		id := uint64(h.ID)
		h.Store = persistence.NewFaulty(h.Store, func(call persistence.Call) persistence.Fault {
			if call.Operation == persistence.OperationEntries && damaged.Load() == id {
				return persistence.Fault{Err: persistence.ErrCorrupt}
			}
			return persistence.Fault{}
		})
	})
	leader := c.leader()
	behind := c.followers(leader)[0]
	c.halt(behind.id)
	for range 20 {
		c.put(leader, "missed")
	}
	damaged.Store(uint64(leader.id))
	c.start(behind.id)
	c.eventually(20, "end of the leader", func() bool { return leader.status().Halted != "" })
	if err := <-leader.failure; !errors.Is(err, persistence.ErrCorrupt) {
		t.Errorf("the host failed with %v", err)
	}
	c.put(behind, "the others go on")
}

type corruptStore struct{ persistence.Store }

// Load implements persistence.Store.
func (corruptStore) Load(raft.GroupID, int) (raft.Restored, error) {
	return raft.Restored{}, persistence.ErrCorrupt
}

// A store without space is not a failed one: nothing is acknowledged until it has
// taken the write, and synced it, and then everything goes on.
func TestNoSpaceIsWaitedFor(t *testing.T) {
	for _, where := range []string{"append", "sync"} {
		t.Run(where, func(t *testing.T) {
			stores := make(map[raft.NodeID]*trickyStore)
			c := newCluster(t, 1, tricky(stores))
			n := c.leader()
			c.put(n, "before")
			disk := stores[1]
			tries := disk.noSpace(where)
			told := make(chan error, 1)
			n.group.ProposeAsync([]byte("in between"), func(_ Result, err error) { told <- err })
			before := tries.Load()
			c.eventually(10, "retry", func() bool { return tries.Load() > before+3 })
			select {
			case err := <-told:
				t.Errorf("answered without being durable: %v", err)
			default:
			}
			disk.room()
			if err := <-told; err != nil {
				t.Error(err)
			}
			n.mustLive(t)
		})
	}
}

// A server that starts anew needs space too, to make durable what it will rest its
// word on. It waits for that, and then takes part again.
func TestAServerOpensOnceThereIsSpace(t *testing.T) {
	for _, where := range []string{"sync", "load"} {
		t.Run(where, func(t *testing.T) {
			stores := make(map[raft.NodeID]*trickyStore)
			bomb := &crasher{actor: "log"}
			c := newCluster(t, 1, func(h *HostConfig, g *GroupConfig) {
				tricky(stores)(h, g)
				h.Inject = bomb.inject
			})
			n := c.leader()
			c.put(n, "before")
			tries := stores[1].noSpace(where)
			before := tries.Load()
			bomb.arm(1)
			c.eventually(10, "retry", func() bool { return bomb.fired.Load() == 1 && tries.Load() > before+3 })
			if st := n.status(); st.Behaviour != "recovering" {
				t.Errorf("without space the server is a %s", st.Behaviour)
			}
			stores[1].room()
			c.put(n, "after")
			n.mustLive(t)
		})
	}
}

// Below the disk's reserve a leader refuses commands, with the reason; above it
// takes them again, by itself.
func TestTheReserveOfALeadersDisk(t *testing.T) {
	stores := make(map[raft.NodeID]*trickyStore)
	c := newCluster(t, 3, tricky(stores))
	leader := c.leader()
	stores[leader.id].set(func(s *trickyStore) { s.space = &persistence.Space{Free: 1, Reserve: 2} })
	c.eventually(10, "refusal", func() bool {
		_, err := leader.group.Propose(t.Context(), []byte("x"))
		var e *Error
		return errors.As(err, &e) && e.Reason == ReasonDiskReserve && !e.Indeterminate
	})
	if st := leader.status(); !strings.Contains(st.WaitingFor, "reserve") {
		t.Errorf("waiting for %q", st.WaitingFor)
	}
	stores[leader.id].set(func(s *trickyStore) { s.space = &persistence.Space{Free: 2, Reserve: 2} })
	c.eventually(10, "acceptance", func() bool {
		_, err := leader.group.Propose(t.Context(), []byte("y"))
		return err == nil
	})
}

// Below the store's hard floor a leader's batch may wait for ever. The commands
// behind it are refused all the same, its own clients' and those of followers.
func TestTheHardFloorOfALeadersDisk(t *testing.T) {
	stores := make(map[raft.NodeID]*trickyStore)
	c := newCluster(t, 3, tricky(stores))
	leader := c.leader()
	c.put(leader, "before")
	stores[leader.id].noSpace("append")
	stores[leader.id].set(func(s *trickyStore) { s.space = &persistence.Space{Free: 1, Reserve: 2} })
	leader.group.ProposeAsync([]byte("stuck"), func(Result, error) {})
	c.eventually(10, "word of it", func() bool { return leader.status().Space.Low() })
	ctx, cancel := context.WithTimeout(t.Context(), 5*c.timeout())
	defer cancel()
	for _, n := range []*node{leader, c.followers(leader)[0]} {
		_, err := n.group.Propose(ctx, []byte("behind it"))
		want(t, err, ReasonDiskReserve, false)
	}
	stores[leader.id].room()
	stores[leader.id].set(func(s *trickyStore) { s.space = nil })
	c.put(leader, "after")
	c.agree()
}

// A follower below its reserve goes on taking what the leader sends, until its
// store takes nothing more. It acknowledges nothing of that, but stays a follower,
// and the leader says who does not keep up; with room it catches up by itself.
func TestTheReserveOfAFollowersDisk(t *testing.T) {
	stores := make(map[raft.NodeID]*trickyStore)
	c := newCluster(t, 3, tricky(stores))
	leader := c.leader()
	full := c.followers(leader)[0]
	c.put(leader, "before")
	c.agree()
	stores[full.id].set(func(s *trickyStore) { s.space = &persistence.Space{Free: 1, Reserve: 2} })
	c.eventually(10, "word of it", func() bool { return full.status().Space.Low() })
	term := leader.status().Raft.HardState.Term
	for range 10 {
		c.put(leader, "below the reserve")
	}
	c.agree()
	stores[full.id].noSpace("append")
	durable := full.status().Raft.Durable
	for range 30 {
		c.put(leader, "below the floor")
	}
	if st := full.status(); st.Raft.Durable != durable || st.Behaviour != "follower" {
		t.Errorf("the full follower made entries durable, from %v to %v, as a %s", durable, st.Raft.Durable, st.Behaviour)
	}
	stores[full.id].room()
	stores[full.id].set(func(s *trickyStore) { s.space = nil })
	c.agree()
	if now := leader.status().Raft.HardState.Term; now != term {
		t.Errorf("the term went from %d to %d: a full disk caused an election", term, now)
	}
}

// TestC38 jams the leader's disk: the followers alone commit, and the client has
// its answer while the leader's own sync still hangs.
func TestC38_TheFollowersCommitWithoutTheLeadersDisk(t *testing.T) {
	stores := make(map[raft.NodeID]*trickyStore)
	c := newCluster(t, 3, tricky(stores))
	leader := c.leader()
	release := stores[leader.id].jam()
	ctx, cancel := context.WithTimeout(context.Background(), 10*c.timeout())
	defer cancel()
	r, err := leader.group.Propose(ctx, []byte("without me"))
	if err != nil {
		t.Error(err)
	}
	if st := leader.status(); st.Raft.Durable >= r.Index {
		t.Errorf("the leader's disk was not jammed: durable %d, answered %d", st.Raft.Durable, r.Index)
	}
	release()
	c.agree()
}

// The other way round: while the followers' disks hang, the leader's alone is no
// quorum, and nothing is answered.
func TestC38_TheLeadersDiskAloneCommitsNothing(t *testing.T) {
	stores := make(map[raft.NodeID]*trickyStore)
	c := newCluster(t, 3, tricky(stores))
	leader := c.leader()
	var releases []func()
	for _, f := range c.followers(leader) {
		releases = append(releases, stores[f.id].jam())
	}
	told := make(chan error, 1)
	leader.group.ProposeAsync([]byte("alone"), func(_ Result, err error) { told <- err })
	c.eventually(10, "durable on the leader", func() bool {
		st := leader.status()
		return st.Raft.Durable == st.Raft.Last.Index && st.Raft.Commit < st.Raft.Durable
	})
	if st := leader.status(); !strings.Contains(st.WaitingFor, "acknowledgements") {
		t.Errorf("waiting for %q", st.WaitingFor)
	}
	select {
	case err := <-told:
		t.Errorf("answered by one disk of three: %v", err)
	default:
	}
	for _, release := range releases {
		release()
	}
	if err := <-told; err != nil {
		t.Error(err)
	}
}

// TestC10 sends a server the acknowledgement of an incarnation before its own: it
// must not take it for its own writes.
func TestC10_AnAcknowledgementOfAnotherLifeIsIgnored(t *testing.T) {
	stores := make(map[raft.NodeID]*trickyStore)
	c := newCluster(t, 1, tricky(stores))
	n := c.leader()
	release := stores[1].jam()
	told := make(chan error, 1)
	n.group.ProposeAsync([]byte("not yet"), func(_ Result, err error) { told <- err })
	c.eventually(10, "proposal", func() bool { return n.status().Inflight.Proposed == 1 })
	st := n.status()
	for life := range st.Raft.Incarnation {
		n.group.send(n.group.pids.server, persisted{ack: raft.Ack{Incarnation: life, Sequence: 1 << 40}})
		n.group.send(n.group.pids.server, persisted{ack: raft.Ack{Incarnation: life, Sequence: 3}})
	}
	if now := n.status(); now.Raft.Durable != st.Raft.Durable || now.Raft.Commit != st.Raft.Commit {
		t.Errorf("durable went from %d to %d, commit from %d to %d", st.Raft.Durable, now.Raft.Durable, st.Raft.Commit, now.Raft.Commit)
	}
	release()
	if err := <-told; err != nil {
		t.Error(err)
	}
}
