package actors

import (
	"sync"
	"sync/atomic"
	"testing"

	"castaway/persistence"
	"castaway/raft"
)

// trickyStore is a store whose disk can be made to fail, fill up or get stuck.
type trickyStore struct {
	persistence.Store
	syncs, appends, loads atomic.Int64

	mu       sync.Mutex
	syncErr  error
	writeErr error
	loadErr  error
	space    *persistence.Space
	stuck    chan struct{} // not nil: syncs wait until it is closed
	waiting  int           // in a stuck sync
}

func (s *trickyStore) set(change func(s *trickyStore)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}

// noSpace makes the calls named by where fail for want of space until room is
// called, and gives the count of them.
func (s *trickyStore) noSpace(where string) (tries *atomic.Int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch where {
	case "append":
		s.writeErr = persistence.ErrNoSpace
		return &s.appends
	case "sync":
		s.syncErr = persistence.ErrNoSpace
		return &s.syncs
	default:
		s.loadErr = persistence.ErrNoSpace
		return &s.loads
	}
}

func (s *trickyStore) room() {
	s.set(func(s *trickyStore) { s.writeErr, s.syncErr, s.loadErr = nil, nil, nil })
}

// Load implements persistence.Store.
func (s *trickyStore) Load(group raft.GroupID, tailBytes int) (raft.Restored, error) {
	s.loads.Add(1)
	s.mu.Lock()
	err := s.loadErr
	s.mu.Unlock()
	if err != nil {
		return raft.Restored{}, err
	}
	return s.Store.Load(group, tailBytes)
}

// Append implements persistence.Store.
func (s *trickyStore) Append(group raft.GroupID, p *raft.Persist) error {
	s.appends.Add(1)
	s.mu.Lock()
	err := s.writeErr
	s.mu.Unlock()
	if err != nil {
		return err
	}
	return s.Store.Append(group, p)
}

// Sync implements persistence.Store.
func (s *trickyStore) Sync() error {
	s.syncs.Add(1)
	s.mu.Lock()
	err, stuck := s.syncErr, s.stuck
	if stuck != nil {
		s.waiting++
	}
	s.mu.Unlock()
	if stuck != nil {
		<-stuck
	}
	if err != nil {
		return err
	}
	return s.Store.Sync()
}

// Space implements persistence.Store.
func (s *trickyStore) Space() persistence.Space {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.space != nil {
		return *s.space
	}
	return s.Store.Space()
}

// jam makes syncs hang until the returned function is called; a later one takes over
// those to come.
func (s *trickyStore) jam() (release func()) {
	stuck := make(chan struct{})
	s.set(func(s *trickyStore) { s.stuck = stuck })
	return sync.OnceFunc(func() {
		s.set(func(s *trickyStore) {
			if s.stuck == stuck {
				s.stuck = nil
			}
		})
		close(stuck)
	})
}

// tricky puts a trickyStore under every node of the cluster to come.
func tricky(stores map[raft.NodeID]*trickyStore) func(*HostConfig, *GroupConfig) {
	return func(h *HostConfig, _ *GroupConfig) {
		stores[h.ID] = &trickyStore{Store: h.Store}
		h.Store = stores[h.ID]
	}
}

// mustLive complains if the node's host has failed.
func (n *node) mustLive(t *testing.T) {
	t.Helper()
	select {
	case err := <-n.failure:
		t.Errorf("the host failed: %v", err)
	default:
	}
}
