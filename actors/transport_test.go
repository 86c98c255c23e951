package actors

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"castaway/messages"
	"castaway/raft"
)

// stage is everything around one transport, played by the test: the network, the
// clock, the host, and group 1's server. Its dispatcher runs whatever is sent
// before Send returns, so nothing has to be awaited.
type stage struct {
	system    *actor.ActorSystem
	board     *transportBoard
	transport *actor.PID
	starts    int
	arrived   []*messages.Envelope
	sent      []*messages.Envelope
	resets    []raft.NodeID
	updates   [][]raft.Member
	members   []raft.Member // what the host knows of group 1
	tick      func()
	log       strings.Builder
}

// Attach implements Network.
func (*stage) Attach(*actor.ActorSystem, *actor.PID) {}

// Peers implements Network.
func (*stage) Peers() []raft.NodeID { return []raft.NodeID{3, 2} }

// Update implements Network.
func (s *stage) Update(members []raft.Member) { s.updates = append(s.updates, members) }

// Send implements Network.
func (s *stage) Send(_ raft.NodeID, e *messages.Envelope) { s.sent = append(s.sent, e) }

// Reset implements Network.
func (s *stage) Reset(id raft.NodeID) { s.resets = append(s.resets, id) }

// Now implements Clock.
func (*stage) Now() time.Time { return time.Time{} }

// AfterFunc implements Clock.
func (s *stage) AfterFunc(_ time.Duration, f func()) Timer {
	s.tick = f
	return stageTimer{}
}

type stageTimer struct{}

func (stageTimer) Stop() bool { return true }

// crash makes a transport panic.
type crash struct{ quiet }

// newStage starts the transport of node 1 of cluster 7, whose peers are 2 and 3.
func newStage(t *testing.T) *stage {
	t.Helper()
	return newStageOn(t, onlyLane)
}

func newStageOn(t *testing.T, lane lane) *stage {
	t.Helper()
	s := &stage{system: newSystem(), board: newTransportBoard()}
	produce := newTransport(transportConfig{ClusterID: 7, ID: 1, Network: s, Clock: s, MaxStrangers: 2, Lane: lane,
		Logger: slog.New(slog.NewTextHandler(&s.log, nil)), Stats: s.board})
	now := actor.WithDispatcher(actor.NewSynchronizedDispatcher(1))
	server := s.system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		if e, ok := ctx.Message().(*messages.Envelope); ok {
			s.arrived = append(s.arrived, e)
		}
	}, now))
	props := actor.PropsFromProducer(func() actor.Actor {
		inner := produce()
		return actor.ReceiveFunc(func(ctx actor.Context) {
			if _, ok := ctx.Message().(crash); ok {
				panic("crash")
			}
			inner.Receive(ctx)
		})
	}, now)
	host := s.system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		switch ctx.Message().(type) {
		case *actor.Started:
			s.transport = ctx.Spawn(props)
		case transportStarted:
			s.starts++
			ctx.Send(s.transport, registerGroup{Group: 1, Server: server, Members: s.members})
		}
	}, now))
	t.Cleanup(func() {
		_ = s.system.Root.StopFuture(host).Wait()
		_ = s.system.Root.StopFuture(server).Wait()
	})
	return s
}

func (s *stage) tell(message any) { s.system.Root.Send(s.transport, message) }

// heartbeat is an envelope of cluster 7 and group 1; tests spoil it.
func heartbeat(from, to uint64) *messages.Envelope {
	return &messages.Envelope{ClusterId: 7, Group: 1, From: from, To: to, Term: 1,
		Kind: &messages.Envelope_Heartbeat{Heartbeat: &messages.Heartbeat{Round: 1}}}
}

func probe(from, to uint64, reply bool) *messages.Envelope {
	return &messages.Envelope{ClusterId: 7, From: from, To: to,
		Kind: &messages.Envelope_Probe{Probe: &messages.Probe{Reply: reply}}}
}

// outbox is what has gone out since the last look: "2", "p3" for a probe to node
// 3, "r3" for an answered one.
func (s *stage) outbox() string {
	var words []string
	for _, e := range s.sent {
		prefix := ""
		if p := e.GetProbe(); p != nil && p.GetReply() {
			prefix = "r"
		} else if p != nil {
			prefix = "p"
		}
		words = append(words, prefix+string(rune('0'+e.GetTo())))
	}
	s.sent = nil
	return strings.Join(words, " ")
}

func (s *stage) wantOut(t *testing.T, want string) {
	t.Helper()
	if got := s.outbox(); got != want {
		t.Fatalf("out went %q, want %q", got, want)
	}
}

func (s *stage) state(id raft.NodeID) GateState {
	for _, p := range s.board.stats().Peers {
		if p.ID == id {
			return p.State
		}
	}
	return ""
}

func (s *stage) lost(id raft.NodeID) uint64 { return s.board.peer(id).lost.Load() }

