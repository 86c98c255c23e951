package etcdapi

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"castaway/cluster/etcdapi/outcome"
)

// errRequestTimeout ends a request that outlives RequestTimeout.
var errRequestTimeout = errors.New("etcdapi: the request took longer than RequestTimeout")

// unary is around every request but streams.
func (s *Server) unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (response any, err error) {
	defer func() {
		if p := recover(); p != nil {
			response, err = nil, s.panicked(info.FullMethod, p)
		}
	}()
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	if bounds(info.FullMethod) {
		response, err = s.flight(ctx, req, handle)
	} else {
		response, err = handle(ctx, req)
	}
	if err != nil && status.Code(err) == codes.Unimplemented {
		err = clearer(info.FullMethod, err)
	}
	return response, err
}

// bounded gives a deadline to a request whose client has set none.
func (s *Server) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, bounded := ctx.Deadline(); bounded {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, s.cfg.RequestTimeout, errRequestTimeout)
}

// stream is around every stream.
func (s *Server) stream(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = s.panicked(info.FullMethod, p)
		}
	}()
	if err = handle(srv, stream); err != nil && status.Code(err) == codes.Unimplemented {
		err = clearer(info.FullMethod, err)
	}
	return err
}

// panicked turns a panic into the end of its request. How far the request had come
// is not known.
func (s *Server) panicked(method string, p any) error {
	s.cfg.Logger.Error("a request panicked; its outcome is unknown",
		"method", method, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
	return outcome.Attach(status.New(codes.Internal, "castaway: the request panicked: "+method), outcome.Info{
		Reason:        "PANIC",
		Indeterminate: true,
		Detail:        fmt.Sprintf("%s panicked, see the server's log; find out by reading what has become of it", method),
	}).Err()
}

// notServed answers methods of services that the door does not have.
func notServed(_ any, stream grpc.ServerStream) error {
	method, _ := grpc.MethodFromServerStream(stream)
	return unserved(method)
}

// unserved says that a method is not there, and what is.
func unserved(method string) error {
	return outcome.Attach(status.Newf(codes.Unimplemented,
		"castaway: %s is not served; what is: KV but for Compact, Maintenance.Status, MoveLeader and the list of alarms, Cluster; without leases", method),
		outcome.Info{Reason: "UNIMPLEMENTED", Detail: method + " is not served by castaway"}).Err()
}

// clearer replaces what generated code says of a method that is not there.
func clearer(method string, err error) error {
	if _, ours := outcome.Of(status.Convert(err)); ours {
		return err
	}
	return unserved(method)
}
