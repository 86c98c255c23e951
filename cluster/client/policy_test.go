package client

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"pgregory.net/rapid"
)

// Pauses double up to the largest; half of each is left to chance.
func TestPauses(t *testing.T) {
	p := RetryPolicy{MinBackoff: 20 * time.Millisecond, MaxBackoff: 100 * time.Millisecond}
	for failures, want := range map[int]time.Duration{1: 20, 2: 40, 3: 80, 4: 100, 50: 100} {
		want *= time.Millisecond
		low, high := p.pause(failures, 0, 0), p.pause(failures, 0, 0.999999)
		if low != want/2 || high <= want*9/10 || high > want {
			t.Errorf("after %d failures: from %v to %v, want from %v to %v", failures, low, high, want/2, want)
		}
	}
	if got := p.pause(1, time.Second, 0); got != time.Second {
		t.Errorf("a server asked for 1s and got %v", got)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for field, opts := range map[string]Options{
		"Endpoints is empty":   {},
		"has no port":          {Endpoints: []string{"host"}},
		"has the scheme unix":  {Endpoints: []string{"unix://a:1"}},
		"DialTimeout":          {Endpoints: []string{"a:1"}, DialTimeout: -1},
		"RequestTimeout":       {Endpoints: []string{"a:1"}, RequestTimeout: -1},
		"Retry.MinBackoff":     {Endpoints: []string{"a:1"}, Retry: RetryPolicy{MinBackoff: -1}},
		"Retry.MaxBackoff":     {Endpoints: []string{"a:1"}, Retry: RetryPolicy{MinBackoff: 2, MaxBackoff: 1}},
		"Retry.AttemptTimeout": {Endpoints: []string{"a:1"}, Retry: RetryPolicy{AttemptTimeout: -1}},
		"Retry.MaxAttempts":    {Endpoints: []string{"a:1"}, Retry: RetryPolicy{MaxAttempts: -1}},
	} {
		if _, err := New(opts); !errors.Is(err, ErrOptions) || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
	for endpoint, address := range map[string]string{"a:1": "a:1", "http://a:1": "a:1", "https://a:1/": "a:1", "[::1]:1": "[::1]:1"} {
		if got, _, err := parseEndpoint(endpoint); err != nil || got != address {
			t.Errorf("%s is %s, %v", endpoint, got, err)
		}
	}
}

// Errors without an outcome, as etcd itself gives them, are judged with caution:
// what was sent and not refused may have been done.
func TestVerdictsOnPlainErrors(t *testing.T) {
	over, cancel := context.WithCancel(context.Background())
	cancel()
	cases := []struct {
		err                    error
		ctx                    context.Context
		indeterminate, passing bool
		answered               bool
	}{
		{rpctypes.ErrGRPCEmptyKey, soonest, false, false, false},
		{rpctypes.ErrGRPCCompacted, soonest, false, false, false},
		{rpctypes.ErrGRPCNoSpace, soonest, false, false, false},
		{rpctypes.ErrGRPCRequestTooManyRequests, soonest, false, true, false},
		{status.Error(codes.Unimplemented, "x"), soonest, false, false, false},
		{status.Error(codes.ResourceExhausted, "grpc: received message larger than max (2 vs. 1)"), soonest, false, false, false},
		{status.Error(codes.ResourceExhausted, "grpc: received message larger than max (2 vs. 1)"), soonest, true, false, true},
		{status.Error(codes.ResourceExhausted, "out of something"), soonest, true, false, false},
		{rpctypes.ErrGRPCNoLeader, soonest, true, true, false},
		{rpctypes.ErrGRPCTimeout, soonest, true, true, false},
		{status.Error(codes.Unavailable, "connection reset"), soonest, true, true, false},
		{status.Error(codes.Internal, "x"), soonest, true, false, false},
		{status.Error(codes.DeadlineExceeded, "x"), soonest, true, true, false},
		{status.Error(codes.DeadlineExceeded, "x"), over, true, false, false},
		{errors.New("x"), soonest, true, false, false},
	}
	for _, c := range cases {
		sent := &trace{}
		sent.sent.Store(true)
		sent.answered.Store(c.answered)
		if v := judge(c.ctx, c.err, sent, false); v.indeterminate != c.indeterminate || v.passing != c.passing {
			t.Errorf("a write that was sent, %v: %+v", c.err, v)
		}
		if v := judge(c.ctx, c.err, &trace{}, false); v.indeterminate {
			t.Errorf("a write that was not sent, %v: %+v", c.err, v)
		}
		if v := judge(c.ctx, c.err, sent, true); v.indeterminate {
			t.Errorf("a read, %v: %+v", c.err, v)
		}
	}
}

var soonest = context.Background()

// A prefix's range has every key that begins with it, and no other.
func TestPrefixes(t *testing.T) {
	bytesOf := rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 'a', 0xfe, 0xff}), 0, 4)
	rapid.Check(t, func(t *rapid.T) {
		prefix, key := string(bytesOf.Draw(t, "prefix")), string(append(bytesOf.Draw(t, "key"), 'k'))
		from, end := Prefix()([]byte(prefix))
		endless := len(end) == 1 && end[0] == 0
		in := key >= string(from) && (endless || key < string(end))
		if want := strings.HasPrefix(key, prefix); in != want {
			t.Fatalf("%q in [%q, %q): %v, want %v", key, from, end, in, want)
		}
	})
}
