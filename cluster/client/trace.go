package client

import (
	"context"
	"sync/atomic"

	"google.golang.org/grpc/stats"
)

// trace notes how far an attempt came. What was never given to a connection cannot
// have been done; and a server that refuses a message for its size never begins a
// response, while a response that is refused here for its own size has begun.
type trace struct {
	sent     atomic.Bool // the message was queued on a connection
	answered atomic.Bool // a response began, as it does not for an error alone
}

type traceKey struct{}

func withTrace(ctx context.Context) (context.Context, *trace) {
	t := &trace{}
	return context.WithValue(ctx, traceKey{}, t), t
}

// traceHandler is told by gRPC how attempts go.
type traceHandler struct{}

func (traceHandler) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }

// HandleRPC notes the two events that matter. Both come before the attempt ends.
func (traceHandler) HandleRPC(ctx context.Context, event stats.RPCStats) {
	t, ok := ctx.Value(traceKey{}).(*trace)
	if !ok {
		return
	}
	switch event.(type) {
	case *stats.OutPayload:
		t.sent.Store(true)
	case *stats.InHeader:
		t.answered.Store(true)
	}
}

func (traceHandler) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

func (traceHandler) HandleConn(context.Context, stats.ConnStats) {}