func TestWhileAPeerIsDownOnlyProbesGo(t *testing.T) {
	s := newStage(t)
	s.wantOut(t, "p2 p3")
	both := Outbound{Envelopes: []*messages.Envelope{heartbeat(1, 2), heartbeat(1, 3)}}
	s.tell(both)
	s.wantOut(t, "")
	s.tick()
	s.wantOut(t, "p2 p3")
	s.tell(PeerConnected{ID: 2})
	s.tell(both)
	s.wantOut(t, "2")
	s.tell(heartbeat(2, 1))
	s.tick()
	s.wantOut(t, "p3")
	s.tell(PeerTerminated{ID: 2})
	s.wantOut(t, "p2") // at once: it starts to connect
	s.tell(both)
	s.wantOut(t, "")
	s.tell(PeerConnected{ID: 2})
	s.tell(both)
	s.wantOut(t, "2") // and nothing of what was lost
	if s.lost(2) != 2 || s.lost(3) != 4 {
		t.Errorf("%d and %d envelopes were counted as lost, want 2 and 4", s.lost(2), s.lost(3))
	}
	if s.state(2) != GateUp || s.state(3) != GateProbing {
		t.Errorf("the gates are %s and %s, want up and probing", s.state(2), s.state(3))
	}
}

func TestAnAnsweredProbeOpensTheGate(t *testing.T) {
	s := newStage(t)
	s.outbox()
	s.tell(probe(2, 1, false))
	s.wantOut(t, "r2")
	if s.state(2) == GateUp {
		t.Error("a question says nothing about our own connection")
	}
	s.tell(probe(2, 1, true))
	s.tell(Outbound{Envelopes: []*messages.Envelope{heartbeat(1, 2)}})
	s.wantOut(t, "2")
}

func TestASilentPeersConnectionIsDropped(t *testing.T) {
	s := newStage(t)
	s.tell(PeerConnected{ID: 2})
	for range 12 {
		s.tell(Outbound{Envelopes: []*messages.Envelope{heartbeat(1, 2)}})
		s.tick()
	}
	if len(s.resets) != 1 || s.resets[0] != 2 || s.state(2) != GateProbing {
		t.Errorf("resets: %v, gate %s; want one, of node 2, and probing", s.resets, s.state(2))
	}
}

// C42: what is another's never reaches a server; each kind of fault is counted,
// and logged once.
func TestC42_WhatIsNotForUsIsDropped(t *testing.T) {
	s := newStage(t)
	for _, c := range []struct {
		why   dropReason
		spoil func(*messages.Envelope)
	}{
		{dropCluster, func(e *messages.Envelope) { e.ClusterId = 8 }},
		{dropSender, func(e *messages.Envelope) { e.From = 1 }},
		{dropSender, func(e *messages.Envelope) { e.From = 0 }},
		{dropAddressee, func(e *messages.Envelope) { e.To = 3 }},
		{dropGroup, func(e *messages.Envelope) { e.Group = 2 }},
		{dropKind, func(e *messages.Envelope) { e.Kind = nil }},
	} {
		before := s.board.dropped[c.why].Load()
		for range 3 {
			e := heartbeat(2, 1)
			c.spoil(e)
			s.tell(e)
		}
		if len(s.arrived) != 0 {
			t.Fatalf("%v reached a server", s.arrived)
		}
		if n := s.board.dropped[c.why].Load() - before; n != 3 {
			t.Errorf("%q was counted %d times, want 3", c.why, n)
		}
		if n := strings.Count(s.log.String(), c.why.String()); n != 1 && c.why != dropSender || n > 2 {
			t.Errorf("%q was logged %d times, want once a peer:\n%s", c.why, n, s.log.String())
		}
	}
	s.tell(&messages.Envelope{}) // and nil fields harm nobody
	s.tell(heartbeat(2, 1))
	if len(s.arrived) != 1 {
		t.Error("a good one did not arrive")
	}
}

// After a crash the transport asks for its groups, and learns by probing who is
// there; a tick of its former life is ignored, and its counters go on.
func TestARestartedTransportLearnsAnew(t *testing.T) {
	s := newStage(t)
	s.tell(PeerConnected{ID: 2})
	former := s.tick
	s.outbox()
	s.tell(crash{})
	s.wantOut(t, "p2 p3")
	if s.starts != 2 {
		t.Errorf("its parent was asked for groups %d times, want 2", s.starts)
	}
	former()
	s.wantOut(t, "")
	s.tell(probe(2, 1, true))
	s.tell(heartbeat(2, 1))
	s.tell(Outbound{Envelopes: []*messages.Envelope{heartbeat(1, 2)}})
	s.wantOut(t, "2")
	if len(s.arrived) != 1 || s.board.peer(2).probes.Load() != 2 {
		t.Errorf("%d arrived, %d probes of node 2; want 1 and 2", len(s.arrived), s.board.peer(2).probes.Load())
	}
}
