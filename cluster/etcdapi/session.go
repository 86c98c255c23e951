package etcdapi

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"castaway/actors"
	"castaway/cluster/etcdapi/outcome"
	"castaway/cluster/etcdapi/sessions"
	"castaway/raft"
)

// SessionGroup is a Group that has sessions; *actors.Group is one. With any other Group,
// requests that ask for one are refused.
type SessionGroup interface {
	Group
	RegisterSession(ctx context.Context) (actors.SessionGrant, error)
	RenewSession(ctx context.Context, id raft.SessionID) error
	EndSession(ctx context.Context, id raft.SessionID) error
	ProposeInSession(ctx context.Context, ref actors.SessionRef, command []byte) (actors.Result, error)
}

var _ SessionGroup = (*actors.Group)(nil)

// replicate proposes a command, in the session that its request names, if any.
func (s *Server) replicate(ctx context.Context, command []byte) (actors.Result, error) {
	r, err := sessions.RequestOf(ctx)
	if err != nil {
		return actors.Result{}, s.malformed(err.Error())
	}
	if r.None() {
		result, err := s.cfg.Group.Propose(ctx, command)
		if err != nil {
			return actors.Result{}, s.failed(ctx, err)
		}
		return result, nil
	}
	if r.Sequence == 0 {
		return actors.Result{}, s.malformed("a write with " + sessions.SessionHeader + " needs " + sessions.SequenceHeader +
			" as well; sessions are opened, renewed and ended by a Range")
	}
	g, ok := s.cfg.Group.(SessionGroup)
	if !ok {
		return actors.Result{}, s.withoutSessions()
	}
	ref := actors.SessionRef{ID: raft.SessionID(r.Session), Sequence: r.Sequence, Acknowledged: r.Acknowledged, First: r.First}
	result, err := g.ProposeInSession(ctx, ref, command)
	if err != nil {
		return actors.Result{}, s.failed(ctx, err)
	}
	return result, nil
}

// useSession does what a read says about a session, before it reads.
func (s *Server) useSession(ctx context.Context) error {
	r, err := sessions.RequestOf(ctx)
	if err != nil {
		return s.malformed(err.Error())
	}
	if r.None() || r.Sequence != 0 { // a read in a session needs no number
		return nil
	}
	g, ok := s.cfg.Group.(SessionGroup)
	if !ok {
		return s.withoutSessions()
	}
	switch {
	case r.Open:
		err = s.openSession(ctx, g)
	case r.End:
		err = g.EndSession(ctx, raft.SessionID(r.Session))
	default:
		err = g.RenewSession(ctx, raft.SessionID(r.Session))
	}
	if err != nil {
		return s.failed(ctx, err)
	}
	return nil
}

func (s *Server) openSession(ctx context.Context, g SessionGroup) error {
	grant, err := g.RegisterSession(ctx)
	if err != nil {
		return err
	}
	return grpc.SetHeader(ctx, sessions.Grant{
		Session: uint64(grant.ID), Timeout: grant.Timeout, Window: grant.MaxOutstanding,
	}.Header())
}

func (s *Server) malformed(detail string) error {
	return s.told(status.Error(codes.InvalidArgument, "castaway: "+detail), outcome.Info{
		Reason: reasonName(actors.ReasonSessionMalformed), Detail: detail,
	})
}

func (s *Server) withoutSessions() error {
	const detail = "this server has no sessions; send the request without " + sessions.SessionHeader
	return s.told(status.Error(codes.Unimplemented, "castaway: "+detail), outcome.Info{Reason: "UNIMPLEMENTED", Detail: detail})
}
