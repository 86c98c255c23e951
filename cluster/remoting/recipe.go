package remoting

import (
	"context"
	"net"
	"time"

	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
)

// The times by which gRPC notices a peer that is gone. Ten seconds is the least
// that it lets a client ask for; the transport's silence limit is faster, and
// these are for when nobody sends.
const (
	pingEvery       = 10 * time.Second
	pingTimeout     = time.Second
	serverPingEvery = 2 * time.Second
	minPingEvery    = time.Second
)

// maxHeaderBytes bounds the header of a call; ours have none of their own.
const maxHeaderBytes = 8 << 10

// recipe is how protoactor's remoting has to be set up to connect within
// milliseconds of a peer's return, and not to be brought down by a client.
func (r *Remoting) recipe() *remote.Config {
	h, port := r.listenAt()
	config := remote.Configure(h, port,
		remote.WithAdvertisedHost(r.self),
		remote.WithEndpointWriterBatchSize(r.cfg.Limits.BatchMessages),
		remote.WithEndpointWriterQueueSize(queueMessages),
		remote.WithDialOptions(r.dialOptions()...),
		remote.WithCallOptions(grpc.WaitForReady(true)),
		remote.WithServerOptions(r.serverOptions()...),
	)
	config.MaxRetryCount = 1 // trying again is ours: see outgoing
	return config
}

func (r *Remoting) dialOptions() []grpc.DialOption {
	limits := &r.cfg.Limits
	flat := backoff.Config{BaseDelay: limits.DialPause, Multiplier: 1, MaxDelay: limits.DialPause}
	secure := insecure.NewCredentials()
	if r.tls != nil {
		secure = &dialCredentials{credentials.NewTLS(r.tls), r}
	}
	return []grpc.DialOption{
		grpc.WithTransportCredentials(secure),
		grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
			return limits.dial(ctx, address)
		}),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: flat, MinConnectTimeout: limits.ConnectTimeout}),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: pingEvery, Timeout: pingTimeout, PermitWithoutStream: true}),
		grpc.WithStreamInterceptor(r.connect),
		grpc.WithIdleTimeout(0),
		grpc.WithDisableServiceConfig(),
	}
}

func (r *Remoting) serverOptions() []grpc.ServerOption {
	options := []grpc.ServerOption{
		grpc.ForceServerCodecV2(boundedCodec{batch: r.cfg.Limits.BatchMessages}),
		grpc.MaxRecvMsgSize(r.cfg.Limits.maxReceiveBytes()),
		grpc.MaxHeaderListSize(maxHeaderBytes),
		grpc.MaxConcurrentStreams(4),
		grpc.ConnectionTimeout(r.cfg.Limits.ConnectTimeout),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: minPingEvery, PermitWithoutStream: true}),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: serverPingEvery, Timeout: pingTimeout}),
		grpc.UnaryInterceptor(r.refuseCall),
		grpc.StreamInterceptor(r.guardStream),
	}
	if r.tls != nil {
		options = append(options, grpc.Creds(credentials.NewTLS(r.tls)))
	}
	return options
}
