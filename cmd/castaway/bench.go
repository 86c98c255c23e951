package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"castaway/cluster/client"
)

// Bounds and defaults of bench.
const (
	maxBenchClients  = 100_000
	maxBenchValue    = 1 << 20
	benchPause       = 10 * time.Millisecond // after an error, so as not to spin
	benchKeyFormat   = "bench/%010d"         // 16 bytes
	clientsPerSocket = 64
)

type benchOptions struct {
	clients, keys, valueSize, connections int
	duration, warmup                      time.Duration
	count                                 int64
	spread                                bool
	groups                                []int
	rate                                  float64
	outstanding                           int
	dir                                   string
}

const benchLong = `Measure throughput and latency with closed loops: every client sends its next request when the last was answered.

put writes random values to random keys under bench/, which stay there. read is linearizable; read-serializable reads
what a server has. Without --spread all clients go to the leader; with it they are spread over all endpoints.
Failed requests are counted by kind, and never repeated. Latencies are of requests that succeeded.

With --rate the loop is open: requests go at that rate, however long the answers take, and the latencies count from
when each was due. So one sees what a server does with more than it can carry: what it refuses is counted as such.

With --groups nothing that runs is used: three nodes start in this process, with a store each in a directory that is
removed afterwards, and with as many Raft groups as said, all of which are written to. Each number makes a row, and so
does what the nodes cost at rest.`

func (a *app) benchCommand() *cobra.Command {
	var o benchOptions
	cmd := &cobra.Command{
		Use:       "bench [put|read|read-serializable]",
		Short:     "Measure throughput and latency",
		Long:      benchLong,
		ValidArgs: []string{"put", "read", "read-serializable"},
		Example: `castaway bench
castaway bench read --clients 256 --duration 30s
castaway bench --rate 20000 --connections 8
castaway bench --groups 1,16,256 --clients 1024 --duration 5s
castaway bench put --count 10000 --value-size 1024 -o json`,
		Args: rangeArgs(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			operation := "put"
			if len(args) > 0 {
				operation = args[0]
			}
			if err := o.check(cmd.Flags().Changed("duration")); err != nil {
				return &usageError{command: cmd.CommandPath(), err: err}
			}
			if len(o.groups) > 0 {
				if operation != "put" {
					return usagef(cmd.CommandPath(), "--groups measures put, not %s", operation)
				}
				return a.benchGroups(cmd.Context(), o)
			}
			return a.bench(cmd.Context(), operation, o)
		},
	}
	f := cmd.Flags()
	f.IntVar(&o.clients, "clients", 64, "closed loops at the same time")
	f.IntVar(&o.keys, "keys", 10_000, "different keys")
	f.IntVar(&o.valueSize, "value-size", 256, "bytes of a value")
	f.IntVar(&o.connections, "connections", 0, "connections that the clients share; one for every 64 clients if zero")
	f.DurationVar(&o.duration, "duration", 10*time.Second, "how long to measure")
	f.Int64Var(&o.count, "count", 0, "how many requests to measure, instead of --duration")
	f.DurationVar(&o.warmup, "warm-up", time.Second, "how long to run before measuring")
	f.BoolVar(&o.spread, "spread", false, "spread clients over all endpoints, not all to the leader")
	f.IntSliceVar(&o.groups, "groups", nil, "measure nodes of our own with so many Raft groups, e.g. 1,16,256")
	f.Float64Var(&o.rate, "rate", 0, "requests a second, sent whether or not those before were answered, instead of closed loops")
	f.IntVar(&o.outstanding, "outstanding", 8192, "most requests of --rate that wait for their answers; what would be more is not sent, and counted")
	f.StringVar(&o.dir, "dir", "", "where the nodes of --groups keep their data; the system's directory for temporary files if empty")
	return cmd
}

func (o *benchOptions) check(durationGiven bool) error {
	switch {
	case o.clients < 1 || o.clients > maxBenchClients:
		return fmt.Errorf("--clients %d is out of bounds; use 1 to %d", o.clients, maxBenchClients)
	case o.keys < 1:
		return fmt.Errorf("--keys %d is out of bounds; use at least 1", o.keys)
	case o.valueSize < 0 || o.valueSize > maxBenchValue:
		return fmt.Errorf("--value-size %d is out of bounds; use 0 to %d", o.valueSize, maxBenchValue)
	case o.count < 0, o.duration < 0, o.warmup < 0, o.connections < 0:
		return errors.New("--count, --duration, --warm-up and --connections cannot be negative")
	case o.rate < 0 || o.rate > maxBenchRate:
		return fmt.Errorf("--rate %g is out of bounds; use up to %d", o.rate, maxBenchRate)
	case o.outstanding < 1:
		return fmt.Errorf("--outstanding %d is out of bounds; use at least 1", o.outstanding)
	case o.rate > 0 && len(o.groups) > 0:
		return errors.New("--rate is for servers that run, and --groups for nodes of our own; give one of them")
	case o.count == 0 && o.duration == 0:
		return errors.New("a bench without an end; give --duration or --count")
	}
	if o.count > 0 && !durationGiven {
		o.duration = 0
	}
	if o.connections == 0 {
		o.connections = (o.clients + clientsPerSocket - 1) / clientsPerSocket
	}
	return o.checkGroups()
}

