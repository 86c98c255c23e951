package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"castaway/actors"
	"castaway/cluster"
	"castaway/cluster/config"
)

// devFile, in the data directory, remembers a dev cluster's addresses: they are part
// of who its members are, so the next run must have the same.
const devFile = "dev.json"

// devNode is where one server of a dev cluster is found.
type devNode struct {
	ID     uint64 `json:"id"`
	Peer   string `json:"peer"`
	Client string `json:"client"`
	HTTP   string `json:"http"`
}

// devCluster is some servers in one process.
type devCluster struct {
	dir   string
	plan  []devNode
	again bool // the directory held a cluster already
	log   *slog.Logger
	watch func(actors.Event)
	nodes []*cluster.Node
}

// planDev finds the addresses of a dev cluster: those that the directory remembers,
// or free ones.
func planDev(dir string, count int) (plan []devNode, again bool, err error) {
	path := filepath.Join(dir, devFile)
	data, err := os.ReadFile(path)
	if err == nil {
		if err := json.Unmarshal(data, &plan); err != nil {
			return nil, false, fmt.Errorf("%s cannot be read: %w; remove the directory to start anew", path, err)
		}
		return plan, true, nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return nil, false, err
	}
	const addressesEach = 3
	free, err := cluster.FreeAddresses(addressesEach * count)
	if err != nil {
		return nil, false, err
	}
	for i := range count {
		at := free[addressesEach*i:]
		plan = append(plan, devNode{ID: uint64(i + 1), Peer: at[0], Client: at[1], HTTP: at[2]})
	}
	if data, err = json.MarshalIndent(plan, "", "  "); err != nil {
		return nil, false, err
	}
	return plan, false, os.WriteFile(path, append(data, '\n'), 0o600)
}

func (d *devCluster) config(n devNode) config.Config {
	c := config.Default()
	c.ID, c.Name, c.ClusterName = n.ID, "node-"+strconv.FormatUint(n.ID, 10), "dev"
	c.DataDir = filepath.Join(d.dir, c.Name)
	c.ListenPeer, c.AdvertisePeer = n.Peer, n.Peer
	c.ListenClient, c.AdvertiseClient = n.Client, n.Client
	c.ListenHTTP = n.HTTP
	c.Peers = nil
	for _, p := range d.plan {
		c.Peers = append(c.Peers, config.Peer{ID: p.ID, Address: p.Peer, Client: p.Client})
	}
	return c
}

// start starts all servers, or none.
func (d *devCluster) start(ctx context.Context) error {
	for _, n := range d.plan {
		node, err := cluster.Start(ctx, cluster.Config{
			Config: d.config(n), Logger: d.log, Version: reportedVersion(), Watch: d.watch,
		})
		if err != nil {
			return errors.Join(err, d.stop())
		}
		d.nodes = append(d.nodes, node)
	}
	return nil
}

// stop stops all servers at the same time, as a power cut would, but in order.
func (d *devCluster) stop() error {
	errs := make([]error, len(d.nodes))
	var wg sync.WaitGroup
	for i, node := range d.nodes {
		wg.Go(func() { errs[i] = stopNode(node, d.config(d.plan[i])) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (d *devCluster) endpoints() []string {
	list := make([]string, len(d.plan))
	for i, n := range d.plan {
		list[i] = n.Client
	}
	return list
}

// anyDone is closed when the first server ends; ended says which one has, and why.
func (d *devCluster) anyDone() <-chan *cluster.Node {
	ended := make(chan *cluster.Node, len(d.nodes))
	for _, node := range d.nodes {
		go func() { <-node.Done(); ended <- node }()
	}
	return ended
}
