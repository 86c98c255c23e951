package e2e

import (
	"context"
	"fmt"
	"math/rand"
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"golang.org/x/time/rate"
)

const (
	contestedKeys = 20
	// operationTimeout is as long as a client waits before it counts an operation
	// as one whose outcome it does not know.
	operationTimeout = 3 * time.Second
	// perClient keeps the history small enough to be checked to the end.
	perClient = rate.Limit(10)
)

// workload is a number of clients that read and write a few contested keys, and
// each add keys of their own that nobody ever changes again.
type workload struct {
	history *history
	clients []*clientv3.Client
	wg      sync.WaitGroup
	cancel  context.CancelFunc

	mu    sync.Mutex
	acked map[string]string // the added keys whose put was acknowledged
}

func startWorkload(c *cluster, workers int) *workload {
	ctx, cancel := context.WithCancel(context.Background())
	w := &workload{history: newHistory(), cancel: cancel, acked: map[string]string{}}
	for range 8 {
		w.clients = append(w.clients, c.newClient(c.endpoints()...))
	}
	for i := range workers {
		w.wg.Go(func() { w.work(ctx, i) })
	}
	return w
}

// retarget makes the clients use other servers from now on.
func (w *workload) retarget(endpoints []string) {
	for _, client := range w.clients {
		client.SetEndpoints(endpoints...)
	}
}

func (w *workload) stop() {
	w.cancel()
	w.wg.Wait()
}

func (w *workload) work(ctx context.Context, worker int) {
	random := rand.New(rand.NewSource(*seed + int64(worker)))
	client := w.clients[worker%len(w.clients)]
	limit := rate.NewLimiter(perClient, 1)
	lastSeen := map[string]string{}
	for n := 0; limit.Wait(ctx) == nil; n++ {
		// An operation that has begun ends by itself: cutting it off would only make
		// another one of unknown outcome.
		opCtx, cancel := context.WithTimeout(context.Background(), operationTimeout)
		if n%4 == 0 {
			w.add(opCtx, client, fmt.Sprintf("added/%d/%d", worker, n))
		} else {
			in := input{key: fmt.Sprintf("contested/%d", random.Intn(contestedKeys))}
			in.kind = []opKind{opGet, opGet, opPut, opPut, opSwap, opSwap, opDelete}[random.Intn(7)]
			if in.kind == opPut || in.kind == opSwap {
				in.value = fmt.Sprintf("%d.%d", worker, n)
			}
			if in.kind == opSwap {
				in.expect = lastSeen[in.key]
			}
			w.operate(opCtx, worker, client, in, lastSeen)
		}
		cancel()
	}
}

// acknowledged counts the additions that are.
func (w *workload) acknowledged() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.acked)
}

// add puts a key of the client's own.
func (w *workload) add(ctx context.Context, client *clientv3.Client, key string) {
	if _, err := client.Put(ctx, key, key); err == nil {
		w.mu.Lock()
		w.acked[key] = key
		w.mu.Unlock()
	}
}

func (w *workload) operate(ctx context.Context, worker int, client *clientv3.Client, in input, lastSeen map[string]string) {
	call := w.history.now()
	out, err := request(ctx, client, in)
	if err != nil {
		if definitelyNotDone(err) {
			return
		}
		out = output{unknown: true}
	} else {
		lastSeen[in.key] = out.before
		if in.kind == opPut || out.swapped {
			lastSeen[in.key] = in.value
		}
	}
	w.history.record(worker, in, out, call)
}

// request carries one operation out; every answer that depends on the key's value
// tells that value.
func request(ctx context.Context, client *clientv3.Client, in input) (output, error) {
	switch in.kind {
	case opGet:
		resp, err := client.Get(ctx, in.key)
		if err != nil || len(resp.Kvs) == 0 {
			return output{}, err
		}
		return output{before: string(resp.Kvs[0].Value)}, nil
	case opPut:
		_, err := client.Put(ctx, in.key, in.value)
		return output{}, err
	case opDelete:
		resp, err := client.Delete(ctx, in.key, clientv3.WithPrevKV())
		if err != nil || len(resp.PrevKvs) == 0 {
			return output{}, err
		}
		return output{before: string(resp.PrevKvs[0].Value)}, nil
	default:
		return swap(ctx, client, in)
	}
}

func swap(ctx context.Context, client *clientv3.Client, in input) (output, error) {
	unchanged := clientv3.Compare(clientv3.Value(in.key), "=", in.expect)
	if in.expect == "" {
		unchanged = clientv3.Compare(clientv3.CreateRevision(in.key), "=", 0)
	}
	resp, err := client.Txn(ctx).If(unchanged).
		Then(clientv3.OpPut(in.key, in.value)).Else(clientv3.OpGet(in.key)).Commit()
	if err != nil {
		return output{}, err
	}
	if resp.Succeeded {
		return output{before: in.expect, swapped: true}, nil
	}
	out := output{}
	if kvs := resp.Responses[0].GetResponseRange().Kvs; len(kvs) > 0 {
		out.before = string(kvs[0].Value)
	}
	return out, nil
}

// verifyAcked fails the test unless every acknowledged key is there, read from the
// given server alone.
func (w *workload) verifyAcked(t *testing.T, c *cluster, s *server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	resp, err := c.newClient(s.client).Get(ctx, "added/", clientv3.WithPrefix(), clientv3.WithSerializable())
	if err != nil {
		t.Fatalf("server %d: %v", s.id, err)
	}
	there := map[string]string{}
	for _, kv := range resp.Kvs {
		there[string(kv.Key)] = string(kv.Value)
	}
	for key, value := range w.acked {
		if there[key] != value {
			t.Errorf("server %d lost the acknowledged write of %s", s.id, key)
		}
	}
}
