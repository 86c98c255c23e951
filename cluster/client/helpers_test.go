package client_test

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"castaway/actors"
	"castaway/cluster/client"
	"castaway/cluster/etcdapi"
	"castaway/cluster/etcdapi/apitest"
	"castaway/raft"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is when a test gives up; nothing is expected to take as long.
const patience = 20 * time.Second

func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// member is a server of its own in front of a state that all members share.
type member struct {
	id      uint64
	address string
	cluster *cluster
	server  *etcdapi.Server

	mu       sync.Mutex
	hook     apitest.Hook
	requests int
}

// cluster is members without Raft: what one does, all have done.
type cluster struct {
	group   *apitest.Group
	members []*member
}

// before sets what happens at this member to each of its requests.
func (m *member) before(h apitest.Hook) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.hook = h
}

// asked is how many requests came to this member, those about status aside.
func (m *member) asked() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.requests
}

func (m *member) enter(ctx context.Context, r apitest.Request) error {
	m.mu.Lock()
	hook := m.hook
	m.requests++
	m.mu.Unlock()
	if hook == nil {
		return nil
	}
	return hook(ctx, r)
}

func (m *member) Propose(ctx context.Context, command []byte) (actors.Result, error) {
	if err := m.enter(ctx, apitest.Request{Command: command}); err != nil {
		return actors.Result{}, err
	}
	return m.cluster.group.Propose(ctx, command)
}

func (m *member) ReadWith(ctx context.Context, query any, o actors.ReadOptions) (any, error) {
	if _, key := query.(interface{ GetKey() []byte }); key {
		if err := m.enter(ctx, apitest.Request{Query: query, ReadOptions: o}); err != nil {
			return nil, err
		}
	}
	return m.cluster.group.ReadWith(ctx, query, o)
}

func (m *member) Status(ctx context.Context) (actors.Status, error) {
	return m.cluster.group.Status(ctx)
}

// start brings members up; member 1 leads.
func start(t *testing.T, size int) *cluster {
	t.Helper()
	c := &cluster{group: apitest.NewGroup()}
	list := func() (members []etcdapi.Member) {
		for _, m := range c.members {
			members = append(members, etcdapi.Member{ID: m.id, ClientURLs: []string{"http://" + m.address}})
		}
		return members
	}
	var listeners []net.Listener
	for i := range size {
		l := must(net.Listen("tcp", "127.0.0.1:0"))(t)
		listeners = append(listeners, l)
		c.members = append(c.members, &member{id: uint64(i + 1), address: l.Addr().String(), cluster: c})
	}
	for i, m := range c.members {
		m.server = etcdapi.New(etcdapi.Config{Group: m, ClusterID: 1, MemberID: m.id, Members: list})
		served := make(chan error, 1)
		go func() { served <- m.server.Serve(listeners[i]) }()
		t.Cleanup(func() {
			m.kill()
			if err := <-served; err != nil {
				t.Error(err)
			}
		})
	}
	return c
}

// kill closes a member's door at once, whoever is in it.
func (m *member) kill() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = m.server.Stop(ctx) // it says that requests were cut off, which is the point
}

func (c *cluster) leads(id raft.NodeID) {
	c.group.SetStatus(func(s *actors.Status) { s.Leader = id })
}

func (c *cluster) addresses() (list []string) {
	for _, m := range c.members {
		list = append(list, m.address)
	}
	return list
}

// fast is a retry policy that does not keep a test waiting.
var fast = client.RetryPolicy{MinBackoff: time.Millisecond, MaxBackoff: 5 * time.Millisecond}

// connect makes a client that does not search for the leader, unless it is told to.
func connect(t *testing.T, addresses []string, change ...func(*client.Options)) *client.Client {
	t.Helper()
	opts := client.Options{Endpoints: addresses, Retry: fast, LeaderInterval: -1, NoSession: true}
	for _, f := range change {
		f(&opts)
	}
	c := must(client.New(opts))(t)
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// failing fails so many requests with err, and lets all others through.
func failing(times int, err error) apitest.Hook {
	var mu sync.Mutex
	return func(context.Context, apitest.Request) error {
		mu.Lock()
		defer mu.Unlock()
		if times == 0 {
			return nil
		}
		times--
		return err
	}
}

// always is more than any test tries.
const always = 1 << 30

// moves is a log that tells of each change of endpoint.
type moves struct {
	slog.Handler
	to chan string
}

func newMoves() *moves {
	return &moves{Handler: slog.DiscardHandler, to: make(chan string, 100)}
}

func (m *moves) Enabled(context.Context, slog.Level) bool { return true }

func (m *moves) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "endpoint" {
			m.to <- a.Value.String()
		}
		return true
	})
	return nil
}
