package kv_test

import (
	"fmt"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"castaway/actors"
	"castaway/cluster/kv"
)

// A machine applies commands and answers queries; in a cluster, a group does both.
func ExampleMachine() {
	m := kv.New()

	command, err := kv.EncodePut(&pb.PutRequest{Key: []byte("greeting"), Value: []byte("hello")})
	if err != nil {
		fmt.Println(err)
		return
	}
	results := m.Apply([]actors.Command{{Index: 1, Term: 1, Data: command}})
	put, err := kv.DecodePut(results[0])
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("written at revision", put.Header.Revision)

	request := &pb.RangeRequest{Key: []byte("greeting")}
	answer, err := m.Query(request)
	if err != nil {
		fmt.Println(err)
		return
	}
	got, err := kv.AnswerRange(request, answer)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s, version %d\n", got.Kvs[0].Value, got.Kvs[0].Version)
	// Output:
	// written at revision 2
	// hello, version 1
}
