package remoting_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"

	"github.com/asynkron/protoactor-go/actor"

	"castaway/cluster/remoting"
	"castaway/raft"
)

// A node's remoting is started before its host, which gets it as HostConfig.Network,
// and is stopped after it.
func Example() {
	system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.DiscardHandler)
	}))
	cfg := remoting.DefaultConfig()
	cfg.ID = 1
	cfg.Peers = map[raft.NodeID]string{1: free(), 2: "127.0.0.1:2", 3: "127.0.0.1:3"}
	wire, err := remoting.Start(system, cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("peers:", wire.Peers())
	fmt.Println("stopped:", wire.Stop(context.Background()))

	cfg.Peers[1] = "10.0.0.1:2380"
	_, err = remoting.Start(system, cfg)
	fmt.Println(err)
	// Output:
	// peers: [2 3]
	// stopped: <nil>
	// remoting: plaintext beyond loopback: Listen is 10.0.0.1:2380, and there is no TLS: whoever reaches this port can act as any node, and read, change or destroy all data; give certificates (TLS), listen on loopback, or accept the risk with InsecureNetwork
}

// free is an address that nobody listens on.
func free() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err.Error()
	}
	defer l.Close()
	return l.Addr().String()
}
