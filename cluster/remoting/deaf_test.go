package remoting

import (
	"net"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
)

// deaf is a node that connects and then takes nothing: its kernel and its gRPC
// live, and acknowledge.
type deaf struct {
	remote.UnimplementedRemotingServer
}

func (deaf) Receive(stream remote.Remoting_ReceiveServer) error {
	if _, err := stream.Recv(); err != nil {
		return err
	}
	err := stream.Send(&remote.RemoteMessage{MessageType: &remote.RemoteMessage_ConnectResponse{ConnectResponse: &remote.ConnectResponse{}}})
	<-stream.Context().Done()
	return err
}

// TCP sees nothing wrong with such a peer; SendTimeout does.
func TestAPeerThatIsDeafLosesItsConnection(t *testing.T) {
	peers := freeAddresses(t, 1, 2)
	l, err := net.Listen("tcp", peers[2])
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	remote.RegisterRemotingServer(server, deaf{})
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	defer func() { server.Stop(); <-served }()

	a := newNode(t, 1, peers, func(c *Config) { c.Limits.SendTimeout = 200 * time.Millisecond })
	a.awaitUp(2, true)
	for i := range uint64(50) {
		a.remoting.Send(2, bulk(1, 2, i, 64<<10))
	}
	began := time.Now()
	a.awaitUp(2, false)
	if took := time.Since(began); took > 8*time.Second {
		t.Errorf("its connection was dropped after %v", took)
	}
	a.stop()
}
