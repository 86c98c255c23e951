package actors_test

import (
	"context"
	"log/slog"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"castaway/actors"
	"castaway/cluster/remoting"
	"castaway/messages"
	"castaway/raft"
)

// A wired node is a transport over real remoting, with a function for a server.
type wired struct {
	t         testing.TB
	id        raft.NodeID
	system    *actor.ActorSystem
	remoting  *remoting.Remoting
	parent    *actor.PID
	server    *actor.PID
	transport *actor.PID
	stats     func() actors.TransportStats
}

func newWired(t testing.TB, id raft.NodeID, peers map[raft.NodeID]string, serve func(*wired, *messages.Envelope)) *wired {
	t.Helper()
	n := &wired{t: t, id: id, system: wireSystem()}
	cfg := remoting.DefaultConfig()
	cfg.ID, cfg.Peers, cfg.Logger = id, peers, slog.New(slog.DiscardHandler)
	r, err := remoting.Start(n.system, cfg)
	if err != nil {
		t.Fatal(err)
	}
	n.remoting = r
	n.server = n.system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		if e, ok := ctx.Message().(*messages.Envelope); ok {
			serve(n, e)
		}
	}))
	n.parent, n.transport, n.stats = actors.TransportUnderTest(n.system, id, r, n.server)
	t.Cleanup(n.stop)
	return n
}

func wireSystem() *actor.ActorSystem {
	return actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }),
		actor.WithDeadLetterThrottleInterval(time.Millisecond))
}

func (n *wired) stop() {
	if n.parent == nil {
		return
	}
	_ = n.system.Root.StopFuture(n.parent).Wait()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := n.remoting.Stop(ctx); err != nil {
		n.t.Error(err)
	}
	_ = n.system.Root.StopFuture(n.server).Wait()
	n.parent = nil
}

func (n *wired) send(e *messages.Envelope) {
	n.system.Root.Send(n.transport, actors.Outbound{Envelopes: []*messages.Envelope{e}})
}

func (n *wired) state(of raft.NodeID) actors.GateState {
	for _, p := range n.stats().Peers {
		if p.ID == of {
			return p.State
		}
	}
	return ""
}

func await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); <-time.After(time.Millisecond) { // a counter has no event
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

func loopback(t testing.TB, ids ...raft.NodeID) map[raft.NodeID]string {
	t.Helper()
	peers := make(map[raft.NodeID]string)
	for _, id := range ids {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		peers[id] = l.Addr().String()
	}
	return peers
}

// hundred is an envelope of about 100 bytes, numbered by its term.
func hundred(from, to raft.NodeID, n uint64) *messages.Envelope {
	return &messages.Envelope{ClusterId: 7, Group: 1, From: uint64(from), To: uint64(to), Term: n + 1,
		Kind: &messages.Envelope_ForwardProposals{ForwardProposals: &messages.ForwardProposals{
			Proposals: []*messages.ForwardedProposal{{Id: 1, Command: make([]byte, 72)}}}}}
}

// Three nodes over TCP: everyone reaches everyone; one that is killed and comes
// back on its address is reached again within about a heartbeat, and gets nothing
// of what was said meanwhile.
func TestTransportsOverRealConnections(t *testing.T) {
	peers := loopback(t, 1, 2, 3)
	var got [4]atomic.Uint64
	var oldest atomic.Uint64
	serve := func(n *wired, e *messages.Envelope) {
		got[n.id].Add(1)
		if e.GetTerm() < oldest.Load() {
			t.Errorf("node %d got message %d, which was sent while it was down", n.id, e.GetTerm())
		}
	}
	nodes := map[raft.NodeID]*wired{}
	for id := range peers {
		nodes[id] = newWired(t, id, peers, serve)
	}
	for from, n := range nodes {
		for to := range nodes {
			if from != to {
				await(t, "all are connected", func() bool { return n.state(to) == actors.GateUp })
				n.send(hundred(from, to, 1))
			}
		}
	}
	for id := range nodes {
		await(t, "all messages arrived", func() bool { return got[id].Load() == 2 })
	}
	nodes[3].stop()
	await(t, "the loss is noticed", func() bool { return nodes[1].state(3) != actors.GateUp })
	for range 1000 {
		nodes[1].send(hundred(1, 3, 2))
	}
	oldest.Store(10)
	back := newWired(t, 3, peers, serve)
	began := time.Now()
	await(t, "it is connected again", func() bool { return nodes[1].state(3) == actors.GateUp && back.state(1) == actors.GateUp })
	took := time.Since(began)
	nodes[1].send(hundred(1, 3, 10))
	await(t, "messages flow again", func() bool { return got[3].Load() == 3 })
	t.Logf("connected again after %v", took)
	if took > time.Second {
		t.Errorf("connected again after %v, want about a heartbeat of 100ms", took)
	}
}

// A transport that crashes learns from its network who is connected.
func TestATransportThatCrashesGoesOnOverTheSameConnections(t *testing.T) {
	peers := loopback(t, 1, 2)
	var got atomic.Uint64
	a := newWired(t, 1, peers, func(*wired, *messages.Envelope) {})
	b := newWired(t, 2, peers, func(*wired, *messages.Envelope) { got.Add(1) })
	await(t, "they are connected", func() bool { return a.state(2) == actors.GateUp && b.state(1) == actors.GateUp })
	flaps := b.stats().Peers[0].Flaps
	a.system.Root.Send(a.transport, actors.Outbound{Envelopes: []*messages.Envelope{nil}}) // nil: dropped, no crash
	_ = a.system.Root.StopFuture(a.parent).Wait()
	a.parent, a.transport, a.stats = actors.TransportUnderTest(a.system, 1, a.remoting, a.server)
	await(t, "the new one knows", func() bool { return a.state(2) == actors.GateUp })
	a.send(hundred(1, 2, 1))
	await(t, "it sends", func() bool { return got.Load() == 1 })
	if b.stats().Peers[0].Flaps != flaps {
		t.Error("the connection was made anew")
	}
}
