package actors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"castaway/persistence"
	"castaway/raft"
)

// A cluster is some hosts in this process, over memory stores and a local
// network, watched by an observer that knows what must never happen.
type cluster struct {
	t        testing.TB
	network  *LocalNetwork
	observer *observer
	ids      []raft.NodeID
	nodes    map[raft.NodeID]*node
	tune     func(*HostConfig, *GroupConfig)
}

// node is one host, over a store that outlives it.
type node struct {
	id      raft.NodeID
	system  *actor.ActorSystem
	store   persistence.Store
	host    *Host
	group   *Group
	failure chan error
}

// newSystem makes an ActorSystem whose throttle of dead letters leaves no goroutine
// behind: envelopes that arrive after a stop are dead letters, and harmless.
func newSystem() *actor.ActorSystem {
	return actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return silent() }),
		actor.WithDeadLetterThrottleInterval(time.Millisecond))
}

func silent() *slog.Logger { return slog.New(slog.DiscardHandler) }

// newCluster starts n hosts; tune, unless nil, changes their configurations.
func newCluster(t testing.TB, n int, tune func(*HostConfig, *GroupConfig)) *cluster {
	t.Helper()
	c := &cluster{t: t, observer: newObserver(t), nodes: make(map[raft.NodeID]*node), tune: tune}
	for i := range n {
		c.ids = append(c.ids, raft.NodeID(i+1))
	}
	c.network = NewLocalNetwork(c.ids...)
	for _, id := range c.ids {
		c.nodes[id] = &node{id: id, store: persistence.NewMemory()}
		c.start(id)
	}
	t.Cleanup(c.stop)
	return c
}

func (c *cluster) start(id raft.NodeID) {
	c.t.Helper()
	n := c.nodes[id]
	n.system = newSystem()
	n.failure = make(chan error, 1)
	hc, gc := DefaultHostConfig(), DefaultGroupConfig()
	hc.ClusterID, hc.ID, hc.Store, hc.Network, hc.Logger = 7, id, n.store, c.network.Node(id), silent()
	hc.OnFail = func(err error) { n.failure <- err }
	gc.Voters = c.ids
	gc.TickInterval, gc.ElectionTicks, gc.HeartbeatTicks, gc.PatienceTicks = 5*time.Millisecond, 20, 4, 80
	gc.Machine = func() StateMachine { return &journal{observer: c.observer} }
	if c.tune != nil {
		c.tune(&hc, &gc)
	}
	var err error
	if n.host, err = StartHost(n.system, hc); err != nil {
		c.t.Fatal(err)
	}
	if n.group, err = n.host.AddGroup(gc); err != nil {
		c.t.Fatal(err)
	}
	n.group.Watch(c.observer.see)
}

func (c *cluster) stop() {
	for _, id := range c.ids {
		c.halt(id)
	}
}

// halt stops a host in order; its store remains.
func (c *cluster) halt(id raft.NodeID) {
	c.t.Helper()
	n := c.nodes[id]
	if n.host == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := n.host.Stop(ctx); err != nil {
		c.t.Errorf("node %d: %v", id, err)
	}
	n.host = nil
	n.system.Shutdown()
}

// timeout is T, the largest election timeout.
func (c *cluster) timeout() time.Duration {
	cfg := c.nodes[c.ids[0]].group.Config()
	return cfg.ElectionTimeout()
}

// leader waits until some running node knows itself as leader and has committed
// in its term.
func (c *cluster) leader() *node {
	c.t.Helper()
	var found *node
	c.eventually(20, "a leader", func() bool {
		for _, id := range c.ids {
			n := c.nodes[id]
			if n.host == nil {
				continue
			}
			st := n.status()
			if st.Behaviour == "leader" && st.WaitingFor == "" {
				found = n
				return true
			}
		}
		return false
	})
	return found
}

// followers are all running nodes but one.
func (c *cluster) followers(of *node) []*node {
	var fs []*node
	for _, id := range c.ids {
		if n := c.nodes[id]; n != of && n.host != nil {
			fs = append(fs, n)
		}
	}
	return fs
}

func (n *node) status() Status {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	st, _ := n.group.Status(ctx)
	return st
}

// eventually polls, once a tick, for at most bound times T.
func (c *cluster) eventually(bound int, what string, ok func() bool) {
	c.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.Now().Add(time.Duration(bound) * c.timeout())
	for !ok() {
		if time.Now().After(deadline) {
			for _, id := range c.ids {
				if n := c.nodes[id]; n.host != nil {
					c.t.Logf("node %d: %+v", id, n.status())
				}
			}
			c.t.Fatalf("no %s within %d election timeouts", what, bound)
		}
		<-tick.C
	}
}

