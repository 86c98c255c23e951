package etcdapi_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"castaway/actors"
	"castaway/cluster/etcdapi"
	"castaway/cluster/etcdapi/apitest"
	"castaway/cluster/etcdapi/outcome"
)

// etcdRepeatsWrites is the rule by which etcd's client v3 repeats a write: only if it
// had no connection to send it by.
func etcdRepeatsWrites(err error) bool {
	if status.Code(err) != codes.Unavailable {
		return false
	}
	text := rpctypes.ErrorDesc(err)
	return text == "there is no address available" || text == "there is no connection available"
}

// etcdRepeatsReads is the rule by which it repeats a read.
func etcdRepeatsReads(err error) bool { return status.Code(err) == codes.Unavailable }

// Three outcomes are kept apart. Etcd's client repeats no write, since it cannot tell
// them apart; it repeats the reads that may fare better. Ours reads the rest in the
// details.
func TestOutcomesAreKeptApart(t *testing.T) {
	cases := []struct {
		err     error
		want    error
		reason  string
		unknown bool
		reread  bool
	}{
		{apitest.NotDone(actors.ReasonNoLeader, 0), rpctypes.ErrGRPCNoLeader, "NO_LEADER", false, true},
		{apitest.NotDone(actors.ReasonNotLeader, 7), rpctypes.ErrGRPCNoLeader, "NOT_LEADER", false, true},
		{apitest.NotDone(actors.ReasonNotReady, 7), rpctypes.ErrGRPCNoLeader, "NOT_READY", false, true},
		{apitest.NotDone(actors.ReasonLeadershipLost, 7), rpctypes.ErrGRPCLeaderChanged, "LEADERSHIP_LOST", false, true},
		{apitest.NotDone(actors.ReasonStopped, 0), rpctypes.ErrGRPCStopped, "STOPPED", false, true},
		{apitest.NotDone(actors.ReasonHalted, 0), rpctypes.ErrGRPCStopped, "HALTED", false, true},
		{apitest.NotDone(actors.ReasonTooLarge, 0), rpctypes.ErrGRPCRequestTooLarge, "TOO_LARGE", false, false},
		{apitest.NotDone(actors.ReasonDiskReserve, 0), rpctypes.ErrGRPCNoSpace, "DISK_RESERVE", false, false},
		{apitest.NotDone(actors.ReasonOverloaded, 0), rpctypes.ErrGRPCRequestTooManyRequests, "OVERLOADED", false, false},
		{apitest.NotDone(actors.ReasonDeadline, 0), rpctypes.ErrGRPCDeadlineExceeded, "DEADLINE", false, false},
		{apitest.Indeterminate(actors.ReasonLeadershipLost), rpctypes.ErrGRPCTimeoutDueToLeaderFail, "LEADERSHIP_LOST", true, true},
		{apitest.Indeterminate(actors.ReasonRestarted), rpctypes.ErrGRPCTimeout, "RESTARTED", true, true},
		{apitest.Indeterminate(actors.ReasonStopped), rpctypes.ErrGRPCTimeout, "STOPPED", true, true},
		{apitest.Indeterminate(actors.ReasonHalted), rpctypes.ErrGRPCTimeout, "HALTED", true, true},
		{apitest.Indeterminate(actors.ReasonDeadline), rpctypes.ErrGRPCDeadlineExceeded, "DEADLINE", true, false},
		{apitest.NotDone(actors.ReasonMachineFailed, 0), status.Error(codes.Unknown, "castaway: a test has refused it"), "MACHINE_FAILED", false, false},
		{&actors.Error{Reason: actors.ReasonResultTooLarge, Done: true, Detail: "a test has done it"}, status.Error(codes.Unknown, "castaway: a test has done it"), "RESULT_TOO_LARGE", true, false},
		{errors.New("something else"), status.Error(codes.Unknown, "castaway: something else"), "UNKNOWN", true, false},
	}
	for _, c := range cases {
		d := open(t)
		d.group.Before(func(context.Context, apitest.Request) error { return c.err })
		_, err := d.kv.Put(soon(t), put("k", "v"))
		if status.Code(err) != status.Code(c.want) || rpctypes.ErrorDesc(err) != rpctypes.ErrorDesc(c.want) {
			t.Errorf("%v: the client gets %v, want %v", c.err, err, c.want)
		}
		info, told := outcome.Of(status.Convert(err))
		if !told || info.Indeterminate != c.unknown || info.Reason != c.reason {
			t.Errorf("%v: the details say %+v (there: %v)", c.err, info, told)
		}
		if etcdRepeatsWrites(err) {
			t.Errorf("%v: etcd's client would repeat the write", c.err)
		}
		if etcdRepeatsReads(err) != c.reread {
			t.Errorf("%v: etcd's client repeats a read: %v, want %v", c.err, !c.reread, c.reread)
		}
	}
}

