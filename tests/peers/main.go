package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

type options struct {
	rounds  int
	seconds float64
	clients []int
	systems []string
	dir     string
	child   childOptions
}

func run() error {
	var o options
	clients := flag.String("clients", "1,16,64,256,1024", "numbers of closed-loop clients, comma-separated")
	systems := flag.String("systems", "castaway,hashicorp", "the systems to measure, in turn")
	flag.IntVar(&o.rounds, "rounds", 3, "rounds; figures are medians over them")
	flag.Float64Var(&o.seconds, "seconds", 5, "seconds a measurement, after one second of warm-up")
	flag.StringVar(&o.dir, "dir", "", "where the data goes; empty: a temporary directory, removed at the end")
	flag.StringVar(&o.child.system, "node", "", "internal: run one voter of this system")
	flag.IntVar(&o.child.id, "id", 0, "internal: the voter's id")
	flag.StringVar(&o.child.dir, "node-dir", "", "internal: the voter's data directory")
	flag.StringVar(&o.child.peers, "peers", "", "internal: the voters' addresses")
	flag.StringVar(&o.child.profile, "profile", "", "write CPU profiles of the leader into this directory")
	flag.Parse()
	if o.child.system != "" {
		return runChild(o.child)
	}
	for _, c := range strings.Split(*clients, ",") {
		n, err := strconv.Atoi(c)
		if err != nil || n < 1 {
			return fmt.Errorf("-clients: %q is not a positive number", c)
		}
		o.clients = append(o.clients, n)
	}
	o.systems = strings.Split(*systems, ",")
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	return measure(ctx, o)
}

// measure runs every system in turn, rounds times, and prints the medians.
func measure(ctx context.Context, o options) error {
	if o.dir == "" {
		dir, err := os.MkdirTemp("", "castaway-peers-")
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(dir) }()
		o.dir = dir
	}
	var results []result
	for round := range o.rounds {
		for _, system := range o.systems {
			rs, err := measureSystem(ctx, o, system, round)
			if err != nil {
				return fmt.Errorf("%s, round %d: %w", system, round+1, err)
			}
			for _, r := range rs {
				fmt.Fprintf(os.Stderr, "round %d  %s\n", round+1, r)
			}
			results = append(results, rs...)
		}
	}
	report(os.Stdout, o, results)
	return nil
}

func measureSystem(ctx context.Context, o options, system string, round int) ([]result, error) {
	c, err := startCluster(ctx, o, system, round)
	if err != nil {
		return nil, err
	}
	defer c.stop()
	leader, err := c.leader(ctx)
	if err != nil {
		return nil, err
	}
	var rs []result
	for _, n := range o.clients {
		if _, err := c.load(ctx, leader, n, time.Second); err != nil {
			return nil, err
		}
		before := c.usage()
		r, err := c.load(ctx, leader, n, time.Duration(o.seconds*float64(time.Second)))
		if err != nil {
			return nil, err
		}
		after := c.usage()
		r.System = system
		r.CPUPerThousand = (after.cpu - before.cpu).Seconds() / float64(r.Writes) * 1000
		r.DiskPerWrite = float64(after.written-before.written) / float64(r.Writes)
		rs = append(rs, r)
	}
	return rs, nil
}
