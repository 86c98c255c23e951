package raft

import (
	"fmt"
	"testing"
)

// BenchmarkPropose measures the algorithm alone: three servers in a perfect world,
// one batch proposed, replicated and committed at a time.
func BenchmarkPropose(b *testing.B) {
	for _, batch := range []int{1, 64} {
		b.Run(fmt.Sprintf("batch=%d", batch), func(b *testing.B) {
			w := newPerfectWorld(b, 1, 2, 3)
			one := w.cores[1]
			w.carryOut(one, one.Campaign())
			w.settle()
			proposals := make([]Proposal, batch)
			for i := range proposals {
				proposals[i].Data = make([]byte, 256)
			}
			b.ReportAllocs()
			for b.Loop() {
				_, e, err := one.Propose(proposals)
				if err != nil {
					b.Fatal(err)
				}
				w.carryOut(one, e)
				w.settle()
			}
			if one.CommitIndex() != one.LastIndex() {
				b.Fatalf("committed %d of %d", one.CommitIndex(), one.LastIndex())
			}
			b.ReportMetric(float64(b.N*batch)/b.Elapsed().Seconds(), "proposals/s")
		})
	}
}

// BenchmarkReadIndex measures a confirmed read at a time.
func BenchmarkReadIndex(b *testing.B) {
	w := newPerfectWorld(b, 1, 2, 3)
	one := w.cores[1]
	w.carryOut(one, one.Campaign())
	w.settle()
	b.ReportAllocs()
	for b.Loop() {
		w.reads = w.reads[:0]
		e, err := one.ReadIndex(1)
		if err != nil {
			b.Fatal(err)
		}
		w.carryOut(one, e)
		w.settle()
		if len(w.reads) != 1 {
			b.Fatal("the read was not answered")
		}
	}
}
