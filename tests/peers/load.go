package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

const (
	keyBytes   = 16
	valueBytes = 256
	keys       = 100_000
)

// result is one measurement.
type result struct {
	System         string
	Clients        int
	Writes         int64
	PerSecond      float64
	P50, P99       time.Duration
	CPUPerThousand float64 // seconds, all voters
	DiskPerWrite   float64 // bytes to the disk, all voters
}

func (r result) String() string {
	return fmt.Sprintf("%-10s %5d clients  %8.0f writes/s  p50 %6.2f ms  p99 %6.2f ms  CPU %.3f s/1000  disk %5.0f B/write",
		r.System, r.Clients, r.PerSecond, ms(r.P50), ms(r.P99), r.CPUPerThousand, r.DiskPerWrite)
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// load runs clients that each put one key after the other, until d has passed.
func load(ctx context.Context, v voter, clients int, d time.Duration) (result, error) {
	ctx, cancel := context.WithTimeout(ctx, d+30*time.Second)
	defer cancel()
	histograms := make([]*hdrhistogram.Histogram, clients)
	errs := make([]error, clients)
	start := time.Now()
	end := start.Add(d)
	var wg sync.WaitGroup
	for i := range clients {
		wg.Go(func() {
			h := hdrhistogram.New(1_000, int64(time.Minute), 3)
			histograms[i] = h
			value := make([]byte, valueBytes)
			for n := uint64(i); ; n += uint64(clients) {
				began := time.Now()
				if began.After(end) {
					return
				}
				key := make([]byte, keyBytes)
				binary.BigEndian.PutUint64(key, n%keys)
				binary.BigEndian.PutUint64(value, n)
				if errs[i] = v.put(ctx, key, value); errs[i] != nil {
					return
				}
				_ = h.RecordValue(int64(time.Since(began)))
			}
		})
	}
	wg.Wait()
	elapsed := time.Since(start)
	all := hdrhistogram.New(1_000, int64(time.Minute), 3)
	for i, h := range histograms {
		if errs[i] != nil {
			return result{}, fmt.Errorf("client %d: %w", i, errs[i])
		}
		all.Merge(h)
	}
	return result{
		Clients: clients, Writes: all.TotalCount(), PerSecond: float64(all.TotalCount()) / elapsed.Seconds(),
		P50: time.Duration(all.ValueAtQuantile(50)), P99: time.Duration(all.ValueAtQuantile(99)),
	}, nil
}
