package cluster

import (
	"context"

	"castaway/actors"
	"castaway/cluster/httpapi"
	"castaway/raft"
)

// wire carries envelopes to the node's peers.
type wire = actors.Network

func (n *Node) startWire() (stopFunc, error) {
	n.wire = actors.NewLocalNetwork(raft.NodeID(n.cfg.ID)).Node(raft.NodeID(n.cfg.ID))
	return func(context.Context) error { return nil }, nil
}

// reportWire adds what the transport knows.
func (n *Node) reportWire(r *httpapi.Report) {
	s := n.host.TransportStats()
	r.Peers = []httpapi.Peer{}
	for _, p := range s.Peers {
		known, _ := n.cfg.Peer(uint64(p.ID))
		r.Peers = append(r.Peers, httpapi.Peer{
			ID: uint64(p.ID), Address: known.Address, Gate: string(p.State),
			Sent: p.Sent, Lost: p.Lost, Probes: p.Probes, Flaps: p.Flaps, Resets: p.Resets, Arrived: p.Arrived,
		})
	}
	r.Received = s.Received
	r.Dropped = map[string]uint64{}
	for _, d := range s.Dropped {
		r.Dropped[d.Reason] = d.Count
	}
}
