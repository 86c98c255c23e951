package remoting

import (
	"context"
	"errors"
	"io"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"castaway/actors"
	"castaway/messages"
)

// outgoing is the stream to a peer, as protoactor's writer sees it. It hides what
// the writer is bad at:
//
//   - A failed attempt to connect would make it sleep for two seconds. So the
//     attempts are made here, until one succeeds or the node stops.
//   - It would tell of one loss several times, each time hitting the connection
//     made since. So an outgoing ends with exactly one error, or, when the writer
//     itself closed it, with none.
//   - It would wait without limit for a peer that takes no bytes, and then deliver
//     what has become old.
//   - It counts a batch in messages; the peer limits bytes.
type outgoing struct {
	remoting *Remoting
	link     *link
	open     func(context.Context) (grpc.ClientStream, error)

	cancel   context.CancelFunc
	stream   grpc.ClientStream // nil until connected
	answer   *remote.RemoteMessage
	watchdog *time.Timer
	failed   atomic.Bool // a send failed; the writer stops without a word
	closed   atomic.Bool // by the writer
}

var (
	errAbandoned = errors.New("remoting: nobody wants to reach the peer any more")
	errPeerLeft  = errors.New("remoting: the peer says goodbye")
)

// connect is a stream interceptor on the dialing side.
func (r *Remoting) connect(_ context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, streamer grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	l := r.linkAt(cc.Target())
	if l == nil {
		return nil, status.Errorf(codes.PermissionDenied, "%s is no peer's address", cc.Target())
	}
	o := &outgoing{remoting: r, link: l, cancel: func() {}}
	o.open = func(ctx context.Context) (grpc.ClientStream, error) { return streamer(ctx, desc, cc, method, opts...) }
	l.pending.Store(o)
	l.orphans.Store(0)
	return o, nil
}

// SendMsg implements grpc.ClientStream. The first message is protoactor's request
// to connect, and takes as long as it takes.
func (o *outgoing) SendMsg(m any) (err error) {
	if o.stream == nil {
		o.persist(m)
		return nil
	}
	defer func() {
		if p := recover(); p != nil {
			o.remoting.cfg.Logger.Error("sending to a peer panicked; its connection is made anew",
				"node", o.remoting.cfg.ID, "peer", o.link.id, "panic", p, "stack", string(debug.Stack()))
			err = status.Error(codes.Internal, "panic")
		}
		if err != nil {
			o.failed.Store(true)
			o.cancel()
		}
	}()
	batch := m.(*remote.RemoteMessage).GetMessageBatch()
	if batch == nil {
		return o.write(m)
	}
	return o.remoting.split(o.link.id, batch, func(part *remote.MessageBatch) error {
		return o.write(&remote.RemoteMessage{MessageType: &remote.RemoteMessage_MessageBatch{MessageBatch: part}})
	})
}

// write sends within SendTimeout, or breaks the connection.
func (o *outgoing) write(m any) error {
	o.watchdog.Reset(o.remoting.cfg.Limits.SendTimeout)
	defer o.watchdog.Stop()
	return o.stream.SendMsg(m)
}

// persist connects. When the link ends meanwhile, as with the node, it panics: protoactor's
// supervisor then stops the writer at once, while after an error it would sleep.
func (o *outgoing) persist(request any) {
	if c := request.(*remote.RemoteMessage).GetConnectRequest().GetServerConnection(); c != nil {
		c.SystemId = claim{o.remoting.cfg.ClusterID, o.remoting.cfg.ID}.String()
	}
	for {
		err := o.attempt(request)
		if err == nil {
			o.link.live.Store(o)
			o.link.pending.CompareAndSwap(o, nil)
			return
		}
		wait := o.remoting.cfg.Limits.DialPause
		if code := status.Code(err); code == codes.PermissionDenied || code == codes.ResourceExhausted {
			wait = refusedPause
		}
		if !pause(o.link.lifetime, wait) {
			o.link.pending.CompareAndSwap(o, nil)
			panic(errAbandoned)
		}
		o.remoting.stats.connectFailed(o.link.id, err)
	}
}

// refusedPause lies between attempts while the peer refuses us: somebody has to
// change something first.
const refusedPause = time.Second

