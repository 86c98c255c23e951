package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// bench is what `castaway bench -o json` says.
type bench struct {
	Seconds   float64 `json:"seconds"`
	Offered   int64   `json:"offered"`
	Done      int64   `json:"done"`
	PerSecond float64 `json:"per_second"`
	Latency   struct {
		P50 float64 `json:"p50"`
		P99 float64 `json:"p99"`
	} `json:"latency_ms"`
	Errors map[string]int64 `json:"errors"`
}

var connections, outstanding int

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "overload:", err)
		os.Exit(1)
	}
}

func run() error {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	binary := flag.String("castaway", "castaway", "the binary")
	dir := flag.String("dir", "", "where the servers keep their data; a temporary directory if empty")
	seconds := flag.Int("seconds", 10, "how long each round is")
	factors := flag.String("factors", "1,2,10", "multiples of what the cluster carries")
	clients := flag.Int("clients", 256, "closed loops that measure what it carries")
	operation := flag.String("operation", "put", "what to do: put or read")
	flag.IntVar(&connections, "connections", 16, "connections that the open loop sends over")
	flag.IntVar(&outstanding, "outstanding", 12_000, "most requests of the open loop that wait for their answers")
	split := flag.Bool("split", true, "run the servers on CPU 0 and the clients on the others, so that what is offered takes nothing from those who serve")
	flag.Parse()
	dataDir, err := os.MkdirTemp(*dir, "castaway-overload-")
	if err == nil {
		var s *servers
		if s, err = startServers(ctx, *binary, dataDir, *split); err == nil {
			err = s.measure(ctx, *operation, *factors, *seconds, *clients)
			s.stop()
		}
		err = errors.Join(err, os.RemoveAll(dataDir))
	}
	return err
}

func (s *servers) measure(ctx context.Context, operation, factors string, seconds, clients int) error {
	if err := s.ready(ctx); err != nil {
		return err
	}
	duration := fmt.Sprintf("%ds", seconds)
	var carried bench
	if err := s.run(ctx, &carried, "bench", operation, "--clients", strconv.Itoa(clients), "--duration", duration); err != nil {
		return err
	}
	fmt.Printf("a closed loop of %d clients gets %.0f %ss a second done\n\n", clients, carried.PerSecond, operation)
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "load\toffered/s\tsent/s\tdone/s\tof the closed loop\trefused/s\tother errors/s\tp50 ms\tp99 ms\tservers' CPU %\tmost memory MB\telections\t")
	for factor := range strings.SplitSeq(factors, ",") {
		times, err := strconv.ParseFloat(factor, 64)
		if err != nil {
			return fmt.Errorf("-factors: %w", err)
		}
		before, err := s.term(ctx)
		if err != nil {
			return err
		}
		stop, cpu := s.watch(), s.cpu()
		var b bench
		err = s.run(ctx, &b, "bench", operation, "--rate", fmt.Sprintf("%.0f", times*carried.PerSecond),
			"--clients", strconv.Itoa(clients), "--connections", strconv.Itoa(connections), "--outstanding", strconv.Itoa(outstanding), "--duration", duration)
		memory, used := stop(), s.cpu()-cpu
		if err != nil {
			return err
		}
		after, err := s.term(ctx)
		if err != nil {
			return err
		}
		refused, notSent, other := b.failures()
		fmt.Fprintf(t, "%s×\t%.0f\t%.0f\t%.0f\t%.0f %%\t%.0f\t%.0f\t%.1f\t%.1f\t%.0f\t%d\t%d\t\n", factor, float64(b.Offered)/b.Seconds, (float64(b.Offered)-notSent)/b.Seconds, b.PerSecond,
			100*b.PerSecond/carried.PerSecond, refused/b.Seconds, other/b.Seconds, b.Latency.P50, b.Latency.P99, 100*used.Seconds()/b.Seconds, memory>>20, after-before)
	}
	return t.Flush()
}

// failures are those that a server refused as overload, those that the client had no
// room for, and all others.
func (b *bench) failures() (refused, notSent, other float64) {
	for kind, n := range b.Errors {
		switch {
		case strings.Contains(kind, "OVERLOADED"):
			refused += float64(n)
		case strings.HasPrefix(kind, "not sent"):
			notSent += float64(n)
		default:
			other += float64(n)
		}
	}
	return refused, notSent, other
}

// ready waits until the servers carry something out.
func (s *servers) ready(ctx context.Context) error {
	const patience, pause = 30 * time.Second, 200 * time.Millisecond
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(pause) {
		var rows []struct {
			Leader uint64 `json:"leader"`
		}
		if err := s.run(ctx, &rows, "status"); err == nil && len(rows) == members && rows[0].Leader != 0 {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return errors.New("the servers have no leader within 30 s")
}
