package client

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"castaway/cluster/etcdapi/outcome"
)

// verdict is what is to be thought of a failed attempt.
type verdict struct {
	indeterminate bool // it may have had an effect
	passing       bool // another attempt may fare better
	code          codes.Code
	info          outcome.Info
}

// judge judges an attempt at a request. ctx is the request's, not the attempt's.
func judge(ctx context.Context, err error, t *trace, read bool) verdict {
	s := status.Convert(err)
	v := verdict{code: s.Code()}
	info, told := outcome.Of(s)
	v.info = info
	switch {
	case read || !t.sent.Load():
		v.indeterminate = false
	case told:
		v.indeterminate = info.Indeterminate
	default:
		v.indeterminate = !refuses(s) && !tooLong(s, t)
	}
	v.passing = passes(ctx, s, info)
	if !told && tooLong(s, t) {
		v.info = outcome.Info{Reason: "TOO_LARGE", Detail: "the request is larger than any message that the server takes" + sizes(s) +
			"; split it, or give every server a larger --max-entry-bytes"}
	}
	return v
}

// refuses says whether an error without an outcome, perhaps of etcd itself, is given
// only to requests that were never carried out.
func refuses(s *status.Status) bool {
	switch s.Code() {
	case codes.InvalidArgument, codes.NotFound, codes.OutOfRange, codes.FailedPrecondition,
		codes.PermissionDenied, codes.Unauthenticated, codes.Unimplemented, codes.AlreadyExists:
		return true
	case codes.ResourceExhausted:
		return slices.Contains(refusals, s.Message())
	default:
		return false
	}
}

// refusals are the messages of ResourceExhausted that come before anything is done.
var refusals = []string{
	rpctypes.ErrorDesc(rpctypes.ErrGRPCRequestTooManyRequests),
	rpctypes.ErrorDesc(rpctypes.ErrGRPCNoSpace),
}

// tooLong says that a server refused a message for its size, unread.
func tooLong(s *status.Status, t *trace) bool {
	return s.Code() == codes.ResourceExhausted && !t.answered.Load() &&
		strings.HasPrefix(s.Message(), tooLongStart)
}

// tooLongStart begins gRPC's words for a message that is too large.
const tooLongStart = "grpc: received message larger than max"

// sizes are those of the message and of the limit, if gRPC's words hold them.
func sizes(s *status.Status) string {
	var size, limit int
	if _, err := fmt.Sscanf(s.Message(), tooLongStart+" (%d vs. %d)", &size, &limit); err != nil {
		return ""
	}
	return fmt.Sprintf(": %d bytes, the limit is %d", size, limit)
}

// passes says whether what an error tells of may be over at the next attempt, or not
// be so on another server.
func passes(ctx context.Context, s *status.Status, info outcome.Info) bool {
	switch s.Code() {
	case codes.Unavailable:
		return true
	case codes.ResourceExhausted:
		return info.Reason == "OVERLOADED" ||
			s.Message() == rpctypes.ErrorDesc(rpctypes.ErrGRPCRequestTooManyRequests)
	case codes.DeadlineExceeded, codes.Canceled:
		return ctx.Err() == nil // it was the attempt's deadline
	default:
		return false
	}
}
