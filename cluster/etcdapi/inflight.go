package etcdapi

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/tap"
	"google.golang.org/protobuf/proto"

	"castaway/actors"
	"castaway/cluster/etcdapi/outcome"
	"castaway/cluster/kv"
)

// inflight bounds what all clients together have under way at the door: requests,
// their bytes, and the bytes of answers that their clients have not taken yet. What
// is too much is refused before anything is done for it; a read whose answer turns
// out to be too much, afterwards, since nothing was done by it.
//
// The service KV is bounded alone: whoever wants to find out what is the matter, or
// change the members, is not in its way, and must not be turned away.
type inflight struct {
	cfg      *Config
	requests atomic.Int64
	bytes    atomic.Int64
	answers  atomic.Int64

	full error // what is said at the tap

	mu      sync.Mutex
	clients map[string]int64 // bytes of large answers under way, by client address
}

const (
	keyValueService = "/etcdserverpb.KV/"
	// largeAnswer is an answer that counts against the share of its client: what one
	// client does not take must not keep the others from reading.
	largeAnswer  = 64 << 10
	clientShares = 4
	// overloadPause is how long a client that was refused here is asked to wait.
	overloadPause = 100 * time.Millisecond
)

func newInflight(cfg *Config) *inflight {
	return &inflight{cfg: cfg, clients: map[string]int64{}, full: tooMany(cfg.MaxRequests)}
}

func tooMany(requests int) error {
	return overloaded("MaxRequests", fmt.Sprintf("%d requests", requests))
}

// arrived is the key of when a request's first bytes came.
type arrived struct{}

// tap is where a request is refused at the least cost: before its body was read, and
// without a goroutine of its own. It also notes when the request came, since with more
// than the CPUs can do it is here, before its goroutine runs, that it waits.
func (f *inflight) tap(ctx context.Context, info *tap.Info) (context.Context, error) {
	if !bounds(info.FullMethodName) {
		return ctx, nil
	}
	if f.requests.Load() >= int64(f.cfg.MaxRequests) {
		return nil, f.full
	}
	return context.WithValue(ctx, arrived{}, time.Now()), nil
}

// admit takes a request in; leave is to be called when it has been carried out. One
// whose client has gone, or that has waited for longer than MaxQueueWait already, is
// refused: the same would become of those behind it.
func (f *inflight) admit(ctx context.Context, req any) (leave func(), refused error) {
	if ctx.Err() != nil {
		return nil, outcome.Attach(status.Convert(endOf(ctx)), outcome.Info{
			Reason: reasonName(actors.ReasonDeadline), Detail: "nothing was done, since the request had ended before its turn came",
		}).Err()
	}
	if at, ok := ctx.Value(arrived{}).(time.Time); ok && time.Since(at) > f.cfg.MaxQueueWait {
		return nil, outcome.Attach(status.Convert(rpctypes.ErrGRPCRequestTooManyRequests), outcome.Info{
			Reason: reasonName(actors.ReasonOverloaded), Limit: "MaxQueueWait", RetryAfter: max(overloadPause, f.cfg.MaxQueueWait/2),
			Detail: fmt.Sprintf("refused, since it waited longer than MaxQueueWait = %v for its turn; nothing was done; back off and retry", f.cfg.MaxQueueWait),
		}).Err()
	}
	size := int64(0)
	if m, ok := req.(proto.Message); ok {
		size = int64(proto.Size(m))
	}
	requests, bytes := f.requests.Add(1), f.bytes.Add(size)
	leave = func() {
		f.requests.Add(-1)
		f.bytes.Add(-size)
	}
	switch {
	case requests > int64(f.cfg.MaxRequests):
		refused = tooMany(f.cfg.MaxRequests)
	case bytes > f.cfg.MaxRequestsBytes && bytes > size:
		refused = overloaded("MaxRequestsBytes", fmt.Sprintf("%d bytes of requests", f.cfg.MaxRequestsBytes))
	case f.answers.Load() >= f.cfg.MaxAnswersBytes && reads(req):
		refused = overloaded("MaxAnswersBytes", fmt.Sprintf("%d bytes of answers that clients have not taken", f.cfg.MaxAnswersBytes))
	default:
		return leave, nil
	}
	leave()
	return nil, refused
}

// reads says whether a request changes nothing, so that its answer may be withheld.
func reads(req any) bool {
	switch r := req.(type) {
	case *pb.RangeRequest:
		return true
	case *pb.TxnRequest:
		return kv.ReadOnly(r)
	default:
		return false
	}
}

// lease is an answer's place among those under way. It is given back once: when the
// last byte of it has left, or its client.
type lease struct {
	inflight *inflight
	client   string // if the answer is large
	size     int64
	over     atomic.Bool
}

// answer makes room for an answer. Of a read it may be refused; whatever was done is
// told in any case. An answer that is alone, of its client or of all, is never too much.
func (f *inflight) answer(ctx context.Context, req any, size int) (*lease, error) {
	l := &lease{inflight: f, size: int64(size)}
	limit := f.cfg.MaxAnswersBytes
	if all := f.answers.Add(l.size); all > limit && all > l.size && reads(req) {
		f.answers.Add(-l.size)
		return nil, overloaded("MaxAnswersBytes", fmt.Sprintf("%d bytes of answers that clients have not taken", limit))
	}
	if size < largeAnswer {
		return l, nil
	}
	if p, ok := peer.FromContext(ctx); ok && p.Addr != nil {
		l.client = p.Addr.String()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	mine := f.clients[l.client]
	if share := limit / clientShares; mine > 0 && mine+l.size > share && reads(req) {
		f.answers.Add(-l.size)
		return nil, overloaded("MaxAnswersBytes", fmt.Sprintf("%d bytes of answers that this client has not taken, its share of %d", share, limit))
	}
	f.clients[l.client] = mine + l.size
	return l, nil
}

func (l *lease) release() {
	if l.over.Swap(true) {
		return
	}
	f := l.inflight
	f.answers.Add(-l.size)
	if l.size < largeAnswer {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.clients[l.client] -= l.size; f.clients[l.client] <= 0 {
		delete(f.clients, l.client)
	}
}

func overloaded(limit, what string) error {
	return outcome.Attach(status.Convert(rpctypes.ErrGRPCRequestTooManyRequests), outcome.Info{
		Reason: reasonName(actors.ReasonOverloaded), Limit: limit, RetryAfter: overloadPause,
		Detail: fmt.Sprintf("refused, since %s are under way at this server, its %s; nothing was done; back off and retry", what, limit),
	}).Err()
}

// bounds says whether the method's requests are bounded here.
func bounds(method string) bool { return strings.HasPrefix(method, keyValueService) }

// flight is around a request that is bounded.
func (s *Server) flight(ctx context.Context, req any, handle grpc.UnaryHandler) (any, error) {
	leave, err := s.inflight.admit(ctx, req)
	if err != nil {
		return nil, err
	}
	defer leave()
	response, err := handle(ctx, req)
	m, ok := response.(proto.Message)
	if err != nil || !ok {
		return response, err
	}
	l, err := s.inflight.answer(ctx, req, proto.Size(m))
	if err != nil {
		return nil, err
	}
	return &leased{message: m, lease: l}, nil
}