func (o *outgoing) attempt(request any) error {
	ctx, cancel := context.WithCancel(o.link.lifetime)
	stream, err := o.open(ctx)
	if err != nil {
		cancel()
		return err
	}
	watchdog := time.AfterFunc(o.remoting.cfg.Limits.ConnectTimeout, cancel)
	answer := &remote.RemoteMessage{}
	if err = stream.SendMsg(request); err == nil || errors.Is(err, io.EOF) {
		err = stream.RecvMsg(answer) // which has the reason, too, if sending failed
	}
	if err == nil && (answer.GetConnectResponse() == nil || answer.GetConnectResponse().GetBlocked()) {
		err = status.Error(codes.PermissionDenied, "the peer does not answer as a node does")
	}
	if !watchdog.Stop() && err == nil {
		err = context.DeadlineExceeded
	}
	if err != nil {
		cancel()
		return err
	}
	o.cancel, o.stream, o.answer, o.watchdog = cancel, stream, answer, watchdog
	return nil
}

// RecvMsg implements grpc.ClientStream. Peers have nothing to say here but that
// they leave; that, or an error, ends the connection.
func (o *outgoing) RecvMsg(m any) error {
	if o.answer != nil {
		m.(*remote.RemoteMessage).MessageType = o.answer.MessageType
		o.answer = nil
		return nil
	}
	for {
		err := o.stream.RecvMsg(m)
		if err == nil && m.(*remote.RemoteMessage).GetDisconnectRequest() != nil {
			err = errPeerLeft
		}
		if err != nil {
			return o.ended(err)
		}
	}
}

// ended makes sure that nothing more is sent here, and that protoactor is told
// of the loss unless it knows.
func (o *outgoing) ended(err error) error {
	o.cancel()
	was := o.link.live.CompareAndSwap(o, nil)
	if !o.closed.Load() || o.failed.Load() {
		if errors.Is(err, io.EOF) {
			return errPeerLeft
		}
		return err // protoactor publishes it, and then the transport hears of it
	}
	if was {
		o.remoting.tell(actors.PeerTerminated{ID: o.link.id})
	}
	return io.EOF
}

// CloseSend implements grpc.ClientStream; the writer calls it when it stops.
func (o *outgoing) CloseSend() error {
	o.closed.Store(true)
	o.link.pending.CompareAndSwap(o, nil)
	defer o.cancel()
	if o.stream == nil {
		return nil
	}
	return o.stream.CloseSend()
}

// Header implements grpc.ClientStream; protoactor does not ask.
func (o *outgoing) Header() (metadata.MD, error) { return nil, nil }

// Trailer implements grpc.ClientStream; protoactor does not ask.
func (o *outgoing) Trailer() metadata.MD { return nil }

// Context implements grpc.ClientStream.
func (o *outgoing) Context() context.Context { return o.remoting.lifetime }

// split passes a batch on in parts of at most BatchBytes, without what is too old
// or too large. A single envelope may be larger than a part.
func (r *Remoting) split(to peerID, batch *remote.MessageBatch, write func(*remote.MessageBatch) error) error {
	counters := r.stats.peer(to)
	part := &remote.MessageBatch{TypeNames: batch.TypeNames, Targets: batch.Targets, Senders: batch.Senders}
	size := 0
	flush := func() error {
		if len(part.Envelopes) == 0 {
			return nil
		}
		counters.batchesOut.Add(1)
		counters.bytesOut.Add(uint64(size))
		err := write(part)
		part.Envelopes, size = part.Envelopes[:0], 0
		return err
	}
	for _, e := range batch.Envelopes {
		n := len(e.MessageData)
		switch {
		case n == 0: // see letter
			counters.stale.Add(1)
			continue
		case n > messages.MaxEnvelopeBytes:
			r.stats.drop(to, dropOutsized, "bytes", n, "limit", messages.MaxEnvelopeBytes)
			continue
		case size > 0 && size+n > r.cfg.Limits.BatchBytes:
			if err := flush(); err != nil {
				return err
			}
		}
		part.Envelopes = append(part.Envelopes, e)
		size += n
	}
	return flush()
}
