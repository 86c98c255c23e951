package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
)

// report prints a row a system and number of clients: medians over the rounds,
// and the ratio of the first system's throughput to the row's.
func report(w io.Writer, o options, results []result) {
	tw := tabwriter.NewWriter(w, 2, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "system\tclients\twrites/s\tmin\tmax\tp50 ms\tp99 ms\tCPU s/1000\tdisk B/write\tvs "+o.systems[0]+"\t")
	for _, clients := range o.clients {
		var base float64
		for i, system := range o.systems {
			rows := slices.DeleteFunc(slices.Clone(results), func(r result) bool { return r.System != system || r.Clients != clients })
			perSecond := figures(rows, func(r result) float64 { return r.PerSecond })
			if i == 0 {
				base = median(perSecond)
			}
			fmt.Fprintf(tw, "%s\t%d\t%.0f\t%.0f\t%.0f\t%.2f\t%.2f\t%.3f\t%.0f\t%.2f\t\n", system, clients,
				median(perSecond), perSecond[0], perSecond[len(perSecond)-1],
				median(figures(rows, func(r result) float64 { return ms(r.P50) })),
				median(figures(rows, func(r result) float64 { return ms(r.P99) })),
				median(figures(rows, func(r result) float64 { return r.CPUPerThousand })),
				median(figures(rows, func(r result) float64 { return r.DiskPerWrite })),
				median(perSecond)/base)
		}
	}
	_ = tw.Flush()
}

// figures gives one figure of every row, sorted.
func figures(rows []result, figure func(result) float64) []float64 {
	var fs []float64
	for _, r := range rows {
		fs = append(fs, figure(r))
	}
	slices.SortFunc(fs, cmp.Compare[float64])
	return fs
}

// median of a sorted slice.
func median(sorted []float64) float64 {
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
