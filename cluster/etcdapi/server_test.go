package etcdapi_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.uber.org/goleak"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"castaway/cluster/etcdapi"
	"castaway/cluster/etcdapi/apitest"
	"castaway/cluster/etcdapi/outcome"
	"castaway/cluster/kv"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A panic in a request is the end of that request, whose outcome is unknown, and of
// nothing else.
func TestAPanicEndsOneRequest(t *testing.T) {
	d := open(t)
	d.group.Before(func(_ context.Context, r apitest.Request) error {
		if r.Write() {
			panic("a bug")
		}
		return nil
	})
	_, err := d.kv.Put(soon(t), put("k", "v"))
	info, _ := outcome.Of(status.Convert(err))
	if status.Code(err) != codes.Internal || !info.Indeterminate || info.Reason != "PANIC" {
		t.Errorf("a panic became %v, %+v", err, info)
	}
	must(d.kv.Range(soon(t), get("k")))(t)
	d.group.Before(func(context.Context, apitest.Request) error { panic("another bug") })
	stream := must(d.kv.RangeStream(soon(t), get("k")))(t)
	if _, err := stream.Recv(); status.Code(err) != codes.Internal {
		t.Errorf("a panic in a stream became %v", err)
	}
}

// What is not served says so, and what is served instead.
func TestWhatIsNotServedSaysSo(t *testing.T) {
	d, ctx := open(t), soon(t)
	calls := map[string]func() error{
		"KV/Compact": func() error { _, err := d.kv.Compact(ctx, &pb.CompactionRequest{}); return err },
		"Lease/LeaseGrant": func() error {
			_, err := pb.NewLeaseClient(d.conn).LeaseGrant(ctx, &pb.LeaseGrantRequest{})
			return err
		},
		"Auth/AuthStatus": func() error {
			_, err := pb.NewAuthClient(d.conn).AuthStatus(ctx, &pb.AuthStatusRequest{})
			return err
		},
		"Watch/Watch": func() error {
			stream := must(pb.NewWatchClient(d.conn).Watch(ctx))(t)
			_, err := stream.Recv()
			return err
		},
		"Maintenance/Defragment": func() error {
			_, err := pb.NewMaintenanceClient(d.conn).Defragment(ctx, &pb.DefragmentRequest{})
			return err
		},
		"Maintenance/Snapshot": func() error {
			stream := must(pb.NewMaintenanceClient(d.conn).Snapshot(ctx, &pb.SnapshotRequest{}))(t)
			_, err := stream.Recv()
			return err
		},
	}
	for method, call := range calls {
		err := call()
		if status.Code(err) != codes.Unimplemented || !strings.Contains(err.Error(), method) || !strings.Contains(err.Error(), "what is: KV") {
			t.Errorf("%s: %v", method, err)
		}
	}
}

// Closing the door lets requests under way finish.
func TestStopWaitsForRequests(t *testing.T) {
	d := open(t)
	begun, proceed := make(chan struct{}), make(chan struct{})
	d.group.Before(func(context.Context, apitest.Request) error {
		close(begun)
		<-proceed
		return nil
	})
	put1 := make(chan error, 1)
	go func() { _, err := d.kv.Put(soon(t), put("k", "v")); put1 <- err }()
	<-begun
	stopped := make(chan error, 1)
	go func() { stopped <- d.server.Stop(soon(t)) }()
	<-d.shut
	select {
	case err := <-stopped:
		t.Fatalf("Stop did not wait: %v", err)
	default:
	}
	close(proceed)
	if err := <-put1; err != nil {
		t.Errorf("the request under way: %v", err)
	}
	if err := <-stopped; err != nil {
		t.Errorf("Stop: %v", err)
	}
	if err := <-d.served; err != nil {
		t.Errorf("Serve: %v", err)
	}
}

// But not beyond its time: what takes longer is cut off, and Stop says so.
func TestStopIsBoundedInTime(t *testing.T) {
	d := open(t)
	begun := make(chan struct{})
	d.group.Before(func(ctx context.Context, _ apitest.Request) error {
		close(begun)
		<-ctx.Done() // until it is cut off
		return ctx.Err()
	})
	put1 := make(chan error, 1)
	go func() { _, err := d.kv.Put(soon(t), put("k", "v")); put1 <- err }()
	<-begun
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if err := d.server.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Stop: %v", err)
	}
	if err := <-put1; err == nil {
		t.Error("the request that was cut off succeeded")
	}
}

func TestHealthIsWhatTheNodeSays(t *testing.T) {
	d, ctx := open(t), soon(t)
	client := healthpb.NewHealthClient(d.conn)
	check := func() healthpb.HealthCheckResponse_ServingStatus {
		return must(client.Check(ctx, &healthpb.HealthCheckRequest{}))(t).Status
	}
	if s := check(); s != healthpb.HealthCheckResponse_SERVING {
		t.Errorf("at first: %v", s)
	}
	d.server.SetServing(false)
	if s := check(); s != healthpb.HealthCheckResponse_NOT_SERVING {
		t.Errorf("after SetServing(false): %v", s)
	}
}

// A configuration that makes no sense is refused with the name of its field.
func TestConfigurationIsChecked(t *testing.T) {
	good := etcdapi.Config{Group: apitest.NewGroup()}
	if err := good.Validate(); err != nil {
		t.Errorf("the defaults are refused: %v", err)
	}
	for field, change := range map[string]func(*etcdapi.Config){
		"Group":             func(c *etcdapi.Config) { c.Group = nil },
		"MaxRequestBytes":   func(c *etcdapi.Config) { c.MaxRequestBytes = -1 },
		"MaxTxnOperations":  func(c *etcdapi.Config) { c.MaxTxnOperations = kv.MaxTxnOperations + 1 },
		"RequestTimeout":    func(c *etcdapi.Config) { c.RequestTimeout = -1 },
		"StatusTimeout":     func(c *etcdapi.Config) { c.StatusTimeout = -1 },
		"KeepaliveMinTime":  func(c *etcdapi.Config) { c.KeepaliveMinTime = -1 },
		"KeepaliveInterval": func(c *etcdapi.Config) { c.KeepaliveInterval = -1 },
		"KeepaliveTimeout":  func(c *etcdapi.Config) { c.KeepaliveTimeout = -1 },
	} {
		bad := good
		change(&bad)
		if err := bad.Validate(); !errors.Is(err, etcdapi.ErrConfig) || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: error %v", field, err)
		}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		s := etcdapi.New(bad)
		if err := s.Serve(l); !errors.Is(err, etcdapi.ErrConfig) {
			t.Errorf("%s: Serve: %v", field, err)
		}
		if err := s.Stop(context.Background()); err != nil {
			t.Errorf("%s: Stop: %v", field, err)
		}
	}
}
