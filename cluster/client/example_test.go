package client_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"castaway/cluster/client"
	"castaway/cluster/etcdapi"
	"castaway/cluster/etcdapi/apitest"
)

// serve opens a door onto a group in memory. A real cluster is as good.
func serve() (address string, stop func()) {
	server := etcdapi.New(etcdapi.Config{Group: apitest.NewGroup(), ClusterID: 1, MemberID: 1})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	return l.Addr().String(), func() {
		if err := errors.Join(server.Stop(context.Background()), <-served); err != nil {
			panic(err)
		}
	}
}

func ExampleClient() {
	address, stop := serve()
	defer stop()

	c, err := client.New(client.Options{Endpoints: []string{address}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = c.Close() }()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()

	if _, err := c.Put(ctx, "island/beach", []byte("sand")); err != nil {
		fmt.Println(err)
		return
	}
	got, err := c.Get(ctx, "island/", client.Prefix())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, kv := range got.KVs {
		fmt.Printf("%s = %s (revision %d)\n", kv.Key, kv.Value, kv.ModRevision)
	}
	// Output: island/beach = sand (revision 2)
}

// A transaction creates a key unless someone else has.
func ExampleClient_Txn() {
	address, stop := serve()
	defer stop()

	c, err := client.New(client.Options{Endpoints: []string{address}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = c.Close() }()

	for _, who := range []string{"Robinson", "Friday"} {
		r, err := c.Txn(context.Background(), client.Txn{
			If:   []client.Cond{client.CreateRevision("captain", client.Equal, 0)},
			Then: []client.Op{client.OpPut("captain", []byte(who))},
			Else: []client.Op{client.OpGet("captain")},
		})
		switch {
		case errors.Is(err, client.ErrIndeterminate):
			fmt.Println("it may have been done: read the key to find out")
		case err != nil:
			fmt.Println("it was not done:", err)
		case r.Succeeded:
			fmt.Println(who, "is captain")
		default:
			fmt.Printf("%s is not: %s was first\n", who, r.Results[0].Get.KVs[0].Value)
		}
	}
	// Output:
	// Robinson is captain
	// Friday is not: Robinson was first
}

// A write that ran out of time can be asked about later, and is not done twice.
func ExampleClient_Resolve() {
	address, stop := serve()
	defer stop()

	c, err := client.New(client.Options{Endpoints: []string{address}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = c.Close() }()

	_, err = c.Put(context.Background(), "island", []byte("found"))
	for errors.Is(err, client.ErrIndeterminate) {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		_, err = c.Resolve(ctx, err)
		cancel()
	}
	fmt.Println("done:", err == nil)
	// Output: done: true
}
