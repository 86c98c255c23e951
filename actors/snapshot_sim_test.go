package actors

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"testing"
	"time"

	"castaway/persistence"
	"castaway/raft"
)

// kept is a journal's state, as a snapshot holds it.
type kept struct {
	Last  raft.Index
	Count int
	Hash  uint64
	Seen  map[string]int
}

// keeper is a journal that can be written down.
type keeper struct{ journal }

func (k *keeper) state() kept {
	return kept{k.last, k.count, k.hash, maps.Clone(k.seen)}
}

func (k *keeper) take(s kept) { k.last, k.count, k.hash, k.seen = s.Last, s.Count, s.Hash, s.Seen }

func (k *keeper) Snapshot() (Snapshot, error) { return heldState(k.state()), nil }

func (k *keeper) Restore(r io.Reader) error {
	var s kept
	if err := json.NewDecoder(r).Decode(&s); err != nil {
		return err
	}
	k.take(s)
	return nil
}

type heldState kept

func (h heldState) Write(w io.Writer) error { return json.NewEncoder(w).Encode(kept(h)) }
func (h heldState) Release()                {}

// keeperDisk is what an on-disk keeper has written; it outlives the machine.
type keeperDisk struct {
	state   kept
	applied raft.Index
	side    map[string][]byte
	open    bool
}

// diskKeeper keeps its state on a disk, in one write with the index (C11).
type diskKeeper struct {
	keeper
	t    *testing.T
	disk *keeperDisk
}

func (d *diskKeeper) Open() (raft.Index, []Pair, error) {
	if d.disk.open {
		d.t.Error("a machine was opened while another was")
	}
	d.disk.open = true
	d.take(d.disk.state)
	d.seen = maps.Clone(d.seen)
	var side []Pair
	for k, v := range d.disk.side {
		side = append(side, Pair{[]byte(k), v})
	}
	return d.disk.applied, side, nil
}

func (d *diskKeeper) Restore(r io.Reader) error {
	*d.disk = keeperDisk{open: true}
	return d.keeper.Restore(r)
}

func (d *diskKeeper) Commit(applied raft.Index, side []Pair) error {
	if d.last > applied || applied < d.disk.applied {
		d.t.Errorf("committed up to %d after %d, but the machine is at %d", applied, d.disk.applied, d.last)
	}
	d.disk.state, d.disk.applied = d.state(), applied
	if d.disk.side == nil {
		d.disk.side = map[string][]byte{}
	}
	for _, p := range side {
		if p.Value == nil {
			delete(d.disk.side, string(p.Key))
		} else {
			d.disk.side[string(p.Key)] = p.Value
		}
	}
	return nil
}

func (d *diskKeeper) Close() error {
	d.disk.open = false
	return nil
}

// TestC27_SnapshotsAndCrashesInManyRuns is TestCrashesInManyRuns with snapshots all the
// time, and servers that are away for long: what was acknowledged is there, once, and all
// states are equal at equal indexes (SM), whether a server came there by entries or by a
// snapshot, with machines in memory and on disk.
func TestC27_SnapshotsAndCrashesInManyRuns(t *testing.T) {
	installed := 0
	for seed := range uint64(*seeds) {
		onDisk := seed%2 == 1
		s := newSimulation(seed)
		o := newObserver(t)
		crashing := true
		disks := map[raft.NodeID]*keeperDisk{}
		groups := s.cast(t, 3, o, func(h *HostConfig, g *GroupConfig) {
			plenty := Budget{Restarts: 1000, Within: time.Second}
			h.HostBudget, h.TransportBudget, h.GroupBudget = plenty, plenty, plenty
			g.ServerBudget, g.LogBudget, g.MachineBudget = plenty, plenty, plenty
			h.Snapshots = persistence.NewMemorySnapshots(h.ClusterID)
			g.SnapshotEntries, g.TrailingEntries = 5, 2
			disk := &keeperDisk{}
			disks[h.ID] = disk
			g.Machine = func() StateMachine {
				k := keeper{journal{observer: o}}
				if onDisk {
					return &diskKeeper{keeper: k, t: t, disk: disk}
				}
				return &k
			}
			h.Inject = func(_ string, message any) {
				if _, ok := message.(snapshotArrived); ok {
					installed++
				}
				if crashing && s.random.IntN(250) == 0 {
					panic(errInjected)
				}
			}
		})
		told, asked := rageWithSnapshots(t, s, groups)
		crashing = false
		s.network.HealAll()
		s.pass(15 * groups[0].cfg.ElectionTimeout())
		after := errInjected
		groups[0].ProposeAsync([]byte("after"), func(_ Result, err error) { after = err })
		s.pass(groups[0].cfg.ElectionTimeout())
		if after != nil || len(told) != asked {
			t.Errorf("seed %d: after the crashes: %v; %d of %d requests answered", seed, after, len(told), asked)
		}
		o.compare(t, told)
		sameInTheEnd(t, s, groups)
	}
	if installed == 0 {
		t.Error("no server was ever sent a snapshot: the test shows little")
	}
}

// rageWithSnapshots writes while links are cut; each server is away for long now and
// then.
func rageWithSnapshots(t *testing.T, s *simulation, groups []*Group) (told map[string]Outcome, asked int) {
	told = make(map[string]Outcome)
	for i := range 200 {
		s.pass(50 * time.Millisecond)
		switch s.random.IntN(30) {
		case 0, 1:
			s.network.Isolate(raft.NodeID(1 + s.random.IntN(3)))
		case 2, 3:
			s.network.HealAll()
		}
		command := fmt.Sprint("c", i)
		asked++
		groups[i%3].ProposeAsync([]byte(command), func(r Result, err error) {
			if _, twice := told[command]; twice {
				t.Errorf("seed %d: %s was answered twice", s.seed, command)
			}
			told[command] = Outcome{Result: r, Err: err}
		})
	}
	return told, asked
}

// sameInTheEnd fails the test unless all servers have the same state, and short logs.
func sameInTheEnd(t *testing.T, s *simulation, groups []*Group) {
	t.Helper()
	var first Status
	for i, g := range groups {
		if why := g.board.halted.Load(); why != nil || g.board.host.Err() != nil {
			t.Fatalf("seed %d: server %d has halted: %v", s.seed, i+1, g.board.host.Err())
		}
		answer := make(chan Status, 1)
		g.board.server.pushControl(&statusRequest{answer: answer})
		g.board.send(g.board.pids.server, wakeup{})
		s.settle()
		st := <-answer
		reply := make(chan machineStatus, 1)
		g.board.machine.inbox.pushControl(&askMachine{answer: reply})
		g.board.send(g.board.pids.machine, wakeup{})
		s.settle()
		m := <-reply
		st.Applied, st.StateHash = m.applied, m.hash
		if i == 0 {
			first = st
		}
		if st.Applied != first.Applied || st.StateHash != first.StateHash {
			t.Errorf("seed %d: server %d is at %d with hash %x, server 1 at %d with %x", s.seed, i+1, st.Applied, st.StateHash, first.Applied, first.StateHash)
		}
		if length := st.Raft.Last.Index + 1 - st.Raft.First; length > 60 {
			t.Errorf("seed %d: server %d has a log of %d entries, from %d on", s.seed, i+1, length, st.Raft.First)
		}
	}
}
