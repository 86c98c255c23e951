package actors_test

import (
	"slices"
	"testing"
	"time"

	"castaway/actors"
	"castaway/messages"
	"castaway/raft"
)

// BenchmarkHeartbeatUnderBulk is the round trip of a small message while as much is
// always on its way to the same peer as a follower that catches up has in flight by
// default.
func BenchmarkHeartbeatUnderBulk(b *testing.B) {
	limits := actors.DefaultLimits()
	size := limits.MaxMessageBytes
	inFlight := min(limits.MaxInflightMessages, limits.MaxInflightBytes/size)
	window, back := make(chan struct{}, inFlight), make(chan struct{}, 1)
	nodes := map[raft.NodeID]*wired{}
	peers := loopback(b, 1, 2)
	for _, id := range []raft.NodeID{1, 2} {
		nodes[id] = newWired(b, id, peers, func(n *wired, e *messages.Envelope) {
			switch {
			case len(e.GetForwardProposals().GetProposals()[0].GetCommand()) == size:
				<-window
			case n.id == 2:
				n.send(hundred(2, 1, 0))
			default:
				back <- struct{}{}
			}
		})
	}
	await(b, "they are connected", func() bool {
		return nodes[1].state(2) == actors.GateUp && nodes[2].state(1) == actors.GateUp
	})
	quit, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			e := hundred(1, 2, 0)
			e.GetForwardProposals().Proposals[0].Command = make([]byte, size)
			select {
			case window <- struct{}{}:
				nodes[1].send(e)
			case <-quit:
				return
			}
		}
	}()
	took := make([]time.Duration, 0, b.N)
	for b.Loop() {
		began := time.Now()
		nodes[1].send(hundred(1, 2, 0))
		<-back
		took = append(took, time.Since(began))
	}
	close(quit)
	<-ended
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
}
