package actors

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"castaway/messages"
	"castaway/persistence"
	"castaway/raft"
)

// voyage is a simulation in which node 1 sends node 2 a snapshot, over a network that
// does with its envelopes what the test likes.
type voyage struct {
	*simulation
	t       *testing.T
	groups  []*Group
	files   map[raft.NodeID]*persistence.MemorySnapshots
	payload []byte
	info    persistence.SnapshotInfo

	sent     int64 // bytes in chunks
	reports  []snapshotReported
	arrivals []snapshotArrived
	fate     func(e *messages.Envelope) []*messages.Envelope // nil: as it is
	inject   func(actorName string, message any)
}

// sea is a node's end of that network.
type sea struct {
	Network
	voyage *voyage
}

func (s *sea) Send(to raft.NodeID, e *messages.Envelope) {
	all := []*messages.Envelope{e}
	if messages.KindOf(e).OfSnapshots() {
		s.voyage.sent += int64(len(e.GetSnapshotChunk().GetData()))
		if s.voyage.fate != nil {
			all = s.voyage.fate(e)
		}
	}
	for _, e := range all {
		s.Network.Send(to, e)
	}
}

const voyageBytes = 5 << 20

// hold is a machine that takes every snapshot, and has nothing of its own.
type hold struct{}

func (hold) Apply(commands []Command) [][]byte { return make([][]byte, len(commands)) }
func (hold) Query(any) (any, error)            { return nil, nil }
func (hold) Snapshot() (Snapshot, error)       { return nil, errors.New("there is nothing") }

func (hold) Restore(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	return err
}

// newVoyage starts three nodes, of which the first has a snapshot.
func newVoyage(t *testing.T, seed uint64, tune func(*HostConfig, *GroupConfig)) *voyage {
	t.Helper()
	v := &voyage{simulation: newSimulation(seed), t: t, files: map[raft.NodeID]*persistence.MemorySnapshots{}, payload: make([]byte, voyageBytes)}
	random := rand.New(rand.NewPCG(seed, 2))
	for i := range v.payload {
		v.payload[i] = byte(random.IntN(256))
	}
	o := newObserver(t)
	v.groups = v.cast(t, 3, o, func(hc *HostConfig, gc *GroupConfig) {
		id := hc.ID
		v.files[id] = persistence.NewMemorySnapshots(hc.ClusterID)
		hc.Snapshots = v.files[id]
		gc.Machine = func() StateMachine { return hold{} }
		hc.Network = &sea{hc.Network, v}
		hc.Inject = func(name string, message any) { v.see(name, message) }
		gc.MachineBudget = Budget{Restarts: 1000, Within: time.Second}
		gc.ServerBudget = gc.MachineBudget
		if tune != nil {
			tune(hc, gc)
		}
	})
	v.pass(5 * time.Second) // until there is a leader
	v.info = v.publish(1, 40)
	return v
}

func (v *voyage) see(name string, message any) {
	switch m := message.(type) {
	case snapshotReported:
		v.reports = append(v.reports, m)
	case snapshotArrived:
		v.arrivals = append(v.arrivals, m)
		panic(errInjected) // so that no server takes it: this is about the way to there
	}
	if v.inject != nil {
		v.inject(name, message)
	}
}

// publish gives a node a snapshot that ends at an index.
func (v *voyage) publish(id raft.NodeID, index raft.Index) persistence.SnapshotInfo {
	v.t.Helper()
	w, err := v.files[id].Create(1, raft.SnapshotMeta{
		Last: raft.Position{Term: 3, Index: index}, Configuration: raft.Configuration{Voters: []raft.NodeID{1, 2, 3}},
	})
	if err != nil {
		v.t.Fatal(err)
	}
	if err := writeSessions(w, (&raft.Sessions{}).Encode()); err != nil {
		v.t.Fatal(err)
	}
	if _, err := w.Write(v.payload); err != nil {
		v.t.Fatal(err)
	}
	info, err := w.Publish()
	if err != nil {
		v.t.Fatal(err)
	}
	return info
}

