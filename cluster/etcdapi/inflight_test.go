package etcdapi_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"castaway/cluster/etcdapi"
	"castaway/cluster/etcdapi/apitest"
	"castaway/cluster/etcdapi/outcome"
)

// overloadedBy checks that err names the limit, says that nothing was done, and when
// to come back, in our words and in Google's.
func overloadedBy(t *testing.T, err error, limit string) {
	t.Helper()
	s := status.Convert(err)
	info, ok := outcome.Of(s)
	if s.Code() != codes.ResourceExhausted || !ok || info.Limit != limit || info.Indeterminate || info.RetryAfter <= 0 {
		t.Errorf("got %v, %+v; want a refusal that names %s and says when to come back", err, info, limit)
	}
	for _, d := range s.Details() {
		if r, ok := d.(*errdetails.RetryInfo); ok && r.GetRetryDelay().AsDuration() == info.RetryAfter {
			return
		}
	}
	t.Errorf("no RetryInfo in %v", s.Details())
}

// eventually waits for what other goroutines do.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); {
		if time.Now().After(end) {
			t.Fatalf("waited in vain: %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

// Requests under way are bounded by count and by bytes; whoever has more is refused
// at once, and the questions of an administrator are not.
func TestOverload_RequestsUnderWayAreBounded(t *testing.T) {
	d := open(t, func(c *etcdapi.Config) { c.MaxRequests, c.MaxRequestsBytes = 4, 10_000 })
	release := make(chan struct{})
	d.group.Before(func(ctx context.Context, r apitest.Request) error {
		if r.Write() {
			<-release
		}
		return nil
	})
	answers := make(chan error)
	put := func(size int) {
		_, err := d.kv.Put(t.Context(), &pb.PutRequest{Key: []byte("k"), Value: make([]byte, size)})
		answers <- err
	}
	for range 2 {
		go put(4000)
	}
	eventually(t, "two puts are under way", func() bool { n, _ := d.server.RequestsUnderWay(); return n == 2 })
	go put(4000)
	overloadedBy(t, <-answers, "MaxRequestsBytes")
	for range 2 {
		go put(1)
	}
	eventually(t, "four puts are under way", func() bool { n, _ := d.server.RequestsUnderWay(); return n == 4 })
	go put(1)
	overloadedBy(t, <-answers, "MaxRequests")
	if _, err := pb.NewClusterClient(d.conn).MemberList(t.Context(), &pb.MemberListRequest{}); err != nil {
		t.Errorf("the list of members is refused: %v", err)
	}
	close(release)
	for range 4 {
		if err := <-answers; err != nil {
			t.Error(err)
		}
	}
	if n, bytes := d.server.RequestsUnderWay(); n != 0 || bytes != 0 {
		t.Errorf("%d requests with %d bytes are still counted", n, bytes)
	}
}

// A request that has waited for MaxQueueWait before its turn came is refused; so is
// one whose client has gone meanwhile.
func TestOverload_WhoWaitedTooLongForTheCPUIsRefused(t *testing.T) {
	d := open(t, func(c *etcdapi.Config) { c.MaxQueueWait = time.Nanosecond })
	_, err := d.kv.Put(t.Context(), put("k", "v"))
	overloadedBy(t, err, "MaxQueueWait")
	if n, _ := d.server.RequestsUnderWay(); n != 0 || len(d.group.Requests()) != 0 {
		t.Errorf("%d requests are counted, the group was asked %d", n, len(d.group.Requests()))
	}
}

// stalled asks for a key, and never takes the answer.
func stalled(ctx context.Context, t *testing.T, conn *grpc.ClientConn) grpc.ClientStream {
	t.Helper()
	s, err := conn.NewStream(ctx, &grpc.StreamDesc{}, "/etcdserverpb.KV/Range")
	if err == nil {
		err = s.SendMsg(&pb.RangeRequest{Key: []byte("large")})
	}
	if err == nil {
		err = s.CloseSend()
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Answers that clients do not take are bounded in bytes, and those of one client to a
// quarter: the others can still read. When the clients are gone all is free again.
func TestOverload_AnswersThatNobodyTakesAreBounded(t *testing.T) {
	const size, limit = 1 << 20, 8 << 20
	d := open(t, func(c *etcdapi.Config) { c.MaxAnswersBytes = limit })
	if _, err := d.kv.Put(t.Context(), &pb.PutRequest{Key: []byte("large"), Value: bytes.Repeat([]byte("x"), size)}); err != nil {
		t.Fatal(err)
	}
	ctx, giveUp := context.WithCancel(t.Context())
	defer giveUp()
	const each = limit / 4 / size // what one client may have, less what is around a value
	for range 10 {
		stalled(ctx, t, d.conn)
	}
	eventually(t, "a client has its share", func() bool { return d.server.AnswersUnderWay() > (each-1)*size })
	_, err := d.kv.Range(t.Context(), &pb.RangeRequest{Key: []byte("large")})
	overloadedBy(t, err, "MaxAnswersBytes")
	if n := d.server.AnswersUnderWay(); n > limit/4 {
		t.Errorf("one client has %d bytes under way, more than its share", n)
	}
	for i := range 20 {
		conn, err := grpc.NewClient(d.conn.Target(), grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		stalled(ctx, t, conn)
		if i == 0 {
			eventually(t, "another client has an answer", func() bool { return d.server.ClientsWithLargeAnswers() == 2 })
		}
	}
	eventually(t, "the door is full", func() bool { return d.server.AnswersUnderWay() > limit-2*size })
	if n := d.server.AnswersUnderWay(); n > limit {
		t.Errorf("%d bytes of answers are under way; the limit is %d", n, limit)
	}
	if _, err := d.kv.Put(t.Context(), &pb.PutRequest{Key: []byte("k"), Value: []byte("v")}); err != nil {
		t.Errorf("a write is refused for answers that others do not take: %v", err)
	}
	giveUp()
	eventually(t, "all is free again", func() bool { return d.server.AnswersUnderWay() == 0 && d.server.ClientsWithLargeAnswers() == 0 })
	if _, err := d.kv.Range(t.Context(), &pb.RangeRequest{Key: []byte("large")}); err != nil {
		t.Errorf("a read, with all answers taken: %v", err)
	}
}

func TestOverload_LimitsAreChecked(t *testing.T) {
	for i, change := range []func(*etcdapi.Config){
		func(c *etcdapi.Config) { c.MaxRequests = -1 },
		func(c *etcdapi.Config) { c.MaxRequestsBytes = -1 },
		func(c *etcdapi.Config) { c.MaxAnswersBytes = -1 },
	} {
		c := etcdapi.Config{Group: apitest.NewGroup()}
		change(&c)
		if err := c.Validate(); err == nil {
			t.Error(fmt.Sprint("case ", i, " passes"))
		}
	}
}
