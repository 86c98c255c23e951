package main

import (
	"math/rand/v2"
	"slices"
	"time"

	"castaway/messages"
	"castaway/raft"
)

// appendResult is what one run of synced appends gave.
type appendResult struct {
	PerSecond      float64
	P50, P99       float64 // of one synced batch, in µs
	CPU            float64 // µs per entry
	Allocations    float64 // per entry
	WrittenPerByte float64 // bytes the disk was given per byte of data
	PeakMB         float64 // of the resident set, and of its part that is no file's
	AnonymousMB    float64
}

func measureAppends(s settings) (appendResult, error) {
	target, err := openVariant(s)
	if err != nil {
		return appendResult{}, err
	}
	latencies := make([]time.Duration, 0, s.Entries/s.Batch)
	random := rand.New(rand.NewPCG(1, 2))
	data := make([]byte, s.DataSize)
	for i := range data {
		data[i] = byte(random.Uint32())
	}
	anonymous := watchAnonymous()
	before, start := usageNow(), time.Now()
	var sealing time.Duration
	for at := 0; at < s.Entries; at += s.Batch {
		began := time.Now()
		entries := batch(raft.Index(at+1), s.Batch, data)
		sealed := time.Now()
		sealing += sealed.Sub(began)
		if err := target.append(entries); err != nil {
			return appendResult{}, err
		}
		latencies = append(latencies, time.Since(sealed))
	}
	elapsed := time.Since(start) - sealing
	after := usageNow()
	peak := peakMB()
	if err := target.close(); err != nil {
		return appendResult{}, err
	}
	slices.Sort(latencies)
	n := float64(s.Entries)
	micros := func(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
	return appendResult{
		PerSecond:      n / elapsed.Seconds(),
		P50:            micros(latencies[len(latencies)/2]),
		P99:            micros(latencies[len(latencies)*99/100]),
		CPU:            micros(after.cpu-before.cpu-sealing) / n,
		Allocations:    float64(after.allocations-before.allocations) / n,
		WrittenPerByte: float64(after.written-before.written) / (n * float64(s.DataSize)),
		PeakMB:         peak,
		AnonymousMB:    anonymous(),
	}, nil
}

// batch makes sealed entries, as the leader does.
func batch(first raft.Index, count int, data []byte) []raft.Entry {
	entries := make([]raft.Entry, count)
	for i := range entries {
		entries[i] = raft.Entry{Term: 1, Index: first + raft.Index(i), Kind: raft.EntryCommand, Data: data}
	}
	messages.Seal(entries)
	return entries
}