// order asks a node's group to send node 2 its newest snapshot.
func (v *voyage) order(from raft.NodeID, term raft.Term) {
	b := v.groups[from-1].board
	b.send(b.pids.group, sendSnapshot{to: 2, term: term, next: 20})
}

// reported passes time until count errands have ended.
func (v *voyage) reported(count int) {
	v.t.Helper()
	for end := v.now.Add(5 * time.Minute); len(v.reports) < count && v.now.Before(end); {
		v.pass(10 * time.Millisecond)
	}
	v.pass(time.Second)
	if len(v.reports) != count {
		v.t.Fatalf("seed %d: %d errands have ended, want %d: %+v", v.seed, len(v.reports), count, v.reports)
	}
}

// want fails the test unless node 2 has this snapshot and nothing else.
func (v *voyage) want(info persistence.SnapshotInfo) {
	v.t.Helper()
	list, err := v.files[2].List(1)
	if err != nil || len(list) != 1 || !list[0].Same(&info) {
		v.t.Fatalf("seed %d: node 2 has %v, %v; want %v", v.seed, list, err, info)
	}
	r, err := v.files[2].Open(list[0])
	if err != nil {
		v.t.Fatal(err)
	}
	if _, err := readSessions(r); err != nil {
		v.t.Fatal(err)
	}
	got, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(got, v.payload) {
		v.t.Fatalf("seed %d: the payload is another one (%v)", v.seed, err)
	}
}

// lastReport is how the last errand ended.
func (v *voyage) lastReport() snapshotReported { return v.reports[len(v.reports)-1] }

func TestASnapshotIsSentAndHandedOver(t *testing.T) {
	v := newVoyage(t, 1, nil)
	v.order(1, 9)
	v.reported(1)
	v.want(v.info)
	if r := v.lastReport(); !r.ok || r.to != 2 || r.term != 9 || r.last != v.info.Meta.Last {
		t.Errorf("reported %+v", r)
	}
	if len(v.arrivals) != 1 || v.arrivals[0].header != (raft.Header{From: 1, To: 2, Term: 9}) || v.arrivals[0].meta.Last != v.info.Meta.Last {
		t.Errorf("arrived %+v", v.arrivals)
	}
	if v.sent != v.info.Size {
		t.Errorf("%d bytes were sent of a file of %d", v.sent, v.info.Size)
	}
	// What the follower has need not be sent again.
	v.order(1, 10)
	v.reported(2)
	if v.sent != v.info.Size || !v.lastReport().ok {
		t.Errorf("sent again: %d bytes in all, %+v", v.sent, v.lastReport())
	}
}

// TestC07_ASnapshotArrivesOverABadNetwork loses, doubles, delays and damages what is
// about snapshots.
func TestC07_ASnapshotArrivesOverABadNetwork(t *testing.T) {
	for seed := range uint64(10) {
		v := newVoyage(t, seed, nil)
		v.fate = func(e *messages.Envelope) []*messages.Envelope {
			switch v.random.IntN(20) {
			case 0:
				return nil
			case 1:
				return []*messages.Envelope{e, e}
			case 2: // it comes much later
				network := v.network.Node(raft.NodeID(e.GetFrom()))
				v.AfterFunc(time.Duration(v.random.IntN(2000))*time.Millisecond, func() { network.Send(raft.NodeID(e.GetTo()), e) })
				return nil
			case 3:
				if e.GetSnapshotChunk() != nil {
					bad := proto.CloneOf(e)
					data := bad.GetSnapshotChunk().GetData()
					data[v.random.IntN(len(data))] ^= 1
					return []*messages.Envelope{bad}
				}
			}
			return []*messages.Envelope{e}
		}
		v.order(1, 9)
		v.reported(1)
		if !v.lastReport().ok {
			t.Fatalf("seed %d: %+v", seed, v.lastReport())
		}
		v.want(v.info)
	}
}

