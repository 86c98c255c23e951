package remoting

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"castaway/actors"
	"castaway/messages"
	"castaway/raft"
)

const testCluster = 77

// patience is how long a test waits for what must happen; it is no bound of ours.
const patience = 20 * time.Second

// A node is a Remoting with an actor attached that shows what it gets, and that
// probes its peers as a transport does.
type node struct {
	t        testing.TB
	id       raft.NodeID
	system   *actor.ActorSystem
	remoting *Remoting
	log      *logbook
	inbox    chan *messages.Envelope
	pid      *actor.PID

	mu   sync.Mutex
	up   map[raft.NodeID]bool
	wake *sync.Cond
	quit chan struct{}
}

func quietSystem() *actor.ActorSystem {
	return actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }),
		actor.WithDeadLetterThrottleInterval(time.Millisecond))
}

// newNode starts a node; tune, unless nil, changes its configuration.
func newNode(t testing.TB, id raft.NodeID, peers map[raft.NodeID]string, tune func(*Config)) *node {
	t.Helper()
	n := &node{
		t: t, id: id, system: quietSystem(), log: &logbook{}, up: make(map[raft.NodeID]bool),
		inbox: make(chan *messages.Envelope, 1<<17), quit: make(chan struct{}),
	}
	n.wake = sync.NewCond(&n.mu)
	cfg := DefaultConfig()
	cfg.ID, cfg.Peers, cfg.Logger = id, peers, slog.New(n.log)
	if tune != nil {
		tune(&cfg)
	}
	r, err := Start(n.system, cfg)
	if err != nil {
		t.Fatal(err)
	}
	n.remoting = r
	n.pid = n.system.Root.Spawn(actor.PropsFromFunc(n.receive))
	r.Attach(n.system, n.pid)
	go n.probe()
	t.Cleanup(n.stop)
	return n
}

func (n *node) receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *messages.Envelope:
		if m.GetProbe() == nil {
			n.inbox <- m
		}
	case actors.PeerConnected:
		n.setUp(m.ID, true)
	case actors.PeerTerminated:
		n.setUp(m.ID, false)
	}
}

func (n *node) setUp(id raft.NodeID, up bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.up[id] = up
	n.wake.Broadcast()
}

func (n *node) isUp(id raft.NodeID) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.up[id]
}

// probe is what the transport's timer does.
func (n *node) probe() {
	for {
		for _, id := range n.remoting.Peers() {
			if !n.isUp(id) {
				n.remoting.Send(id, &messages.Envelope{ClusterId: testCluster, From: uint64(n.id), To: uint64(id),
					Kind: &messages.Envelope_Probe{Probe: &messages.Probe{}}})
			}
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-n.quit:
			return
		}
	}
}

// awaitUp waits until the peer's connection stands, or does not.
func (n *node) awaitUp(id raft.NodeID, up bool) {
	n.t.Helper()
	timer := time.AfterFunc(patience, func() { n.mu.Lock(); n.wake.Broadcast(); n.mu.Unlock() })
	defer timer.Stop()
	deadline := time.Now().Add(patience)
	n.mu.Lock()
	defer n.mu.Unlock()
	for n.up[id] != up {
		if time.Now().After(deadline) {
			n.t.Fatalf("node %d waits in vain for up=%v of node %d: %+v", n.id, up, id, n.remoting.Stats())
		}
		n.wake.Wait()
	}
}

// heartbeat is an envelope with a number.
func heartbeat(from, to raft.NodeID, round uint64) *messages.Envelope {
	return &messages.Envelope{ClusterId: testCluster, Group: 1, From: uint64(from), To: uint64(to), Term: 1,
		Kind: &messages.Envelope_Heartbeat{Heartbeat: &messages.Heartbeat{Round: round}}}
}

func (n *node) send(to *node, round uint64) { n.remoting.Send(to.id, heartbeat(n.id, to.id, round)) }

func (n *node) next() *messages.Envelope {
	n.t.Helper()
	select {
	case e := <-n.inbox:
		return e
	case <-time.After(patience):
		n.t.Fatalf("node %d waits in vain for a message: %+v", n.id, n.remoting.Stats())
		return nil
	}
}

