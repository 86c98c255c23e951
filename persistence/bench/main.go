package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// settings is what one measurement is told.
type settings struct {
	Variant  string
	Batch    int
	Entries  int
	DataSize int
	Dir      string
	MemTable int64
}

func main() {
	var s settings
	dir := flag.String("dir", os.TempDir(), "a directory on the disk to measure; a data directory is made below it")
	rounds := flag.Int("rounds", 3, "how often to measure; medians are printed")
	scale := flag.Float64("scale", 1, "multiplies the number of entries")
	only := flag.String("variants", strings.Join(variantNames(), ","), "what to measure")
	life := flag.Int("life", 0, "measure the life of a log of this many entries instead")
	child := flag.String("child", "", "used by the command itself")
	flag.IntVar(&s.DataSize, "size", 300, "bytes of an entry's data")
	flag.Int64Var(&s.MemTable, "memtable", 0, "Badger's memtable size in bytes; 0 is the store's default")
	flag.Parse()
	s.Dir = *dir
	if *child != "" {
		fail(runChild(*child))
		return
	}
	if *life > 0 {
		s.Entries = *life
		fail(printLife(s, *rounds))
		return
	}
	fail(printAppends(s, *rounds, *scale, strings.Split(*only, ",")))
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// runChild makes one measurement and prints it as JSON.
func runChild(text string) error {
	var s settings
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return err
	}
	if part, ok := lifeParts[s.Variant]; ok {
		r, err := part(s)
		if err != nil {
			return err
		}
		return json.NewEncoder(os.Stdout).Encode(r)
	}
	dir, err := os.MkdirTemp(s.Dir, "castaway-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	s.Dir = dir
	result, err := measureAppends(s)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(result)
}

// measure runs one measurement in a process of its own.
func measure[T any](s settings) (T, error) {
	var result T
	text, err := json.Marshal(s)
	if err != nil {
		return result, err
	}
	self, err := os.Executable()
	if err != nil {
		return result, err
	}
	c := exec.Command(self, "-child", string(text))
	c.Stderr = os.Stderr
	out, err := c.Output()
	if err != nil {
		return result, fmt.Errorf("measure %s: %w", s.Variant, err)
	}
	err = json.Unmarshal(out, &result)
	return result, err
}

func printAppends(s settings, rounds int, scale float64, variants []string) error {
	fmt.Printf("Synced appends of %d B entries, medians of %d rounds in alternation\n\n", s.DataSize, rounds)
	fmt.Println("| batch | variant | entries/s | of bare | p50 µs | p99 µs | CPU µs/entry | allocs/entry | written/byte | peak RSS MB | anonymous MB |")
	fmt.Println("|---|---|---|---|---|---|---|---|---|---|---|")
	for _, batch := range []int{1, 16, 128, 1024} {
		s.Batch = batch
		s.Entries = int(scale*float64(map[int]int{1: 4000, 16: 50000, 128: 250000, 1024: 500000}[batch])) / batch * batch
		results := map[string][]appendResult{}
		for range rounds {
			for _, v := range variants {
				s.Variant = v
				r, err := measure[appendResult](s)
				if err != nil {
					return err
				}
				results[v] = append(results[v], r)
			}
		}
		bare := median(results["bare"], func(r appendResult) float64 { return r.PerSecond })
		for _, v := range variants {
			m := func(of func(appendResult) float64) float64 { return median(results[v], of) }
			rate := m(func(r appendResult) float64 { return r.PerSecond })
			fmt.Printf("| %d | %s | %.0f | %.2f | %.0f | %.0f | %.1f | %.1f | %.2f | %.0f | %.0f |\n", batch, v, rate, rate/bare,
				m(func(r appendResult) float64 { return r.P50 }), m(func(r appendResult) float64 { return r.P99 }),
				m(func(r appendResult) float64 { return r.CPU }), m(func(r appendResult) float64 { return r.Allocations }),
				m(func(r appendResult) float64 { return r.WrittenPerByte }), m(func(r appendResult) float64 { return r.PeakMB }), m(func(r appendResult) float64 { return r.AnonymousMB }))
		}
	}
	return nil
}

func median[T any](results []T, of func(T) float64) float64 {
	if len(results) == 0 {
		return 0
	}
	values := make([]float64, len(results))
	for i := range results {
		values[i] = of(results[i])
	}
	slices.Sort(values)
	return values[len(values)/2]
}
