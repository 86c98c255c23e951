package cluster_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"castaway/cluster"
	"castaway/cluster/client"
	"castaway/cluster/config"
)

func ExampleStart() {
	dir, err := os.MkdirTemp("", "castaway-example-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)

	cfg := config.Default() // a cluster of one, on loopback
	cfg.DataDir = dir
	cfg.ListenClient, cfg.ListenHTTP = "127.0.0.1:0", "127.0.0.1:0"
	cfg.Peers[0].Address, cfg.ListenPeer, cfg.AdvertisePeer = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	cfg.TickInterval = 4 * time.Millisecond
	node, err := cluster.Start(context.Background(), cluster.Config{Config: cfg, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer node.Stop(context.Background())

	c, err := client.New(client.Options{Endpoints: []string{node.ClientAddress()}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	put, err := c.Put(context.Background(), "greeting", []byte("ahoy"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("done, at revision", put.Header.Revision)
	// Output: done, at revision 2
}
