package etcdapi

import (
	"context"
	"errors"
	"fmt"
	"net"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
)

// Server is the door. New makes it, Serve opens it, Stop closes it for good.
type Server struct {
	cfg        Config
	grpc       *grpc.Server
	health     *health.Server
	known      known
	leadership Leadership // nil if the group offers none
	// inflight bounds what is under way.
	inflight *inflight
	cancel   func() // ends the watch of the group
	err      error  // of the configuration
}

// New makes a door onto a group. An error in the configuration is returned by
// Serve; Config.Validate tells it before.
func New(cfg Config) *Server {
	cfg.complete()
	s := &Server{cfg: cfg, health: health.NewServer(), cancel: func() {}, err: cfg.Validate()}
	s.inflight = newInflight(&s.cfg)
	s.leadership, _ = cfg.Group.(Leadership)
	s.grpc = grpc.NewServer(s.options()...)
	pb.RegisterKVServer(s.grpc, &keyValue{Server: s})
	pb.RegisterMaintenanceServer(s.grpc, &maintenance{Server: s})
	pb.RegisterClusterServer(s.grpc, &members{Server: s})
	healthpb.RegisterHealthServer(s.grpc, s.health)
	if s.err == nil {
		s.cancel = s.known.watch(cfg.Group)
	}
	return s
}

func (s *Server) options() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.MaxRecvMsgSize(s.cfg.MaxRequestBytes + envelopeBytes),
		grpc.MaxConcurrentStreams(s.cfg.MaxConcurrentStreams),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: s.cfg.KeepaliveMinTime}),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: s.cfg.KeepaliveInterval, Timeout: s.cfg.KeepaliveTimeout}),
		grpc.ForceServerCodecV2(codec{}),
		grpc.InTapHandle(s.inflight.tap),
		grpc.UnaryInterceptor(s.unary),
		grpc.StreamInterceptor(s.stream),
		grpc.UnknownServiceHandler(notServed),
	}
}

// Serve answers clients on a listener, which it closes, until Stop. It may be called
// for several listeners. It returns nil after Stop.
func (s *Server) Serve(l net.Listener) error {
	if s.err != nil {
		return errors.Join(s.err, l.Close())
	}
	if err := s.grpc.Serve(l); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
		return fmt.Errorf("etcdapi: serve clients on %s: %w", l.Addr(), err)
	}
	return nil
}

// SetServing tells the gRPC health service whether to call this server healthy; it
// does unless told otherwise.
func (s *Server) SetServing(serving bool) {
	status := healthpb.HealthCheckResponse_NOT_SERVING
	if serving {
		status = healthpb.HealthCheckResponse_SERVING
	}
	s.health.SetServingStatus("", status)
}

// Stop takes no more requests and waits for those under way, but when ctx ends it
// cuts them off; their clients must take writes for indeterminate.
func (s *Server) Stop(ctx context.Context) error {
	s.cancel()
	s.health.Shutdown()
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.grpc.GracefulStop()
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		s.grpc.Stop()
		<-done
		return fmt.Errorf("etcdapi: requests were cut off when the door was closed: %w", context.Cause(ctx))
	}
}
