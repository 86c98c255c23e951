package actors

import (
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"castaway/messages"
	"castaway/raft"
)

// transportLimits are the transport's times.
type transportLimits struct {
	// ProbeInterval lies between two probes of a peer that is not connected, and
	// between two looks at those that are.
	ProbeInterval time.Duration
	// Silence is how long a peer that is sent to may say nothing before its
	// connection is dropped and made anew. It is about an election timeout: what a
	// stuck connection holds back must not be delivered later than that.
	Silence time.Duration
	// Grace is how long a node that is no member any more can still be sent to, so
	// that it can be told of that, and how long a stranger is remembered that says
	// nothing.
	Grace time.Duration
	// Gather is how long a heartbeat may wait for those of other groups to the same
	// node: about the time that all servers of a node take for one tick.
	Gather time.Duration
}

func defaultTransportLimits() transportLimits {
	return transportLimits{ProbeInterval: 100 * time.Millisecond, Silence: time.Second, Grace: 10 * time.Second, Gather: 2 * time.Millisecond}
}

// silenceTicks is Silence in ProbeIntervals.
func (l transportLimits) silenceTicks() int {
	return max(2, int(l.Silence/l.ProbeInterval))
}

// graceTicks is Grace in ProbeIntervals.
func (l transportLimits) graceTicks() int {
	return max(1, int(l.Grace/l.ProbeInterval))
}

type transportConfig struct {
	ClusterID uint64
	ID        raft.NodeID
	Network   Network
	Clock     Clock
	Logger    *slog.Logger
	Lane      lane
	Limits    transportLimits // the default if zero
	Stats     *transportBoard // made if nil
	// MaxStrangers bounds the peers that are members of no group here.
	MaxStrangers int
}

func (c transportConfig) complete() transportConfig {
	if c.Limits == (transportLimits{}) {
		c.Limits = defaultTransportLimits()
	}
	if c.Stats == nil {
		c.Stats = newTransportBoard()
	}
	return c
}

// transport is the actor through which all envelopes go, out and in. Outbound
// ones pass the receiver's gate; inbound ones are routed by group, and what is
// not for us is dropped, counted, and logged once per peer and reason.
//
// It keeps nothing that it could not learn again: after a restart it asks the
// network for connections, its parent for the groups, and probes everyone.
type transport struct {
	transportConfig
	peers  map[raft.NodeID]*transportPeer
	order  []*transportPeer // by id, so that what is visible has an order
	groups map[raft.GroupID]route
	begun  []raft.Member // who the members are for a group that has not said it
	told   []raft.Member // what the network was told last
	timer  Timer
	// gathering says that a bundleTick is to come, and gathered that one is in the
	// mailbox: see bundles.go.
	gathering, gathered bool
	gatherer            Timer
}

// transportTick is the transport's own; a tick for an instance that has gone is
// ignored.
type transportTick struct {
	quiet
	of *transport
}

// newTransport gives the transport's producer; its instances share cfg.Stats.
func newTransport(cfg transportConfig) func() actor.Actor {
	cfg = cfg.complete()
	return func() actor.Actor { return &transport{transportConfig: cfg} }
}

// Receive implements actor.Actor.
func (t *transport) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case Outbound:
		t.send(m.Envelopes)
	case beats:
		t.gather(ctx, m)
	case bundleTick:
		t.sendBundles(m)
	case *messages.Envelope:
		t.receive(ctx, m)
	case transportTick:
		t.tick(ctx, m)
	case PeerConnected:
		t.connected(m.ID)
	case PeerTerminated:
		t.terminated(m.ID)
	case registerGroup:
		t.groups[m.Group] = route{server: m.Server, snapshots: m.Snapshots, members: m.Members}
		t.settle()
	case groupMembers:
		if r, ok := t.groups[m.Group]; ok {
			r.members = m.Members
			t.groups[m.Group] = r
			t.settle()
		}
	case unregisterGroup:
		delete(t.groups, m.Group)
	case *actor.Started:
		t.start(ctx)
	case *actor.Stopping:
		t.Network.Attach(ctx.ActorSystem(), nil)
		t.stopTimer()
	case *actor.Restarting:
		t.stopTimer()
	}
}

func (t *transport) start(ctx actor.Context) {
	t.peers = make(map[raft.NodeID]*transportPeer)
	t.groups = make(map[raft.GroupID]route)
	for _, id := range slices.Sorted(slices.Values(t.Network.Peers())) {
		if id != t.ID && t.peers[id] == nil {
			t.admit(id, member)
			t.begun = append(t.begun, raft.Member{ID: id})
		}
	}
	t.Network.Attach(ctx.ActorSystem(), ctx.Self())
	if parent := ctx.Parent(); parent != nil {
		ctx.Send(parent, transportStarted{})
	}
	t.tick(ctx, transportTick{of: t})
}

func (t *transport) stopTimer() {
	for _, timer := range []Timer{t.timer, t.gatherer} {
		if timer != nil {
			timer.Stop()
		}
	}
}

