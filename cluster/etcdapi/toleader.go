package etcdapi

import (
	"context"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	"castaway/actors"
	"castaway/raft"
)

// keyForwarded marks a request that another member's door has passed on: it is passed
// on no further (C36).
const keyForwarded = "castaway-forwarded"

// toLeader says who carries a change out. Without a connection and an error it is this
// member, which leads. Otherwise the connection is to the leader's door, with the
// context for the request; done closes it.
func (s *Server) toLeader(ctx context.Context) (conn *grpc.ClientConn, out context.Context, done func(), err error) {
	done = func() {}
	if s.leadership == nil {
		return nil, ctx, done, unserved("changing members or leadership")
	}
	st, err := s.cfg.Group.Status(ctx)
	if err != nil {
		return nil, ctx, done, s.failed(ctx, err)
	}
	if st.Leader == raft.NodeID(s.cfg.MemberID) {
		return nil, ctx, done, nil
	}
	md, _ := metadata.FromIncomingContext(ctx)
	endpoint := s.endpointOf(uint64(st.Leader))
	if st.Leader == raft.None || endpoint == "" || len(md.Get(keyForwarded)) > 0 {
		return nil, ctx, done, s.failed(ctx, &actors.Error{Reason: actors.ReasonNotLeader, Leader: st.Leader,
			Detail: fmt.Sprintf("this member does not lead, and cannot pass the request on; member %d leads (0: nobody known): ask it", st.Leader)})
	}
	conn, err = grpc.NewClient("passthrough:///"+endpoint, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDisableServiceConfig())
	if err != nil {
		return nil, ctx, done, s.failed(ctx, err)
	}
	md = md.Copy()
	for key := range md {
		if len(key) < len("castaway-") || key[:len("castaway-")] != "castaway-" {
			delete(md, key) // another connection's
		}
	}
	md.Set(keyForwarded, "1")
	return conn, metadata.NewOutgoingContext(ctx, md), func() { _ = conn.Close() }, nil
}

// pass carries a request out at the leader's door, and gives its answer as it is.
func pass[T any](ctx context.Context, done func(), err error, call func(...grpc.CallOption) (*T, error)) (*T, error) {
	defer done()
	if err != nil {
		return nil, err
	}
	var header metadata.MD
	response, err := call(grpc.Header(&header))
	if err != nil {
		return nil, err
	}
	if said := header.Get("castaway-roster"); len(said) == 1 {
		_ = grpc.SetHeader(ctx, metadata.Pairs("castaway-roster", said[0]))
	}
	return response, nil
}
