package etcdapi_test

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"castaway/cluster/etcdapi"
	"castaway/cluster/etcdapi/apitest"
)

// What the door costs by itself: clients and server in one process over loopback,
// and a group that answers at once. One operation is one request.
func benchmark(b *testing.B, clients int, do func(ctx context.Context, kv pb.KVClient, n int64) error) {
	b.Helper()
	server := etcdapi.New(etcdapi.Config{Group: apitest.NewGroup()})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	conn, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		b.Fatal(err)
	}
	kv, ctx := pb.NewKVClient(conn), context.Background()
	if _, err := kv.Put(ctx, put("key-000000000000", "value")); err != nil {
		b.Fatal(err)
	}
	var next atomic.Int64
	b.SetParallelism(max(1, clients/2))
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			if err := do(ctx, kv, next.Add(1)); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.StopTimer()
	if err := conn.Close(); err != nil {
		b.Error(err)
	}
	if err := server.Stop(ctx); err != nil {
		b.Error(err)
	}
	if err := <-served; err != nil {
		b.Error(err)
	}
}

func BenchmarkDoor(b *testing.B) {
	value := make([]byte, 256)
	for _, clients := range []int{2, 64, 512} {
		b.Run(fmt.Sprintf("put/clients=%d", clients), func(b *testing.B) {
			benchmark(b, clients, func(ctx context.Context, kv pb.KVClient, n int64) error {
				key := fmt.Appendf(nil, "key-%012d", n%10_000)
				_, err := kv.Put(ctx, &pb.PutRequest{Key: key, Value: value})
				return err
			})
		})
		b.Run(fmt.Sprintf("get/clients=%d", clients), func(b *testing.B) {
			benchmark(b, clients, func(ctx context.Context, kv pb.KVClient, _ int64) error {
				_, err := kv.Range(ctx, get("key-000000000000"))
				return err
			})
		})
	}
}
