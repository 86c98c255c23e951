package kv_test

import (
	"bytes"
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

// A machine's state is written down while the machine goes on, and read back by
// another one.
func ExampleMachine_Snapshot() {
	m := kv.New()
	command, err := kv.EncodePut(&pb.PutRequest{Key: []byte("greeting"), Value: []byte("hello")})
	if err != nil {
		fmt.Println(err)
		return
	}
	m.Apply([]actors.Command{{Index: 1, Term: 1, Data: command}})

	snapshot, err := m.Snapshot()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer snapshot.Release()
	var file bytes.Buffer
	if err := snapshot.Write(&file); err != nil {
		fmt.Println(err)
		return
	}

	other := kv.New()
	if err := other.Restore(&file); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("equal:", other.StateHash() == m.StateHash())
	// Output: equal: true
}