// An error names who leads and where, by what the error knows or else by what the
// door has heard.
func TestErrorsNameTheLeader(t *testing.T) {
	d := open(t)
	d.group.Publish(actors.Event{Kind: actors.EventRole, Term: 3, Leader: memberID})
	for name, c := range map[string]struct {
		err  error
		want outcome.Info
	}{
		"known to the error":    {apitest.NotDone(actors.ReasonNotLeader, 7), outcome.Info{Leader: 7, LeaderEndpoint: "c2:1"}},
		"known to the door":     {apitest.NotDone(actors.ReasonNotReady, 0), outcome.Info{Leader: memberID, LeaderEndpoint: "c1:1"}},
		"not among the members": {apitest.NotDone(actors.ReasonNotLeader, 99), outcome.Info{Leader: 99}},
	} {
		d.group.Before(func(context.Context, apitest.Request) error { return c.err })
		_, err := d.kv.Put(soon(t), put("k", "v"))
		info, _ := outcome.Of(status.Convert(err))
		if info.Leader != c.want.Leader || info.LeaderEndpoint != c.want.LeaderEndpoint {
			t.Errorf("%s: %+v, want %+v", name, info, c.want)
		}
	}
}

// A pause that the group asks for, and the limit that was met, reach the client.
func TestErrorsNameLimitAndPause(t *testing.T) {
	d := open(t)
	d.group.Before(func(context.Context, apitest.Request) error {
		return &actors.Error{Reason: actors.ReasonOverloaded, Limit: "MaxQueuedBytes", RetryAfter: 50 * time.Millisecond, Detail: "back off"}
	})
	_, err := d.kv.Put(soon(t), put("k", "v"))
	info, _ := outcome.Of(status.Convert(err))
	if info.Limit != "MaxQueuedBytes" || info.RetryAfter != 50*time.Millisecond || info.Detail != "back off" {
		t.Errorf("the details say %+v", info)
	}
}

// A client that sets no deadline is not kept waiting for ever; its write may have
// been done. One that sets a deadline gets its own.
func TestRequestsAreBoundedInTime(t *testing.T) {
	hang := func(ctx context.Context, r apitest.Request) error {
		<-ctx.Done()
		return &actors.Error{Reason: actors.ReasonDeadline, Indeterminate: r.Write(), Cause: context.Cause(ctx), Detail: "given up"}
	}
	d := open(t, func(c *etcdapi.Config) { c.RequestTimeout = 20 * time.Millisecond })
	d.group.Before(hang)
	_, err := d.kv.Put(context.Background(), put("k", "v"))
	info, _ := outcome.Of(status.Convert(err))
	if rpctypes.ErrorDesc(err) != rpctypes.ErrorDesc(rpctypes.ErrGRPCTimeout) || !info.Indeterminate {
		t.Errorf("a write without a deadline: %v, %+v", err, info)
	}
	_, err = d.kv.Range(context.Background(), get("k"))
	info, _ = outcome.Of(status.Convert(err))
	if rpctypes.ErrorDesc(err) != rpctypes.ErrorDesc(rpctypes.ErrGRPCTimeout) || info.Indeterminate {
		t.Errorf("a read without a deadline: %v, %+v", err, info)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 40*time.Millisecond)
	defer cancel()
	if _, err = d.kv.Put(ctx, put("k", "v")); status.Code(err) != codes.DeadlineExceeded {
		t.Errorf("a write with a deadline: %v", err)
	}
}
