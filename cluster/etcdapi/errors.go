package etcdapi

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"castaway/actors"
	"castaway/cluster/etcdapi/outcome"
	"castaway/cluster/kv"
	"castaway/raft"
)

// refusals are the machine's errors in etcd's words.
var refusals = []struct {
	err    error
	reason string
	etcd   error
}{
	{kv.ErrEmptyKey, "EMPTY_KEY", rpctypes.ErrGRPCEmptyKey},
	{kv.ErrKeyNotFound, "KEY_NOT_FOUND", rpctypes.ErrGRPCKeyNotFound},
	{kv.ErrEmptyOperation, "EMPTY_OPERATION", rpctypes.ErrGRPCKeyNotFound},
	{kv.ErrValueProvided, "VALUE_PROVIDED", rpctypes.ErrGRPCValueProvided},
	{kv.ErrLeaseProvided, "LEASE_PROVIDED", rpctypes.ErrGRPCLeaseProvided},
	{kv.ErrKeyTooLarge, "KEY_TOO_LARGE", status.Error(codes.InvalidArgument, "castaway: the key is longer than 32768 bytes")},
	{kv.ErrLeaseUnsupported, "UNIMPLEMENTED", status.Error(codes.Unimplemented, "castaway: leases are not served; put without a lease")},
	{kv.ErrTooManyOperations, "TOO_MANY_OPERATIONS", rpctypes.ErrGRPCTooManyOps},
	{kv.ErrDuplicateKey, "DUPLICATE_KEY", rpctypes.ErrGRPCDuplicateKey},
	{kv.ErrInvalidSort, "INVALID_SORT", rpctypes.ErrGRPCInvalidSortOption},
	{kv.ErrCompacted, "COMPACTED", rpctypes.ErrGRPCCompacted},
	{kv.ErrFutureRevision, "FUTURE_REVISION", rpctypes.ErrGRPCFutureRev},
}

// refused is the answer to a request that the machine would not, or did not, carry
// out: definitely not done.
func (s *Server) refused(err error) error {
	for _, r := range refusals {
		if errors.Is(err, r.err) {
			return s.told(r.etcd, outcome.Info{Reason: r.reason, Detail: err.Error()})
		}
	}
	return s.told(status.Error(codes.Internal, "castaway: "+err.Error()), outcome.Info{
		Reason: "MALFORMED", Detail: err.Error(),
	})
}

// failed is the answer to a request that a group failed.
func (s *Server) failed(ctx context.Context, err error) error {
	for _, r := range refusals {
		if errors.Is(err, r.err) {
			return s.refused(err)
		}
	}
	var e *actors.Error
	if !errors.As(err, &e) {
		if end := ctx.Err(); end != nil && errors.Is(err, end) {
			return s.told(endOf(ctx), outcome.Info{Reason: reasonName(actors.ReasonDeadline), Indeterminate: true, Detail: err.Error()})
		}
		return s.told(status.Error(codes.Unknown, "castaway: "+err.Error()), outcome.Info{
			Reason: "UNKNOWN", Indeterminate: true, Detail: err.Error(),
		})
	}
	leader := uint64(e.Leader)
	if leader == 0 {
		leader = s.known.leader.Load()
	}
	return s.told(etcdError(ctx, e), outcome.Info{
		Reason:         reasonName(e.Reason),
		Indeterminate:  e.Indeterminate || e.Done, // clients are told in Detail that it was done
		Leader:         leader,
		LeaderEndpoint: s.endpointOf(leader),
		Limit:          e.Limit,
		RetryAfter:     e.RetryAfter,
		Detail:         e.Detail,
	})
}

// told adds to an error of etcd's what etcd does not say.
func (s *Server) told(etcd error, i outcome.Info) error {
	return outcome.Attach(status.Convert(etcd), i).Err()
}

// etcdError gives etcd's error for a failure. Etcd's client repeats reads on the
// code Unavailable, and writes on none of these.
func etcdError(ctx context.Context, e *actors.Error) error {
	switch e.Reason {
	case actors.ReasonTooLarge:
		return rpctypes.ErrGRPCRequestTooLarge
	case actors.ReasonOverloaded:
		return rpctypes.ErrGRPCRequestTooManyRequests
	case actors.ReasonDiskReserve:
		return rpctypes.ErrGRPCNoSpace
	case actors.ReasonDeadline:
		return endOf(ctx)
	case actors.ReasonSessionUnknown, actors.ReasonSessionAcknowledged, actors.ReasonSessionTooFar:
		return status.Error(codes.FailedPrecondition, "castaway: "+e.Detail)
	case actors.ReasonSessionMalformed:
		return status.Error(codes.InvalidArgument, "castaway: "+e.Detail)
	case actors.ReasonRefused:
		return refusedChange(e)
	case actors.ReasonMachineFailed, actors.ReasonResultTooLarge, actors.ReasonResultLost:
		return status.Error(codes.Unknown, "castaway: "+e.Detail)
	}
	if e.Indeterminate {
		if e.Reason == actors.ReasonLeadershipLost {
			return rpctypes.ErrGRPCTimeoutDueToLeaderFail
		}
		return rpctypes.ErrGRPCTimeout
	}
	switch e.Reason {
	case actors.ReasonHalted, actors.ReasonStopped:
		return rpctypes.ErrGRPCStopped
	case actors.ReasonLeadershipLost:
		return rpctypes.ErrGRPCLeaderChanged
	default:
		return rpctypes.ErrGRPCNoLeader
	}
}

