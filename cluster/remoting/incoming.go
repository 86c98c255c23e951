package remoting

import (
	"context"
	"errors"
	"io"
	"runtime/debug"
	"time"

	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"castaway/messages"
)

// refuseCall answers every unary call. protoactor's own answers panic.
func (r *Remoting) refuseCall(_ context.Context, _ any, info *grpc.UnaryServerInfo, _ grpc.UnaryHandler) (any, error) {
	r.stats.drop(nobody, dropCall, "method", info.FullMethod)
	return nil, status.Errorf(codes.Unimplemented, "%s is not served", info.FullMethod)
}

// guardStream stands around protoactor's reader: it bounds how many streams
// there are, puts the firewall in front of it, and recovers its panics.
func (r *Remoting) guardStream(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) (err error) {
	r.mu.RLock()
	if r.closed {
		r.mu.RUnlock()
		return status.Error(codes.Unavailable, "the node stops")
	}
	r.streams.Add(1)
	r.mu.RUnlock()
	defer r.streams.Done()
	defer func() {
		if p := recover(); p != nil {
			r.stats.drop(nobody, dropPanic, "panic", p, "stack", string(debug.Stack()))
			err = status.Error(codes.Internal, "the node recovered from a panic")
		}
	}()
	if open := r.stats.openStreams.Add(1); open > int64(r.cfg.Limits.MaxStreams) {
		r.stats.openStreams.Add(-1)
		r.stats.drop(nobody, dropStreams, "limit", r.cfg.Limits.MaxStreams)
		return status.Errorf(codes.ResourceExhausted, "Limits.MaxStreams = %d is reached", r.cfg.Limits.MaxStreams)
	}
	defer r.stats.openStreams.Add(-1)
	in := &incoming{ServerStream: stream, remoting: r}
	defer in.leave()
	return next(srv, in)
}

// incoming is a stream from a node, or from somebody who can reach the port.
// protoactor's reader gets nothing from it but one request to connect that is in
// order: it would take any index for its own, crash on types that it does not
// know, and stop any actor for whoever asks. The envelopes are taken out here, and
// go to the attached transport.
type incoming struct {
	grpc.ServerStream
	remoting *Remoting
	from     peerID // nobody until connected
}

// RecvMsg implements grpc.ServerStream.
func (in *incoming) RecvMsg(m any) error {
	message, ok := m.(*remote.RemoteMessage)
	if !ok {
		return status.Error(codes.Internal, "not a message of the remoting")
	}
	for {
		if err := in.receive(message); err != nil {
			return err
		}
		switch kind := message.GetMessageType().(type) {
		case *remote.RemoteMessage_ConnectRequest:
			return in.admit(kind.ConnectRequest)
		case *remote.RemoteMessage_MessageBatch:
			if in.from == nobody {
				in.remoting.stats.drop(nobody, dropUnconnected)
				continue
			}
			in.remoting.accept(in.from, kind.MessageBatch)
		default:
			in.remoting.stats.drop(in.from, dropControl, "message", typeOf(kind))
		}
	}
}

// receive reads the next message. Before a node has said who it is, it has only
// ConnectTimeout for that.
func (in *incoming) receive(m *remote.RemoteMessage) error {
	if in.from != nobody {
		return in.counted(in.ServerStream.RecvMsg(m))
	}
	first, read := &remote.RemoteMessage{}, make(chan error, 1)
	go func() { read <- in.ServerStream.RecvMsg(first) }() // ends with the stream
	timer := time.NewTimer(in.remoting.cfg.Limits.ConnectTimeout)
	defer timer.Stop()
	select {
	case err := <-read:
		m.MessageType = first.MessageType
		return in.counted(err)
	case <-timer.C:
		in.remoting.stats.drop(nobody, dropUnconnected)
		return status.Error(codes.DeadlineExceeded, "no request to connect came in time")
	}
}

// counted counts the errors that a peer made; gRPC closes the stream on them.
func (in *incoming) counted(err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	switch status.Code(err) {
	case codes.ResourceExhausted:
		in.remoting.stats.drop(in.from, dropOversized, "error", err)
	case codes.Internal:
		in.remoting.stats.drop(in.from, dropGarbage, "error", err)
	}
	return err
}

// admit lets a node in that says who it is: under the address that we know it by, or
// as one of our cluster that we do not know. Its certificate must say so, too.
func (in *incoming) admit(request *remote.ConnectRequest) error {
	r := in.remoting
	address, said := request.GetServerConnection().GetAddress(), parseClaim(request.GetServerConnection().GetSystemId())
	l, why, err := r.meet(address, said, func(id peerID) error { return r.certified(in.Context(), id) })
	switch {
	case err != nil:
		r.stats.drop(r.orNobody(l.id), dropCertificate, "error", err)
		return status.Errorf(codes.PermissionDenied, "node %d takes %s for node %d, and the certificate does not name %s", r.cfg.ID, shortened(address), l.id, NodeName(l.id))
	case l == nil && why == dropStrangers:
		r.stats.drop(nobody, why, "limit", r.cfg.Limits.MaxStrangers)
		return status.Errorf(codes.ResourceExhausted, "Limits.MaxStrangers = %d is reached", r.cfg.Limits.MaxStrangers)
	case l == nil:
		r.stats.drop(nobody, dropStranger, "address", shortened(address))
		return status.Errorf(codes.PermissionDenied, "node %d at %s knows no peer at %q of its cluster; give every node the same list of peers, each with the one address that it advertises", r.cfg.ID, r.self, shortened(address))
	}
	was := in.from
	if was != nobody {
		r.part(l.id) // this stream is counted already, or refused
	}
	if was != nobody && was != l.id {
		r.stats.drop(was, dropControl, "message", "a second request to connect")
		return status.Error(codes.PermissionDenied, "a stream belongs to one node")
	}
	in.from = l.id
	return nil
}

// leave ends what admit began.
func (in *incoming) leave() {
	if in.from != nobody {
		in.remoting.part(in.from)
	}
}

// orNobody keeps what strangers say of themselves out of what is kept by peer.
func (r *Remoting) orNobody(id peerID) peerID {
	if r.link(id) == nil {
		return nobody
	}
	return id
}

// accept passes a batch's good envelopes on to the transport.
func (r *Remoting) accept(from peerID, batch *remote.MessageBatch) {
	counters := r.stats.peer(from)
	counters.batchesIn.Add(1)
	inspect(batch, r.self, from, r.cfg.Limits.BatchMessages, func(e *messages.Envelope, size int) {
		to := r.attached.Load()
		if to == nil {
			r.stats.drop(from, dropUnattached)
			return
		}
		counters.bytesIn.Add(uint64(size))
		to.send(e)
	}, func(why reason, detail any) {
		r.stats.drop(from, why, "detail", detail)
	})
}
