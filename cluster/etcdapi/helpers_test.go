package etcdapi_test

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"castaway/cluster/etcdapi"
	"castaway/cluster/etcdapi/apitest"
)

// patience is when a test gives up; nothing is expected to take as long.
const patience = 20 * time.Second

const (
	clusterID = 0xc1
	memberID  = 0x3e
)

// door is a server over a group in memory, with a connection to it.
type door struct {
	group  *apitest.Group
	server *etcdapi.Server
	conn   *grpc.ClientConn
	kv     pb.KVClient
	served chan error
	shut   chan struct{} // closed when the door takes no more connections
}

// listener tells when it is closed.
type listener struct {
	net.Listener
	once sync.Once
	shut chan struct{}
}

func (l *listener) Close() error {
	l.once.Do(func() { close(l.shut) })
	return l.Listener.Close()
}

func open(t *testing.T, change ...func(*etcdapi.Config)) *door {
	t.Helper()
	d := &door{group: apitest.NewGroup(), served: make(chan error, 1), shut: make(chan struct{})}
	cfg := etcdapi.Config{
		Group: d.group, ClusterID: clusterID, MemberID: memberID,
		Members: func() []etcdapi.Member {
			return []etcdapi.Member{
				{ID: memberID, Name: "one", PeerURLs: []string{"http://p1:1"}, ClientURLs: []string{"http://c1:1"}},
				{ID: 7, Name: "two", PeerURLs: []string{"http://p2:1"}, ClientURLs: []string{"http://c2:1"}},
			}
		},
	}
	for _, f := range change {
		f(&cfg)
	}
	d.server = etcdapi.New(cfg)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { d.served <- d.server.Serve(&listener{Listener: l, shut: d.shut}) }()
	d.conn, err = grpc.NewClient("passthrough:///"+l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	d.kv = pb.NewKVClient(d.conn)
	t.Cleanup(func() {
		if err := d.conn.Close(); err != nil {
			t.Error(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := d.server.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	return d
}

func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func put(key, value string) *pb.PutRequest {
	return &pb.PutRequest{Key: []byte(key), Value: []byte(value)}
}

func get(key string) *pb.RangeRequest { return &pb.RangeRequest{Key: []byte(key)} }

func opPut(key, value string) *pb.RequestOp {
	return &pb.RequestOp{Request: &pb.RequestOp_RequestPut{RequestPut: put(key, value)}}
}

func opGet(r *pb.RangeRequest) *pb.RequestOp {
	return &pb.RequestOp{Request: &pb.RequestOp_RequestRange{RequestRange: r}}
}
