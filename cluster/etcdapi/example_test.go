package etcdapi_test

import (
	"context"
	"fmt"
	"net"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"castaway/cluster/etcdapi"
	"castaway/cluster/etcdapi/apitest"
)

// A door is opened onto a group, here one in memory; any client of etcd may enter.
func ExampleServer() {
	server := etcdapi.New(etcdapi.Config{Group: apitest.NewGroup(), ClusterID: 1, MemberID: 1})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()

	conn, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	response, err := pb.NewKVClient(conn).Put(ctx, &pb.PutRequest{Key: []byte("k"), Value: []byte("v")})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("revision", response.Header.Revision)

	fmt.Println(conn.Close(), server.Stop(ctx), <-served)
	// Output:
	// revision 2
	// <nil> <nil> <nil>
}