// tick looks at every gate, and is the first thing that a new instance does.
func (t *transport) tick(ctx actor.Context, m transportTick) {
	if m.of != t {
		return
	}
	t.age()
	for _, p := range t.order {
		switch p.tick() {
		case gateProbe:
			t.probe(p, false)
		case gateReset:
			p.counters.resets.Add(1)
			p.counters.flaps.Add(1)
			if p.resets == 1 {
				t.Logger.Warn("peer is silent; its connection is dropped and made anew, ever more rarely until it is heard",
					"node", t.ID, "peer", p.id, "silence", t.Limits.Silence)
			}
			t.Network.Reset(p.id)
			t.probe(p, false)
		}
		p.counters.setState(p.state)
	}
	root, self := ctx.ActorSystem().Root, ctx.Self()
	t.timer = t.Clock.AfterFunc(t.Limits.ProbeInterval, func() { root.Send(self, transportTick{of: t}) })
}

// probe asks for a sign of life, or gives one.
func (t *transport) probe(p *transportPeer, reply bool) {
	p.sent = true
	p.counters.probes.Add(1)
	p.counters.sent.Add(1)
	t.Network.Send(p.id, &messages.Envelope{
		ClusterId: t.ClusterID, From: uint64(t.ID), To: uint64(p.id),
		Kind: &messages.Envelope_Probe{Probe: &messages.Probe{Reply: reply}},
	})
}

func (t *transport) connected(id raft.NodeID) {
	p := t.peers[id]
	if p == nil {
		return
	}
	if !p.open() && p.resets == 0 {
		t.Logger.Info("peer connected", "node", t.ID, "peer", id)
	}
	p.connected()
	p.counters.setState(p.state)
}

func (t *transport) terminated(id raft.NodeID) {
	p := t.peers[id]
	if p == nil {
		return
	}
	if p.terminated() {
		p.counters.flaps.Add(1)
		t.Logger.Info("peer's connection is lost", "node", t.ID, "peer", id)
	}
	p.counters.setState(p.state)
	t.probe(p, false)
}

func (t *transport) send(envelopes []*messages.Envelope) {
	for _, e := range envelopes {
		if p := t.peers[raft.NodeID(e.GetTo())]; p != nil {
			t.sendTo(p, e)
		} else {
			t.drop(t.ID, dropReceiver, e)
		}
	}
}

func (t *transport) sendTo(p *transportPeer, e *messages.Envelope) {
	if !p.open() {
		p.counters.lost.Add(1)
		return
	}
	p.sent = true
	p.counters.sent.Add(1)
	t.Network.Send(p.id, e)
}

// receive takes what came from outside; nothing about it may be trusted, but that
// the network has bounded its size. Whoever sends need not be a member: a server
// that was away knows neither the leader nor perhaps anyone that there is now, and
// must be caught up all the same (C16).
func (t *transport) receive(ctx actor.Context, e *messages.Envelope) {
	from := raft.NodeID(e.GetFrom())
	beats, urgent, malformed := messages.Unbundle(e)
	probe, server := e.GetProbe(), t.groups[raft.GroupID(e.GetGroup())].server
	switch {
	case e.GetClusterId() != t.ClusterID:
		t.drop(from, dropCluster, e)
		return
	case from == raft.None || from == t.ID:
		t.drop(from, dropSender, e)
		return
	case raft.NodeID(e.GetTo()) != t.ID:
		t.drop(from, dropAddressee, e)
		return
	case e.GetKind() == nil:
		t.drop(from, dropKind, e)
		return
	case !t.Lane.admits(e):
		t.drop(from, dropLane, e)
		return
	case malformed != nil:
		t.drop(from, dropMalformed, e)
		return
	case probe == nil && server == nil && beats == nil:
		t.drop(from, dropGroup, e)
		return
	}
	p := t.peers[from]
	if p == nil {
		if p = t.meet(from); p == nil {
			t.drop(from, dropStrangers, e)
			return
		}
	}
	t.hear(p)
	switch {
	case beats != nil:
		t.Stats.received.Add(1)
		t.spread(ctx, e, beats, urgent)
	case probe == nil:
		t.Stats.received.Add(1)
		if to := t.groups[raft.GroupID(e.GetGroup())].snapshots; to != nil && messages.KindOf(e).OfSnapshots() {
			server = to
		}
		ctx.Send(server, e)
	case probe.GetReply():
		t.connected(p.id)
	default:
		t.probe(p, true)
	}
}

// hear takes note of a word of the peer's.
func (t *transport) hear(p *transportPeer) {
	p.counters.arrived.Add(1)
	if p.standing == stranger {
		p.left = t.Limits.graceTicks()
	}
	if p.hear() {
		t.Logger.Info("peer is heard again", "node", t.ID, "peer", p.id)
	}
}

// drop counts what is not for us, and logs it once per peer and reason.
func (t *transport) drop(from raft.NodeID, why dropReason, e *messages.Envelope) {
	if t.peers[from] == nil && from != t.ID {
		from = raft.None // so that made-up senders do not fill the memory
	}
	if t.Stats.drop(from, why) {
		t.Logger.Warn("an envelope was dropped; more of the kind are counted only",
			"node", t.ID, "reason", why.String(), "kind", messages.KindOf(e),
			"cluster", fmt.Sprintf("%016x", e.GetClusterId()), "ours", fmt.Sprintf("%016x", t.ClusterID), "group", e.GetGroup(), "from", e.GetFrom(), "to", e.GetTo())
	}
}