func (a *app) bench(ctx context.Context, operation string, o benchOptions) (err error) {
	connections, err := a.benchConnections(o)
	if err != nil {
		return err
	}
	defer func() {
		for _, c := range connections {
			err = errors.Join(err, c.Close())
		}
	}()
	do, err := benchOperation(operation, connections, o)
	if err != nil {
		return err
	}
	if err := a.reachable(ctx, connections[0]); err != nil {
		return err
	}
	bar := a.progress(o)
	m := load{clients: o.clients, warmup: o.warmup, duration: o.duration, count: o.count, timeout: a.timeout, do: do, kind: benchErrorKind, progress: bar, rate: o.rate, outstanding: o.outstanding}.run(ctx)
	r := benchResult{Operation: operation, Endpoints: a.endpoints, Clients: o.clients, Keys: o.keys, ValueSize: o.valueSize, Rate: o.rate}
	r.take(m)
	if a.json() {
		err = printJSON(a.out, r)
	} else {
		r.print(a.out)
	}
	if err == nil && m.done == 0 {
		return errors.New("not one request succeeded")
	}
	return err
}

// reachable fails early, with the reason, when there is nothing to measure.
func (a *app) reachable(ctx context.Context, c *client.Client) error {
	ctx, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	_, err := c.Get(ctx, fmt.Sprintf(benchKeyFormat, 0), client.CountOnly())
	if err == nil {
		return nil
	}
	return fmt.Errorf("there is nothing to measure, since no server at %s answers a read: %w",
		strings.Join(a.endpoints, ","), err)
}

// benchConnections makes clients of the cluster that do not repeat anything. With
// spread, each has one endpoint, in turn.
func (a *app) benchConnections(o benchOptions) ([]*client.Client, error) {
	connections := make([]*client.Client, 0, o.connections)
	for i := range max(o.connections, spreadOver(o, a.endpoints)) {
		endpoints := a.endpoints
		if o.spread {
			endpoints = []string{a.endpoints[i%len(a.endpoints)]}
		}
		c, err := a.connect(client.RetryPolicy{MaxAttempts: 1}, endpoints...)
		if err != nil {
			return nil, err
		}
		connections = append(connections, c)
	}
	return connections, nil
}

func spreadOver(o benchOptions, endpoints []string) int {
	if o.spread {
		return len(endpoints)
	}
	return 1
}

func benchOperation(operation string, connections []*client.Client, o benchOptions) (func(context.Context, int, int64) error, error) {
	value := make([]byte, o.valueSize)
	if _, err := rand.Read(value); err != nil {
		return nil, err
	}
	var options []client.GetOption
	switch operation {
	case "put", "read":
	case "read-serializable":
		options = append(options, client.Serializable())
	default:
		return nil, usagef("castaway bench", "there is nothing to measure called %q; use put, read or read-serializable", operation)
	}
	return func(ctx context.Context, i int, n int64) error {
		c := connections[i%len(connections)]
		key := fmt.Sprintf(benchKeyFormat, spreadKey(i, n, o.keys))
		var err error
		if operation == "put" {
			_, err = c.Put(ctx, key, value)
		} else {
			_, err = c.Get(ctx, key, options...)
		}
		if err != nil {
			time.Sleep(benchPause)
		}
		return err
	}, nil
}

// spreadKey picks a key; the sequence looks random, and is the same in every run.
func spreadKey(i int, n int64, keys int) uint64 {
	x := uint64(i)<<32 + uint64(n)
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return (x ^ x>>31) % uint64(keys)
}

func benchErrorKind(err error) string {
	var failed *client.Error
	if !errors.As(err, &failed) {
		return err.Error()
	}
	kind := "not done"
	if failed.Indeterminate {
		kind = "indeterminate"
	}
	if failed.Reason != "" {
		return kind + ": " + failed.Reason
	}
	return kind + ": " + failed.Code.String()
}

const progressSteps = 1000

// progress draws a bar on a terminal, and nothing elsewhere.
func (a *app) progress(o benchOptions) func(float64, int64) {
	if !isTerminal(a.errs) || a.json() {
		return nil
	}
	bar := progressbar.NewOptions(progressSteps, progressbar.OptionSetWriter(a.errs), progressbar.OptionClearOnFinish(),
		progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false), progressbar.OptionFullWidth())
	start := time.Now()
	return func(share float64, done int64) {
		rate := float64(done) / max(time.Since(start).Seconds()-o.warmup.Seconds(), 0.001)
		bar.Describe(fmt.Sprintf("%d done, %.0f a second", done, rate))
		_ = bar.Set(int(share * progressSteps)) // a bar that cannot be drawn is no reason to fail
	}
}
