package actors_test

import (
	"net"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"

	"castaway/actors"
	"castaway/messages"
	"castaway/raft"
)

// wireWindow is how many messages the benchmark has in flight.
const wireWindow = 2048

// BenchmarkWire sends messages of 100 B between two systems in this process over
// loopback: as fast as they go, and one at a time there and back. "transport" is
// ours, through two transport actors and the firewall; "bare" is protoactor's
// remoting as it comes.
func BenchmarkWire(b *testing.B) {
	for _, way := range []struct {
		name string
		make func(*testing.B, func(from raft.NodeID, e *messages.Envelope)) func(from, to raft.NodeID, n uint64)
	}{{"transport", transportWay}, {"bare", bareWay}} {
		b.Run("flood/"+way.name, func(b *testing.B) {
			var arrived atomic.Int64
			window := make(chan struct{}, wireWindow)
			done := make(chan struct{})
			send := way.make(b, func(raft.NodeID, *messages.Envelope) {
				<-window
				if arrived.Add(1) == int64(b.N) {
					close(done)
				}
			})
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				window <- struct{}{}
				send(1, 2, uint64(i))
			}
			<-done
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
		})
		b.Run("roundtrip/"+way.name, func(b *testing.B) {
			back := make(chan struct{}, 1)
			var send func(from, to raft.NodeID, n uint64)
			send = way.make(b, func(at raft.NodeID, _ *messages.Envelope) {
				if at == 2 {
					send(2, 1, 0)
					return
				}
				back <- struct{}{}
			})
			took := make([]time.Duration, 0, b.N)
			b.ResetTimer()
			for range b.N {
				began := time.Now()
				send(1, 2, 0)
				<-back
				took = append(took, time.Since(began))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
		})
	}
}

func transportWay(b *testing.B, arrive func(raft.NodeID, *messages.Envelope)) func(from, to raft.NodeID, n uint64) {
	peers := loopback(b, 1, 2)
	nodes := map[raft.NodeID]*wired{}
	for id := range peers {
		nodes[id] = newWired(b, id, peers, func(n *wired, e *messages.Envelope) { arrive(n.id, e) })
	}
	await(b, "they are connected", func() bool {
		return nodes[1].state(2) == actors.GateUp && nodes[2].state(1) == actors.GateUp
	})
	return func(from, to raft.NodeID, n uint64) { nodes[from].send(hundred(from, to, n)) }
}

func bareWay(b *testing.B, arrive func(raft.NodeID, *messages.Envelope)) func(from, to raft.NodeID, n uint64) {
	systems, targets := map[raft.NodeID]*actor.ActorSystem{}, map[raft.NodeID]*actor.PID{}
	for id, address := range loopback(b, 1, 2) {
		host, text, _ := net.SplitHostPort(address)
		port, _ := strconv.Atoi(text)
		system := wireSystem()
		r := remote.NewRemote(system, remote.Configure(host, port))
		r.Start()
		b.Cleanup(func() { r.Shutdown(false) })
		pid, err := system.Root.SpawnNamed(actor.PropsFromFunc(func(ctx actor.Context) {
			if e, ok := ctx.Message().(*messages.Envelope); ok {
				arrive(id, e)
			}
		}), "sink")
		if err != nil {
			b.Fatal(err)
		}
		systems[id], targets[id] = system, actor.NewPID(address, pid.Id)
	}
	return func(from, to raft.NodeID, n uint64) { systems[from].Root.Send(targets[to], hundred(from, to, n)) }
}