// stop is how a node ends in order.
func (n *node) stop() {
	select {
	case <-n.quit:
		return
	default:
	}
	close(n.quit)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := n.remoting.Stop(ctx); err != nil {
		n.t.Error(err)
	}
	_ = n.system.Root.StopFuture(n.pid).Wait()
	n.system.Shutdown()
}

// freeAddresses gives addresses that nobody listened on a moment ago.
func freeAddresses(t testing.TB, ids ...raft.NodeID) map[raft.NodeID]string {
	t.Helper()
	addresses := make(map[raft.NodeID]string)
	for _, id := range ids {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		addresses[id] = l.Addr().String()
	}
	return addresses
}

// pair is two nodes that are connected.
func pair(t testing.TB, tune func(*Config)) (*node, *node) {
	t.Helper()
	peers := freeAddresses(t, 1, 2)
	a, b := newNode(t, 1, peers, tune), newNode(t, 2, peers, tune)
	a.awaitUp(2, true)
	b.awaitUp(1, true)
	return a, b
}

// logbook keeps what was logged, by reason.
type logbook struct {
	mu    sync.Mutex
	lines map[string]int
}

func (l *logbook) Enabled(context.Context, slog.Level) bool { return true }
func (l *logbook) WithAttrs([]slog.Attr) slog.Handler       { return l }
func (l *logbook) WithGroup(string) slog.Handler            { return l }
func (l *logbook) Handle(_ context.Context, r slog.Record) error {
	key := r.Message
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "reason" {
			key = a.Value.String()
		}
		return true
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lines == nil {
		l.lines = make(map[string]int)
	}
	l.lines[key]++
	return nil
}

func (l *logbook) count(key string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines[key]
}

// proxy forwards connections, and can stall or cut them.
type proxy struct {
	listener net.Listener
	to       string
	mu       sync.Mutex
	stalled  chan struct{} // closed when it flows
	conns    []net.Conn
	done     sync.WaitGroup
}

func newProxy(t testing.TB, at, to string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, to: to, stalled: make(chan struct{})}
	close(p.stalled)
	p.done.Add(1)
	go p.serve()
	t.Cleanup(func() { l.Close(); p.resume(); p.cut(); p.done.Wait() })
	return p
}

func (p *proxy) serve() {
	defer p.done.Done()
	for {
		in, err := p.listener.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", p.to)
		if err != nil {
			in.Close()
			continue
		}
		p.mu.Lock()
		p.conns = append(p.conns, in, out)
		p.mu.Unlock()
		p.done.Add(2)
		go p.copy(in, out)
		go p.copy(out, in)
	}
}

func (p *proxy) copy(from, to net.Conn) {
	defer p.done.Done()
	defer from.Close()
	defer to.Close()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		p.mu.Lock()
		flows := p.stalled
		p.mu.Unlock()
		<-flows // whoever sends sees its bytes acknowledged, and nothing more
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// stall keeps back everything, on old connections and on new ones.
func (p *proxy) stall() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stalled = make(chan struct{})
}

func (p *proxy) resume() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.stalled:
	default:
		close(p.stalled)
	}
}

// cut drops every connection.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		c.Close()
	}
	p.conns = nil
}

// bulk is an envelope of about size bytes, numbered by its term.
func bulk(from, to raft.NodeID, n uint64, size int) *messages.Envelope {
	e := heartbeat(from, to, 0)
	e.Term = n + 1
	e.Kind = &messages.Envelope_ForwardProposals{ForwardProposals: &messages.ForwardProposals{
		Proposals: []*messages.ForwardedProposal{{Id: 1, Command: make([]byte, size)}}}}
	return e
}

func (n *node) dropped(why reason) uint64 { return n.remoting.stats.dropped[why].Load() }

// counts waits until so many were dropped for a reason. gRPC tells the peer of an error
// before it tells us, so that a peer may know first; nothing announces our counting.
func (n *node) counts(why reason, want uint64) {
	n.t.Helper()
	deadline := time.Now().Add(patience)
	for n.dropped(why) < want && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond)
	}
	if got := n.dropped(why); got != want {
		n.t.Errorf("%d were counted as %q, want %d: %+v", got, why, want, n.remoting.Stats().Dropped)
	}
}