// put proposes on any of the nodes until it is done, and returns its result. What
// is indeterminate is proposed again: the journal takes it twice.
func (c *cluster) put(n *node, command string) Result {
	c.t.Helper()
	var result Result
	c.eventually(30, "commit of "+command, func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), 4*c.timeout())
		defer cancel()
		r, err := n.group.Propose(ctx, []byte(command))
		result = r
		return err == nil
	})
	return result
}

// agree waits until all running nodes have applied the same, and says what hash.
func (c *cluster) agree() {
	c.t.Helper()
	c.eventually(30, "agreement of all machines", func() bool {
		var first *Status
		for _, id := range c.ids {
			if c.nodes[id].host == nil {
				continue
			}
			st := c.nodes[id].status()
			if first == nil {
				first = &st
			}
			if st.Applied != first.Applied || st.StateHash != first.StateHash || st.Applied < st.Raft.Last.Index {
				return false
			}
		}
		return true
	})
}

// observer sees all events and all applied entries of a cluster.
type observer struct {
	t       testing.TB
	mu      sync.Mutex
	leaders map[raft.Term]raft.NodeID
	hashes  map[raft.Index]uint64
	entries map[raft.Index]string
	events  []Event
}

func newObserver(t testing.TB) *observer {
	return &observer{t: t, leaders: make(map[raft.Term]raft.NodeID), hashes: make(map[raft.Index]uint64), entries: make(map[raft.Index]string)}
}

// see checks Election Safety.
func (o *observer) see(e Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.events = append(o.events, e)
	if e.Kind == EventRole && e.Role == raft.Leader {
		if other, ok := o.leaders[e.Term]; ok && other != e.Node {
			o.t.Errorf("term %d has two leaders, %d and %d", e.Term, other, e.Node)
		}
		o.leaders[e.Term] = e.Node
	}
}

func (o *observer) count(match func(Event) bool) (n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, e := range o.events {
		if match(e) {
			n++
		}
	}
	return n
}

// applied checks State Machine Safety.
func (o *observer) applied(index raft.Index, data string, hash uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if other, ok := o.hashes[index]; ok && other != hash {
		o.t.Errorf("entry %d was applied to different states", index)
	}
	o.hashes[index] = hash
	o.entries[index] = data
}

// holds says whether the command was applied at the index.
func (o *observer) holds(index raft.Index, command string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.entries[index] == command
}

// journal is the tests' machine: it remembers how many commands it took, and their
// hash in order. The command "poison" kills it.
type journal struct {
	observer *observer
	last     raft.Index
	count    int
	hash     uint64
	seen     map[string]int
}

func (j *journal) Apply(commands []Command) [][]byte {
	results := make([][]byte, len(commands))
	for i, c := range commands {
		if string(c.Data) == "poison" {
			panic("poison")
		}
		if c.Index <= j.last {
			panic(fmt.Sprintf("entry %d applied after %d", c.Index, j.last))
		}
		j.last = c.Index
		j.count++
		for _, b := range c.Data {
			j.hash = (j.hash ^ uint64(b)) * 1099511628211
		}
		if j.seen == nil {
			j.seen = make(map[string]int)
		}
		j.seen[string(c.Data)]++
		if j.observer != nil {
			j.observer.applied(c.Index, string(c.Data), j.hash)
		}
		results[i] = fmt.Appendf(nil, "%d", j.count)
	}
	return results
}

// Query answers how often a command was applied.
func (j *journal) Query(query any) (any, error) {
	switch q := query.(type) {
	case string:
		return j.seen[q], nil
	case error:
		return nil, q
	}
	panic("a query that nobody understands")
}

func (j *journal) StateHash() uint64 { return j.hash }

// crasher panics, when armed, at the n-th message of an actor from now on.
type crasher struct {
	actor string
	left  atomic.Int64
	fired atomic.Int64
}

var errInjected = errors.New("injected")

func (c *crasher) inject(name string, message any) {
	if _, started := message.(*actor.Started); started || name != c.actor {
		return
	}
	if c.left.Add(-1) == 0 {
		c.fired.Add(1)
		panic(errInjected)
	}
}

// arm sets it off within the next few messages.
func (c *crasher) arm(within int64) { c.left.Store(1 + rand.Int64N(within)) }
