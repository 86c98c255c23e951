package actors

import (
	"github.com/asynkron/protoactor-go/actor"

	"castaway/messages"
	"castaway/raft"
)

// Network carries envelopes between the transports of a cluster's nodes. It is
// given from outside: package remoting's goes over TCP, NewLocalNetwork's stays
// within the process, a simulation brings its own.
//
// It is at most once, and owes nothing: what is lost, Raft sends again. All its
// methods return at once and are safe for concurrent use.
type Network interface {
	// Attach says to whom, from now on, inbound *messages.Envelope go, and
	// PeerConnected and PeerTerminated. The transport calls it whenever it starts,
	// and expects a PeerConnected soon for each peer whose connection already
	// stands. (It also takes an answered probe for one.) Nil means nobody: the
	// transport has stopped.
	Attach(system *actor.ActorSystem, transport *actor.PID)
	// Peers names the other nodes: those that it was made with, or that Update named
	// last.
	Peers() []raft.NodeID
	// Update says who the other nodes are from now on: links to new ones are added,
	// those to nodes that are gone are dropped with what is on their way. A Context
	// tells a node's address in the network's own way; of one that is empty, or that
	// the network cannot read, what it knew before stays true.
	//
	// Envelopes from a node that is not named come in all the same, if the network
	// can tell that it is of our cluster, and can be answered as long as its own
	// connection stands; there are few of those at a time.
	Update(members []raft.Member)
	// Send takes e on its way to the node; e is never changed from then on. A
	// Probe to a node that is not connected starts to connect, and goes on until
	// it succeeds; anything else is lost then, and must not be delivered later.
	Send(to raft.NodeID, e *messages.Envelope)
	// Reset drops the connection to the node, which seems stuck, with everything
	// that is on its way. PeerTerminated follows if there was one.
	Reset(to raft.NodeID)
}

// Outbound asks the transport to send envelopes; each names its receiver. Neither
// the slice nor the envelopes may be changed afterwards.
type Outbound struct {
	Envelopes []*messages.Envelope
}

// PeerConnected tells the transport that a connection to the node stands.
type PeerConnected struct {
	ID raft.NodeID
}

// PeerTerminated tells the transport that the connection to the node is lost.
type PeerTerminated struct {
	ID raft.NodeID
}

// IgnoreDeadLetterLogging keeps protoactor from logging it when nobody is there.
func (Outbound) IgnoreDeadLetterLogging() {}

// IgnoreDeadLetterLogging keeps protoactor from logging it when nobody is there.
func (PeerConnected) IgnoreDeadLetterLogging() {}

// IgnoreDeadLetterLogging keeps protoactor from logging it when nobody is there.
func (PeerTerminated) IgnoreDeadLetterLogging() {}

// registerGroup tells the transport where a group's envelopes go. It is sent again
// for every group after transportStarted.
type registerGroup struct {
	quiet
	Group  raft.GroupID
	Server *actor.PID
	// Snapshots gets what is about snapshot files.
	Snapshots *actor.PID
	Members   []raft.Member // as in groupMembers
}

// groupMembers tells the transport who the members of a group are now. None means
// that the group does not know, as when it has yet to join.
type groupMembers struct {
	quiet
	Group   raft.GroupID
	Members []raft.Member
}

// unregisterGroup ends that.
type unregisterGroup struct {
	quiet
	Group raft.GroupID
}

// transportStarted tells the host that a transport, new or restarted, knows no
// group yet.
type transportStarted struct {
	quiet
}

// GateState says what the transport thinks of a peer.
type GateState string

const (
	// GateUp: what is sent to the peer goes out.
	GateUp GateState = "up"
	// GateProbing: not connected; a probe is on its way, all else is dropped.
	GateProbing GateState = "probing"
	// GateDown: not connected, and nothing was tried yet.
	GateDown GateState = "down"
)

// TransportStats is what the transport did so far, for people and for metrics.
// It counts on across the transport's restarts.
type TransportStats struct {
	Peers    []PeerStats // by ID
	Received uint64      // envelopes that reached a group, or several
	// Heartbeats counts the heartbeats and replies that were sent, for all groups, and
	// HeartbeatEnvelopes the envelopes that they went in.
	Heartbeats         uint64
	HeartbeatEnvelopes uint64
	Dropped            []DroppedCount // envelopes from outside that were refused, by Reason
}

// PeerStats is a peer's share of TransportStats.
type PeerStats struct {
	ID      raft.NodeID
	State   GateState
	Sent    uint64 // envelopes given to the network, probes included
	Lost    uint64 // envelopes dropped because the peer was not up
	Probes  uint64
	Flaps   uint64 // how often the connection was lost
	Resets  uint64 // of those, because the peer was silent too long
	Arrived uint64 // envelopes from the peer that reached a group or were probes
}

// DroppedCount says how many envelopes were refused for one reason.
type DroppedCount struct {
	Reason string
	Count  uint64
}
