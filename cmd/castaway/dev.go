package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/lmittmann/tint"
	"github.com/spf13/cobra"
)

// Bounds of dev.
const (
	maxDevNodes     = 15
	devPatience     = 30 * time.Second // for the first leader
	devKey          = "castaway/dev"
	devLogFile      = "castaway.log"
	defaultDevNodes = 5
)

type devOptions struct {
	nodes    int
	dir      string
	duration time.Duration
}

const devLong = `Run a whole cluster in this process, to play with: real servers, real remoting and disks, on loopback.

It prints where the servers are and what to try, writes a key and reads it back, and then tells who leads, until Ctrl-C.
The data stays in its directory; with the same --data-dir the same cluster goes on where it was.
The servers' own log, from warnings up, is in castaway.log there.`

func (a *app) devCommand() *cobra.Command {
	var o devOptions
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Run a whole cluster in this process, to play with",
		Long:  devLong,
		Example: `# Five servers, until Ctrl-C
castaway dev

# Three servers for half a minute, on data that stays
castaway dev --nodes 3 --for 30s --data-dir ./data`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := a.tellsOn(cmd, "`castaway status -o json` shows its servers"); err != nil {
				return err
			}
			return a.dev(cmd.Context(), cmd.Flags().Changed("nodes"), o)
		},
	}
	cmd.Flags().IntVar(&o.nodes, "nodes", defaultDevNodes, "how many servers")
	cmd.Flags().StringVar(&o.dir, "data-dir", "", "where the data goes; a new temporary directory if empty")
	cmd.Flags().DurationVar(&o.duration, "for", 0, "end after this time; run until Ctrl-C if zero")
	return cmd
}

func (a *app) dev(ctx context.Context, nodesGiven bool, o devOptions) (err error) {
	if o.nodes < 1 || o.nodes > maxDevNodes {
		return usagef("castaway dev", "--nodes %d is out of bounds; use 1 to %d", o.nodes, maxDevNodes)
	}
	if o.dir, err = devDir(o.dir); err != nil {
		return err
	}
	logFile, err := os.OpenFile(filepath.Join(o.dir, devLogFile), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, logFile.Close()) }()
	s := newStory(a.out)
	d := &devCluster{dir: o.dir, watch: s.watch,
		log: slog.New(tint.NewTextHandler(logFile, &tint.Options{Level: slog.LevelWarn, TimeFormat: time.StampMilli, NoColor: true}))}
	if d.plan, d.again, err = planDev(o.dir, o.nodes); err != nil {
		return err
	}
	if nodesGiven && len(d.plan) != o.nodes {
		return usagef("castaway dev", "%s holds a cluster of %d servers; leave out --nodes, or use another --data-dir", o.dir, len(d.plan))
	}
	a.introduce(d)
	if err := d.start(ctx); err != nil {
		if errors.Is(err, context.Canceled) && ctx.Err() != nil {
			return nil // Ctrl-C; what had started is stopped
		}
		return err
	}
	if o.duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.duration)
		defer cancel()
	}
	err = a.devRun(ctx, d, s)
	fmt.Fprintf(a.out, "\nstopping …\n")
	if err = errors.Join(err, d.stop()); err == nil {
		fmt.Fprintf(a.out, "stopped. The data stays in %s\n", o.dir)
	}
	return err
}

// devDir makes the data directory; a temporary one if none was named.
func devDir(dir string) (string, error) {
	if dir == "" {
		return os.MkdirTemp("", "castaway-dev-")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	return filepath.Abs(dir)
}

// devRun waits for a leader, shows that it works, and tells on until ctx ends.
func (a *app) devRun(ctx context.Context, d *devCluster, s *story) error {
	patience, cancel := context.WithTimeout(ctx, devPatience)
	defer cancel()
	if err := s.untilLeader(patience); err != nil {
		if ctx.Err() != nil {
			return nil // told to end before there was one
		}
		return err
	}
	if err := a.demonstrate(patience, d.endpoints()); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("the cluster runs, but writing a key and reading it back failed: %w", err)
	}
	a.nextSteps(d)
	telling, enough := context.WithCancelCause(ctx)
	go func() {
		select {
		case node := <-d.anyDone():
			enough(fmt.Errorf("node %d ended by itself: %w", node.ID(), node.Err()))
		case <-telling.Done():
		}
	}()
	s.until(telling)
	enough(nil)
	if cause := context.Cause(telling); ctx.Err() == nil {
		return cause
	}
	return nil
}

func (a *app) introduce(d *devCluster) {
	what := "a new cluster"
	if d.again {
		what = "the cluster that was here before,"
	}
	servers := "one server"
	if len(d.plan) > 1 {
		servers = fmt.Sprintf("%d servers", len(d.plan))
	}
	fmt.Fprintf(a.out, "castaway dev: %s of %s in this process\ndata: %s (it stays there; remove it when you are done)\n\n", what, servers, d.dir)
	rows := make([][]string, 0, len(d.plan))
	for _, n := range d.plan {
		rows = append(rows, []string{fmt.Sprintf("node %d", n.ID), n.Client, "http://" + n.HTTP, n.Peer})
	}
	_ = printTable(a.out, []string{"SERVER", "CLIENTS (etcd v3 gRPC)", "HTTP", "PEERS"}, rows)
	fmt.Fprintln(a.out)
}

func (a *app) nextSteps(d *devCluster) {
	me := invocation()
	fmt.Fprintf(a.out, `
Try, in another terminal:
  export CASTAWAY_ENDPOINTS=%s
  %[2]s put greeting ahoy
  %[2]s get greeting
  %[2]s status
  %[2]s bench --duration 5s
  curl 'http://%[3]s/readyz?verbose'
  etcdctl --endpoints "$CASTAWAY_ENDPOINTS" get greeting      # any etcd v3 client will do

Ctrl-C stops it. What happens from here on:
`, strings.Join(d.endpoints(), ","), me, d.plan[0].HTTP)
}

// invocation is how this program was probably called.
func invocation() string {
	if path, err := os.Executable(); err == nil && strings.Contains(path, "go-build") {
		return "go run ./cmd/castaway"
	}
	return "castaway"
}