// endOf tells apart who ended a request: the client's deadline, the client itself,
// or the door's own limit.
func endOf(ctx context.Context) error {
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errRequestTimeout):
		return rpctypes.ErrGRPCTimeout
	case errors.Is(cause, context.Canceled):
		return rpctypes.ErrGRPCCanceled
	default:
		return rpctypes.ErrGRPCDeadlineExceeded
	}
}

func tooLarge(size, limit int) outcome.Info {
	return outcome.Info{
		Reason: reasonName(actors.ReasonTooLarge),
		Limit:  "MaxRequestBytes",
		Detail: fmt.Sprintf("the request has %d bytes, more than the %d that this server takes (its max-entry-bytes); split it, or give every server a larger --max-entry-bytes", size, limit),
	}
}

func reasonName(r actors.Reason) string {
	switch r {
	case actors.ReasonNoLeader:
		return "NO_LEADER"
	case actors.ReasonNotLeader:
		return "NOT_LEADER"
	case actors.ReasonNotReady:
		return "NOT_READY"
	case actors.ReasonTooLarge:
		return "TOO_LARGE"
	case actors.ReasonOverloaded:
		return "OVERLOADED"
	case actors.ReasonDiskReserve:
		return "DISK_RESERVE"
	case actors.ReasonHalted:
		return "HALTED"
	case actors.ReasonStopped:
		return "STOPPED"
	case actors.ReasonLeadershipLost:
		return "LEADERSHIP_LOST"
	case actors.ReasonRestarted:
		return "RESTARTED"
	case actors.ReasonDeadline:
		return "DEADLINE"
	case actors.ReasonMachineFailed:
		return "MACHINE_FAILED"
	case actors.ReasonResultTooLarge:
		return "RESULT_TOO_LARGE"
	case actors.ReasonRefused:
		return "REFUSED"
	case actors.ReasonBehind:
		return "BEHIND"
	case actors.ReasonSessionUnknown:
		return "SESSION_UNKNOWN"
	case actors.ReasonSessionAcknowledged:
		return "SESSION_ACKNOWLEDGED"
	case actors.ReasonSessionTooFar:
		return "SESSION_TOO_FAR"
	case actors.ReasonSessionMalformed:
		return "SESSION_MALFORMED"
	case actors.ReasonResultLost:
		return "RESULT_LOST"
	default:
		return fmt.Sprintf("REASON_%d", r)
	}
}

// endpointOf finds the address of a member's door.
func (s *Server) endpointOf(member uint64) string {
	if member == 0 {
		return ""
	}
	for _, m := range s.cfg.Members() {
		if m.ID == member && len(m.ClientURLs) > 0 {
			return withoutScheme(m.ClientURLs[0])
		}
	}
	return ""
}

func withoutScheme(url string) string {
	if _, address, found := strings.Cut(url, "://"); found {
		return address
	}
	return url
}

// changeErrors are the core's refusals of changes, in etcd's words.
var changeErrors = []struct{ err, etcd error }{
	{raft.ErrNotCaughtUp, rpctypes.ErrGRPCLearnerNotReady},
	{raft.ErrUnhealthy, rpctypes.ErrGRPCUnhealthy},
	{raft.ErrRemoved, rpctypes.ErrGRPCMemberExist},
	{raft.ErrTransferee, rpctypes.ErrGRPCBadLeaderTransferee},
	{raft.ErrTransferTimeout, rpctypes.ErrGRPCTimeout},
	{raft.ErrNotLeader, rpctypes.ErrGRPCNotLeader},
}

// refusedChange is the answer to a change that the core refused: nothing was done.
func refusedChange(e *actors.Error) error {
	for _, c := range changeErrors {
		if errors.Is(e, c.err) {
			return c.etcd
		}
	}
	if errors.Is(e, raft.ErrChanging) || errors.Is(e, raft.ErrTransferring) {
		return status.Error(codes.Unavailable, "castaway: "+e.Detail)
	}
	return status.Error(codes.FailedPrecondition, "castaway: "+e.Detail)
}