// TestC27_ASnapshotGoesOnAfterCrashesOfBothEnds: a panic of courier or receiver, at any
// message, costs no more than what was on its way.
func TestC27_ASnapshotGoesOnAfterCrashesOfBothEnds(t *testing.T) {
	for seed := range uint64(10) {
		v := newVoyage(t, seed, nil)
		crashes := 0
		v.inject = func(name string, _ any) {
			if (name == "courier" || name == "receiver") && v.random.IntN(40) == 0 {
				crashes++
				panic("a crash of the " + name)
			}
		}
		v.order(1, 9)
		v.reported(1)
		if !v.lastReport().ok {
			t.Fatalf("seed %d: %+v", seed, v.lastReport())
		}
		v.want(v.info)
		window := int64(DefaultTransferLimits().WindowBytes)
		const block = 512 << 10 // a receiver goes back to the end of the last whole one
		if most := v.info.Size + int64(crashes)*(window+block); v.sent > most {
			t.Errorf("seed %d: after %d crashes, %d bytes were sent of %d, want at most %d", seed, crashes, v.sent, v.info.Size, most)
		}
	}
}

// A leader of a later term goes before one of an earlier, in mid-transfer.
func TestANewLeadersSnapshotGoesFirst(t *testing.T) {
	v := newVoyage(t, 3, nil)
	other := v.publish(3, 50)
	var seen int64
	v.fate = func(e *messages.Envelope) []*messages.Envelope {
		if c := e.GetSnapshotChunk(); c != nil && e.GetFrom() == 1 {
			if seen += int64(len(c.GetData())); seen > voyageBytes/2 && seen-int64(len(c.GetData())) <= voyageBytes/2 {
				v.order(3, 10)
			}
		}
		return []*messages.Envelope{e}
	}
	v.order(1, 9)
	v.reported(2)
	if i := slices.IndexFunc(v.reports, func(r snapshotReported) bool { return r.term == 10 }); i < 0 || !v.reports[i].ok {
		t.Errorf("reported %+v", v.reports)
	}
	for _, a := range v.arrivals {
		if a.header.From != 3 {
			t.Errorf("arrived %+v", a)
		}
	}
	v.want(other)
}

// A leader that leads no longer sends nothing any more.
func TestADeposedLeaderStopsSending(t *testing.T) {
	v := newVoyage(t, 4, func(hc *HostConfig, _ *GroupConfig) { hc.Transfer.BytesPerSecond = 1 << 20 })
	v.order(1, 9)
	v.pass(time.Second)
	b := v.groups[0].board
	b.send(b.pids.group, abandonSnapshots{})
	v.settle()
	sent := v.sent
	v.pass(10 * time.Second)
	if v.sent != sent || len(v.reports) != 0 || sent == 0 {
		t.Errorf("%d bytes were sent before, %d after; reported %+v", sent, v.sent-sent, v.reports)
	}
	if b.host.sending.taken != 0 {
		t.Errorf("%d slots are still taken", b.host.sending.taken)
	}
}

func TestTheThrottleHoldsSnapshotsBack(t *testing.T) {
	const rate = 1 << 20
	v := newVoyage(t, 5, func(hc *HostConfig, _ *GroupConfig) { hc.Transfer.BytesPerSecond = rate })
	began := v.now
	v.order(1, 9)
	for len(v.reports) == 0 && v.now.Sub(began) < time.Minute {
		v.pass(10 * time.Millisecond)
	}
	took, least := v.now.Sub(began), time.Duration(float64(v.info.Size)/rate*float64(time.Second))
	if took < least-throttleSaves || took > least*3/2 {
		t.Errorf("%d bytes at %d a second took %v, want about %v", v.info.Size, rate, took, least)
	}
	v.want(v.info)
}

// What is on its way stays within the window.
func TestNoMoreThanTheWindowIsOnItsWay(t *testing.T) {
	limits := TransferLimits{ChunkBytes: 32 << 10, WindowBytes: 128 << 10, MaxConcurrent: 1, PublishTicks: 100}
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
