package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"time"
)

// benchResult is what bench prints; its JSON names are stable. Latencies are in
// milliseconds, of requests that succeeded.
type benchResult struct {
	Operation string           `json:"operation"`
	Endpoints []string         `json:"endpoints"`
	Clients   int              `json:"clients"`
	Keys      int              `json:"keys"`
	ValueSize int              `json:"value_size"`
	Rate      float64          `json:"rate,omitempty"`    // of an open loop
	Offered   int64            `json:"offered,omitempty"` // by an open loop
	Seconds   float64          `json:"seconds"`
	Done      int64            `json:"done"`
	PerSecond float64          `json:"per_second"`
	Latency   benchLatency     `json:"latency_ms"`
	Errors    map[string]int64 `json:"errors"`
}

type benchLatency struct {
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p999"`
	Max  float64 `json:"max"`
}

func (r *benchResult) take(m measured) {
	const perMillisecond = float64(time.Millisecond / time.Microsecond)
	ms := func(us int64) float64 { return float64(us) / perMillisecond }
	r.Seconds, r.Done, r.Errors, r.Offered = m.elapsed.Seconds(), m.done, m.errors, m.offered
	if r.Seconds > 0 {
		r.PerSecond = float64(m.done) / r.Seconds
	}
	h := m.latency
	r.Latency = benchLatency{
		Mean: h.Mean() / perMillisecond,
		P50:  ms(h.ValueAtQuantile(50)),
		P99:  ms(h.ValueAtQuantile(99)),
		P999: ms(h.ValueAtQuantile(99.9)),
		Max:  ms(h.Max()),
	}
}

func (r *benchResult) print(w io.Writer) {
	fmt.Fprintf(w, "%s: %d clients, %d keys, values of %d bytes, %.1f s\n", r.Operation, r.Clients, r.Keys, r.ValueSize, r.Seconds)
	if r.Offered > 0 {
		fmt.Fprintf(w, "  offered     %d, that is %.0f a second\n", r.Offered, float64(r.Offered)/r.Seconds)
	}
	fmt.Fprintf(w, "  done        %d, that is %.0f a second\n", r.Done, r.PerSecond)
	l := r.Latency
	fmt.Fprintf(w, "  latency ms  mean %.2f   p50 %.2f   p99 %.2f   p99.9 %.2f   max %.2f\n", l.Mean, l.P50, l.P99, l.P999, l.Max)
	if len(r.Errors) == 0 {
		fmt.Fprintf(w, "  errors      none\n")
	}
	for _, kind := range slices.Sorted(maps.Keys(r.Errors)) {
		fmt.Fprintf(w, "  errors      %d × %s\n", r.Errors[kind], kind)
	}
}
