package etcdapi

import (
	"context"
	"sync/atomic"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"castaway/actors"
	"castaway/raft"
)

// known is what the door has heard of the group: the latest term, and its leader.
// It is for information; nothing rests on it.
type known struct {
	term   atomic.Uint64
	leader atomic.Uint64
}

// watch listens to a group, if it can be listened to.
func (k *known) watch(g Group) (cancel func()) {
	w, ok := g.(interface {
		Watch(tell func(actors.Event)) (cancel func())
	})
	if !ok {
		return func() {}
	}
	return w.Watch(func(e actors.Event) {
		if e.Kind == actors.EventRole {
			k.hear(e.Term)
			k.leader.Store(uint64(e.Leader))
		}
	})
}

// hear takes note of a term; terms never go back.
func (k *known) hear(term raft.Term) {
	for {
		current := k.term.Load()
		if uint64(term) <= current || k.term.CompareAndSwap(current, uint64(term)) {
			return
		}
	}
}

// termOr gives the latest term known, which may need to be asked for the first time.
func (s *Server) latestTerm(ctx context.Context) uint64 {
	if term := s.known.term.Load(); term != 0 {
		return term
	}
	if status, err := s.cfg.Group.Status(ctx); err == nil {
		s.known.hear(status.Raft.HardState.Term)
	}
	return s.known.term.Load()
}

// fill completes a header that has its revision.
func (s *Server) fill(h *pb.ResponseHeader, term uint64) {
	h.ClusterId = s.cfg.ClusterID
	h.MemberId = s.cfg.MemberID
	h.RaftTerm = term
}
