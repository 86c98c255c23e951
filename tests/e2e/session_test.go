package e2e

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// etcdSession is a session of etcd's own client, by metadata alone.
type etcdSession struct {
	clients []*clientv3.Client
	id      string
	next    int
}

func openEtcdSession(ctx context.Context, clients []*clientv3.Client) (*etcdSession, error) {
	var header metadata.MD
	kv := pb.NewKVClient(clients[0].ActiveConnection())
	_, err := kv.Range(metadata.AppendToOutgoingContext(ctx, "castaway-session", "new"),
		&pb.RangeRequest{Key: []byte("any"), CountOnly: true}, grpc.Header(&header))
	if err != nil {
		return nil, err
	}
	id := header.Get("castaway-session")
	if len(id) != 1 {
		return nil, fmt.Errorf("no session in %v", header)
	}
	return &etcdSession{clients: clients, id: id[0], next: 1}, nil
}

// put sends one put until it is answered, with little patience, to one server after
// another. It tells how often.
func (s *etcdSession) put(ctx context.Context, key string) (attempts int, err error) {
	sequence := strconv.Itoa(s.next)
	s.next++
	named := metadata.AppendToOutgoingContext(ctx, "castaway-session", s.id, "castaway-sequence", sequence+";ack="+sequence)
	for attempts = 1; ; attempts++ {
		attempt, cancel := context.WithTimeout(named, 100*time.Millisecond)
		_, err = s.clients[attempts%len(s.clients)].Put(attempt, key, sequence)
		cancel()
		if err == nil || ctx.Err() != nil {
			return attempts, err
		}
	}
}

// A retry storm of etcd's own clients, while leaders are killed and come back: with two
// metadata headers each put is done once, and a counter is a key's version.
func TestC29_EtcdsClientsCountExactlyWithTwoHeaders(t *testing.T) {
	const workers, counters, each = 32, 8, 60
	c := startCluster(t, 5, nil)
	c.awaitLeader()
	ctx, cancel := context.WithTimeout(t.Context(), 30*maxElectionTimeout)
	defer cancel()
	var clients []*clientv3.Client
	for _, s := range c.servers {
		clients = append(clients, c.newClient(s.client))
	}
	var done [counters]atomic.Int64
	var total, retries atomic.Int64
	var all sync.WaitGroup
	for w := range workers {
		s, err := openEtcdSession(ctx, clients)
		if err != nil {
			t.Fatal(err)
		}
		all.Go(func() {
			for i := range each {
				counter := (w + i) % counters
				attempts, err := s.put(ctx, fmt.Sprint("counter/", counter))
				retries.Add(int64(attempts - 1))
				if err != nil {
					t.Errorf("worker %d, put %d, after %d attempts: %v", w, i, attempts, err)
					return
				}
				done[counter].Add(1)
				total.Add(1)
			}
		})
	}
	for kill := range int64(3) {
		c.await("the storm to go on", func() bool { return total.Load() >= (kill+1)*workers*each/5 || t.Failed() })
		leader := c.awaitLeader()
		c.kill(leader)
		c.start(leader)
		c.awaitReady(leader)
	}
	all.Wait()
	t.Logf("%d puts, tried again %d times", total.Load(), retries.Load())
	for i := range done {
		r, err := clients[0].Get(ctx, fmt.Sprint("counter/", i))
		if err != nil || len(r.Kvs) != 1 || r.Kvs[0].Version != done[i].Load() {
			t.Errorf("counter %d was put %d times, and is %v (%v)", i, done[i].Load(), r, err)
		}
	}
}
