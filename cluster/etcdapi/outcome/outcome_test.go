package outcome_test

import (
	"fmt"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"castaway/cluster/etcdapi/outcome"
)

func TestAnInfoTravelsWithItsStatus(t *testing.T) {
	for _, want := range []outcome.Info{
		{},
		{Reason: "NO_LEADER"},
		{
			Reason: "OVERLOADED", Indeterminate: true, Leader: 1<<64 - 1, LeaderEndpoint: "h:1",
			Limit: "MaxReads", RetryAfter: 1500 * time.Millisecond, Detail: "back off",
		},
	} {
		sent := outcome.Attach(status.New(codes.Unavailable, "etcdserver: no leader"), want)
		received := status.FromProto(sent.Proto())
		got, told := outcome.Of(received)
		if !told || got != want || received.Message() != "etcdserver: no leader" {
			t.Errorf("sent %+v, received %+v (there: %v)", want, got, told)
		}
	}
}

// What others put into a status is not ours, and an outcome that is not understood
// promises nothing.
func TestForeignInfos(t *testing.T) {
	if _, told := outcome.Of(status.New(codes.Unavailable, "plain")); told {
		t.Error("a plain status has an info")
	}
	foreign, err := status.New(codes.Unavailable, "").WithDetails(&errdetails.ErrorInfo{Domain: "example.com"})
	if err != nil {
		t.Fatal(err)
	}
	if _, told := outcome.Of(foreign); told {
		t.Error("an info of another domain was taken for ours")
	}
	later, err := status.New(codes.Unavailable, "").WithDetails(&errdetails.ErrorInfo{
		Domain: "castaway", Metadata: map[string]string{"outcome": "perhaps", "leader": "x", "retry_after": "x"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := outcome.Of(later); !got.Indeterminate || got.Leader != 0 || got.RetryAfter != 0 {
		t.Errorf("an outcome of a later version is read as %+v", got)
	}
}

func ExampleOf() {
	err := outcome.Attach(status.New(codes.Unavailable, "etcdserver: no leader"), outcome.Info{
		Reason: "NOT_LEADER", Leader: 3, LeaderEndpoint: "10.0.0.3:2379",
	}).Err()

	info, told := outcome.Of(status.Convert(err))
	fmt.Println(told, info.Reason, info.Indeterminate, info.LeaderEndpoint)
	// Output: true NOT_LEADER false 10.0.0.3:2379
}
