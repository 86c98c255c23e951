package client

import (
	"context"
	"sync/atomic"

	"google.golang.org/grpc/stats"
)

// sent notes whether the message of an attempt was ever given to a connection. What
// was not cannot have been done.
type sent struct {
	flag atomic.Bool
}

type sentKey struct{}

func withSent(ctx context.Context) (context.Context, *sent) {
	s := &sent{}
	return context.WithValue(ctx, sentKey{}, s), s
}

// sentHandler is told by gRPC how attempts go.
type sentHandler struct{}

func (sentHandler) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }

// HandleRPC marks an attempt as sent. gRPC tells of an OutPayload once it is queued
// on a connection, in the goroutine of the request.
func (sentHandler) HandleRPC(ctx context.Context, event stats.RPCStats) {
	if _, out := event.(*stats.OutPayload); !out {
		return
	}
	if s, ok := ctx.Value(sentKey{}).(*sent); ok {
		s.flag.Store(true)
	}
}

func (sentHandler) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

func (sentHandler) HandleConn(context.Context, stats.ConnStats) {}
