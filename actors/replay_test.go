package actors

import (
	"sync"
	"testing"

	"castaway/messages"
	"castaway/persistence"
	"castaway/raft"
)

// The log of a follower lags, and its machine reads from it. X is on disk when it
// is committed, but since then the log was to become Y, and X again (Figure 8), and both
// writes still wait for the disk: the log becomes Y when the machine has just seen X
// in it. The machine must apply X all the same.
func TestTheMachineAppliesWhatWasCommitted(t *testing.T) {
	c := &cluster{t: t, observer: newObserver(t), nodes: make(map[raft.NodeID]*node), ids: []raft.NodeID{1, 2, 3}}
	c.network = NewLocalNetwork(c.ids...)
	store := &laggingStore{stuck: make(chan struct{}), wroteY: make(chan struct{}), rewrite: make(chan struct{}), restore: make(chan struct{})}
	c.tune = func(h *HostConfig, g *GroupConfig) {
		store.Store, h.Store = h.Store, store
		g.ElectionTicks = 4000
		g.Limits.MaxUnappliedBytes = 1
	}
	n := &node{id: 2, store: persistence.NewMemory()}
	c.nodes[2] = n
	c.start(2)
	c.ids = []raft.NodeID{2} // the test is the others
	t.Cleanup(c.stop)
	c.eventually(10, "start", func() bool { return n.status().Behaviour == "follower" })

	tell := func(m raft.Message) { n.group.send(n.group.pids.server, messages.ToEnvelope(7, 1, m)) }
	replicate := func(from raft.NodeID, term raft.Term, commit raft.Index, e raft.Entry) {
		es := []raft.Entry{e}
		messages.Seal(es)
		tell(&raft.AppendEntries{Header: raft.Header{From: from, To: 2, Term: term}, Commit: commit, Entries: es})
	}
	x := raft.Entry{Term: 2, Index: 1, Kind: raft.EntryCommand, Data: []byte("X")}
	y := raft.Entry{Term: 3, Index: 1, Kind: raft.EntryCommand, Data: []byte("Y")}
	replicate(1, 2, 0, x)
	c.eventually(10, "X on disk", func() bool { return n.status().Raft.Durable == 1 })
	store.arm()
	tell(&raft.Heartbeat{Header: raft.Header{From: 3, To: 2, Term: 3}})
	<-store.stuck
	replicate(3, 3, 0, y)
	replicate(1, 4, 1, x)
	c.eventually(10, "application of X", func() bool { return n.status().Applied == 1 })
	if !c.observer.holds(1, "X") {
		t.Errorf("X is committed at 1, but the machine applied another command")
	}
}

// laggingStore, once armed, is stuck in a sync until the log was read for the first
// time; then Y is written, and X once the log was read for the second time.
type laggingStore struct {
	persistence.Store
	mu      sync.Mutex
	once    sync.Once
	armed   bool
	reads   int
	stuck   chan struct{} // closed when the sync hangs
	rewrite chan struct{} // closed at the first read
	wroteY  chan struct{}
	restore chan struct{} // closed at the second
}

func (s *laggingStore) arm() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.armed = true
}

func (s *laggingStore) isArmed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.armed
}

// Sync implements persistence.Store.
func (s *laggingStore) Sync() error {
	if s.isArmed() {
		s.once.Do(func() { close(s.stuck) })
		<-s.rewrite
	}
	return s.Store.Sync()
}

// Append implements persistence.Store.
func (s *laggingStore) Append(g raft.GroupID, p *raft.Persist) error {
	switch {
	case !s.isArmed() || len(p.Entries) == 0:
	case string(p.Entries[0].Data) == "Y":
		defer close(s.wroteY)
	default:
		<-s.restore
	}
	return s.Store.Append(g, p)
}

// Entries implements persistence.Store.
func (s *laggingStore) Entries(g raft.GroupID, first, last raft.Index, maxBytes int) ([]raft.Entry, error) {
	entries, err := s.Store.Entries(g, first, last, maxBytes)
	s.mu.Lock()
	if s.armed {
		s.reads++
	}
	reads := s.reads
	s.mu.Unlock()
	switch reads {
	case 1:
		close(s.rewrite)
		<-s.wroteY
	case 2:
		close(s.restore)
	}
	return entries, err
}
