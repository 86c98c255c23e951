package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/lmittmann/tint"

	"castaway/cluster/fleet"
)

// maxBenchGroups bounds the groups of a fleet.
const maxBenchGroups = 4096

// groupsResult is a row of bench --groups; its JSON names are stable. All figures are
// of three nodes together, in one process, with the clients.
type groupsResult struct {
	Groups  int `json:"groups"`
	Clients int `json:"clients"`
	// Of a load: closed loops, spread over all groups.
	WritesPerSecond   float64          `json:"writes_per_second"`
	Latency           benchLatency     `json:"latency_ms"`
	SyncsPerWrite     float64          `json:"syncs_per_write"`
	EnvelopesPerWrite float64          `json:"envelopes_per_write"`
	Errors            map[string]int64 `json:"errors"`
	// Of doing nothing.
	IdleEnvelopes          float64 `json:"idle_envelopes_per_second"`
	IdleHeartbeats         float64 `json:"idle_heartbeats_per_second"`
	IdleHeartbeatEnvelopes float64 `json:"idle_heartbeat_envelopes_per_second"`
	IdleCPUPercent         float64 `json:"idle_cpu_percent"`
	// Of each group on each node, compared with one group; zero for that.
	GroupBytes      float64 `json:"bytes_per_idle_group_and_node"`
	GroupGoroutines float64 `json:"goroutines_per_idle_group_and_node"`
}

func (o *benchOptions) checkGroups() error {
	for _, n := range o.groups {
		if n < 1 || n > maxBenchGroups {
			return fmt.Errorf("--groups %d is out of bounds; use 1 to %d", n, maxBenchGroups)
		}
	}
	slices.Sort(o.groups)
	o.groups = slices.Compact(o.groups)
	return nil
}

// benchGroups measures a fleet of its own for each row.
func (a *app) benchGroups(ctx context.Context, o benchOptions) error {
	var rows []groupsResult
	for _, groups := range o.groups {
		row, err := a.benchFleet(ctx, groups, o)
		if err != nil {
			return err
		}
		rows = append(rows, row)
	}
	if a.json() {
		return printJSON(a.out, rows)
	}
	printGroups(a.out, rows)
	return nil
}

func (a *app) benchFleet(ctx context.Context, groups int, o benchOptions) (r groupsResult, err error) {
	dir, err := os.MkdirTemp(o.dir, "castaway-bench-")
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	logger := slog.New(tint.NewTextHandler(a.errs, &tint.Options{Level: slog.LevelError, NoColor: !isTerminal(a.errs)}))
	f, err := fleet.Start(fleet.Config{Dir: dir, Logger: logger})
	if err != nil {
		return r, err
	}
	defer func() {
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.timeout)
		defer cancel()
		err = errors.Join(err, f.Err(), f.Stop(stop))
	}()
	if err := f.Grow(ctx, 1); err != nil {
		return r, err
	}
	return a.benchGrown(ctx, f, groups, o)
}

func (a *app) benchGrown(ctx context.Context, f *fleet.Fleet, groups int, o benchOptions) (groupsResult, error) {
	r := groupsResult{Groups: groups, Clients: o.clients}
	alone := f.Memory()
	if err := f.Grow(ctx, groups); err != nil {
		return r, err
	}
	if !settled(ctx, o.warmup) {
		return r, context.Cause(ctx)
	}
	r.idle(ctx, f, alone, o)
	value := make([]byte, o.valueSize)
	if _, err := rand.Read(value); err != nil {
		return r, err
	}
	l := load{
		clients: o.clients, duration: o.duration, count: o.count, timeout: a.timeout, kind: benchErrorKind,
		do: func(ctx context.Context, client int, _ int64) error { return f.Put(ctx, client%groups, value) },
	}
	before := f.Usage()
	m := l.run(ctx)
	used := f.Usage()
	var b benchResult
	b.take(m)
	r.WritesPerSecond, r.Latency, r.Errors = b.PerSecond, b.Latency, b.Errors
	if m.done > 0 {
		r.SyncsPerWrite = float64(used.Syncs-before.Syncs) / float64(m.done)
		r.EnvelopesPerWrite = float64(used.Envelopes-before.Envelopes) / float64(m.done)
	}
	return r, nil
}

// settled lets d pass; false if ctx ended first.
func settled(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// idle measures what doing nothing costs, for the time of a load.
func (r *groupsResult) idle(ctx context.Context, f *fleet.Fleet, alone fleet.Memory, o benchOptions) {
	const nodes = 3
	if more := float64(r.Groups-1) * nodes; more > 0 {
		m := f.Memory()
		r.GroupBytes = (float64(m.HeapBytes) - float64(alone.HeapBytes)) / more
		r.GroupGoroutines = float64(m.Goroutines-alone.Goroutines) / more
	}
	before := f.Usage()
	settled(ctx, max(o.duration, time.Second))
	after := f.Usage()
	seconds := after.At.Sub(before.At).Seconds()
	r.IdleEnvelopes = float64(after.Envelopes-before.Envelopes) / seconds
	r.IdleHeartbeats = float64(after.Heartbeats-before.Heartbeats) / seconds
	r.IdleHeartbeatEnvelopes = float64(after.HeartbeatEnvelopes-before.HeartbeatEnvelopes) / seconds
	r.IdleCPUPercent = 100 * (after.CPU - before.CPU).Seconds() / seconds
}

func printGroups(w io.Writer, rows []groupsResult) {
	fmt.Fprintf(w, "three nodes in this process, over loopback and on disk, and the clients with them; %d CPUs\n\n", runtime.NumCPU())
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "groups\tclients\twrites/s\tp50 ms\tp99 ms\tsyncs/write\tenvelopes/write\terrors\t")
	for _, r := range rows {
		failed := int64(0)
		for _, n := range r.Errors {
			failed += n
		}
		fmt.Fprintf(t, "%d\t%d\t%.0f\t%.2f\t%.2f\t%.3f\t%.3f\t%d\t\n",
			r.Groups, r.Clients, r.WritesPerSecond, r.Latency.P50, r.Latency.P99, r.SyncsPerWrite, r.EnvelopesPerWrite, failed)
	}
	t.Flush()
	fmt.Fprint(w, "\nat rest\n\n")
	t = tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "groups\theartbeats/s\tin envelopes/s\tall envelopes/s\tCPU %\tKB/group and node\tgoroutines/group and node\t")
	for _, r := range rows {
		fmt.Fprintf(t, "%d\t%.0f\t%.0f\t%.0f\t%.1f\t%.1f\t%.1f\t\n",
			r.Groups, r.IdleHeartbeats, r.IdleHeartbeatEnvelopes, r.IdleEnvelopes, r.IdleCPUPercent, r.GroupBytes/1024, r.GroupGoroutines)
	}
	t.Flush()
}
