package actors

import (
	"github.com/asynkron/protoactor-go/actor"

	"castaway/messages"
	"castaway/raft"
)

// This file is one exchange of heartbeats for all groups between two nodes. The
// ticker lets all groups tick at once; what their servers then send gathers here
// for a moment, by receiver, and goes in one envelope, and so do the replies. What
// a read waits for does not wait: it takes along what has gathered, and goes behind
// what is in the transport's mailbox by then. A host with one group has nothing to
// gather, and its heartbeats go at once.

// beats are heartbeats of a group, or replies, on their way to the transport.
type beats struct {
	quiet
	group    raft.GroupID
	messages []raft.Message
	patient  bool // they may wait
}

// bundle is what gathers for one peer.
type bundle struct {
	beats  []messages.Beat
	urgent bool
}

// bundleTick sends what has gathered. It is the transport's own; one for an instance
// that has gone is ignored.
type bundleTick struct {
	quiet
	of     *transport
	urgent bool // it did not come from the timer
}

// gather takes beats for their peers' bundles.
func (t *transport) gather(ctx actor.Context, b beats) {
	for _, m := range b.messages {
		beat := messages.Beat{Group: b.group, Message: m}
		p := t.peers[raft.HeaderOf(m).To]
		if p == nil {
			t.drop(t.ID, dropReceiver, messages.ToEnvelope(t.ClusterID, b.group, m))
			continue
		}
		if len(t.groups) < 2 {
			t.sendBeats(p, bundle{beats: []messages.Beat{beat}})
			continue
		}
		p.bundle.beats = append(p.bundle.beats, beat)
		p.bundle.urgent = p.bundle.urgent || !b.patient
		t.expect(ctx, b.patient)
	}
}

// expect makes sure that a bundleTick comes, soon or at once.
func (t *transport) expect(ctx actor.Context, patient bool) {
	root, self := ctx.ActorSystem().Root, ctx.Self()
	switch {
	case !patient && !t.gathered:
		t.gathered = true
		root.Send(self, bundleTick{of: t, urgent: true})
	case patient && !t.gathering:
		t.gathering = true
		t.gatherer = t.Clock.AfterFunc(t.Limits.Gather, func() { root.Send(self, bundleTick{of: t}) })
	}
}

// sendBundles sends what has gathered: all of it, or what is urgent with all that
// can go along.
func (t *transport) sendBundles(m bundleTick) {
	if m.of != t {
		return
	}
	if m.urgent {
		t.gathered = false
	} else {
		t.gathering = false
	}
	for _, p := range t.order {
		b := p.bundle
		if len(b.beats) == 0 || (m.urgent && !b.urgent) {
			continue
		}
		p.bundle = bundle{beats: b.beats[:0]}
		t.sendBeats(p, b)
		clear(b.beats)
	}
}

func (t *transport) sendBeats(p *transportPeer, b bundle) {
	envelopes := messages.Bundle(t.ClusterID, b.beats, b.urgent)
	if p.open() {
		t.Stats.heartbeats.Add(uint64(len(b.beats)))
		t.Stats.heartbeatEnvelopes.Add(uint64(len(envelopes)))
	}
	for _, e := range envelopes {
		t.sendTo(p, e)
	}
}

// spread gives every beat of a bundle to its group's server.
func (t *transport) spread(ctx actor.Context, e *messages.Envelope, beats []messages.Beat, urgent bool) {
	for _, b := range beats {
		if server := t.groups[b.Group].server; server != nil {
			ctx.Send(server, heard{message: b.Message, urgent: urgent})
		} else {
			t.drop(raft.NodeID(e.GetFrom()), dropGroup, e)
		}
	}
}

// sendOut gives messages of the core to the transport: heartbeats and replies for
// its bundles, all others in envelopes.
func (s *server) sendOut(ms []raft.Message) {
	beating := 0
	for _, m := range ms {
		if isBeat(m) {
			s.beat(m)
			beating++
		}
	}
	if beating == 0 {
		if len(ms) > 0 {
			s.send(s.pids.transport, Outbound{Envelopes: s.envelopes(ms)})
		}
		return
	}
	b := beats{group: s.cfg.Group, messages: ms, patient: s.patient}
	if beating < len(ms) {
		b.messages = make([]raft.Message, 0, beating)
		others := make([]raft.Message, 0, len(ms)-beating)
		for _, m := range ms {
			if isBeat(m) {
				b.messages = append(b.messages, m)
			} else {
				others = append(others, m)
			}
		}
		s.send(s.pids.transport, Outbound{Envelopes: s.envelopes(others)})
	}
	s.send(s.pids.transport, b)
}

func isBeat(m raft.Message) bool {
	switch m.(type) {
	case *raft.Heartbeat, *raft.HeartbeatReply:
		return true
	default:
		return false
	}
}
