package main

import (
	"fmt"
	"os"
	"time"

	"castaway/persistence"
	"castaway/raft"
)

// lifeResult is what one part of a log's life gave. Times in seconds, sizes in MB.
type lifeResult struct {
	Write, WrittenPerByte, Disk float64

	Open, Load, Read           float64
	Resident, Anonymous, AtEnd float64

	Drop, DropWritten, DiskAfterDrop float64
	// BackAfter is how much had to be appended until the log took at most backMB
	// more than what is in it.
	BackAfter, DiskAfterBack float64
	Peak                     float64
}

// backMB is what a log may take on disk beside its entries: memtable logs, tables
// that wait for compaction.
const backMB = 64

// lifeParts are the parts of a log's life; each runs in a process of its own.
var lifeParts = map[string]func(settings) (lifeResult, error){
	"life: write": writeLife,
	"life: open":  openLife,
	"life: drop":  dropLife,
}

var hardState = &raft.HardState{Term: 1}

func appendMany(store persistence.Store, s settings, first, count int) error {
	data := make([]byte, s.DataSize)
	for at := first; at < first+count; at += s.Batch {
		entries := batch(raft.Index(at), min(s.Batch, first+count-at), data)
		if err := store.Append(1, &raft.Persist{HardState: hardState, Entries: entries}); err != nil {
			return err
		}
		if err := store.Sync(); err != nil {
			return err
		}
	}
	return nil
}

func writeLife(s settings) (r lifeResult, err error) {
	o := storeOptions(s)
	store, err := persistence.OpenBadger(o)
	if err != nil {
		return r, err
	}
	before, start := usageNow(), time.Now()
	if err := appendMany(store, s, 1, s.Entries); err != nil {
		return r, err
	}
	r.Write = time.Since(start).Seconds()
	r.WrittenPerByte = float64(usageNow().written-before.written) / float64(s.Entries*s.DataSize)
	if err := store.Close(); err != nil {
		return r, err
	}
	r.Disk = diskMB(o.Dir)
	return r, nil
}

func openLife(s settings) (r lifeResult, err error) {
	start := time.Now()
	store, err := persistence.OpenBadger(storeOptions(s))
	if err != nil {
		return r, err
	}
	r.Open = time.Since(start).Seconds()
	r.Resident, r.Anonymous = residentMB(), anonymousMB()
	start = time.Now()
	if _, err := store.Load(1, 4<<20); err != nil {
		return r, err
	}
	r.Load = time.Since(start).Seconds()
	start = time.Now()
	for next := raft.Index(1); next <= raft.Index(s.Entries); {
		entries, err := store.Entries(1, next, raft.Index(s.Entries), 1<<20)
		if err != nil {
			return r, err
		}
		next += raft.Index(len(entries))
	}
	r.Read = time.Since(start).Seconds()
	r.AtEnd = anonymousMB()
	return r, store.Close()
}

// dropLife drops the first 90 % and appends until the space is back.
func dropLife(s settings) (r lifeResult, err error) {
	o := storeOptions(s)
	store, err := persistence.OpenBadger(o)
	if err != nil {
		return r, err
	}
	disk := diskMB(o.Dir)
	anonymous := watchAnonymous()
	before, start := usageNow(), time.Now()
	meta := raft.SnapshotMeta{Last: raft.Position{Term: 1, Index: raft.Index(s.Entries * 9 / 10)}}
	if err := store.Compact(1, meta); err != nil {
		return r, err
	}
	r.Drop = time.Since(start).Seconds()
	r.DiskAfterDrop = diskMB(o.Dir)
	left := float64(s.Entries/10*s.DataSize) / (1 << 20)
	const step = 8192
	s.Batch = 128
	at := s.Entries + 1
	for r.DiskAfterBack = r.DiskAfterDrop; r.DiskAfterBack > left+r.BackAfter+backMB && r.BackAfter < 4*disk; {
		if err := appendMany(store, s, at, step); err != nil {
			return r, err
		}
		at += step
		r.BackAfter += float64(step*s.DataSize) / (1 << 20)
		r.DiskAfterBack = diskMB(o.Dir)
	}
	r.DropWritten = float64(usageNow().written-before.written) / (1 << 20)
	r.Peak = anonymous()
	return r, store.Close()
}

func printLife(s settings, rounds int) error {
	parent := s.Dir
	for _, size := range []int{128, 1} {
		s.Batch = size
		times := rounds
		if size == 1 {
			times = 1 // a sync an entry takes minutes
		}
		var wrote, opened, dropped []lifeResult
		for range times {
			var err error
			if s.Dir, err = os.MkdirTemp(parent, "castaway-bench-"); err != nil {
				return err
			}
			for _, part := range []struct {
				name    string
				results *[]lifeResult
			}{{"life: write", &wrote}, {"life: open", &opened}, {"life: drop", &dropped}} {
				s.Variant = part.name
				r, err := measure[lifeResult](s)
				if err != nil {
					return err
				}
				*part.results = append(*part.results, r)
			}
			if err := os.RemoveAll(s.Dir); err != nil {
				return err
			}
		}
		fmt.Printf("%d entries of %d B in batches of %d, medians of %d\n", s.Entries, s.DataSize, size, times)
		printLifeResult(wrote, opened, dropped)
	}
	return nil
}

func printLifeResult(wrote, opened, dropped []lifeResult) {
	m := median[lifeResult]
	fmt.Printf("  written in %.1f s, %.2f bytes a byte; on disk %.0f MB\n",
		m(wrote, func(r lifeResult) float64 { return r.Write }),
		m(wrote, func(r lifeResult) float64 { return r.WrittenPerByte }),
		m(wrote, func(r lifeResult) float64 { return r.Disk }))
	fmt.Printf("  opened and verified in %.2f s (resident %.0f MB, of it anonymous %.0f MB), loaded in %.3f s, read in order in %.2f s (anonymous %.0f MB)\n",
		m(opened, func(r lifeResult) float64 { return r.Open }),
		m(opened, func(r lifeResult) float64 { return r.Resident }),
		m(opened, func(r lifeResult) float64 { return r.Anonymous }),
		m(opened, func(r lifeResult) float64 { return r.Load }),
		m(opened, func(r lifeResult) float64 { return r.Read }),
		m(opened, func(r lifeResult) float64 { return r.AtEnd }))
	fmt.Printf("  first 90 %% dropped in %.2f s; on disk then %.0f MB, and %.0f MB after %.0f MB more had been appended, %.0f MB written for both; peak anonymous %.0f MB\n",
		m(dropped, func(r lifeResult) float64 { return r.Drop }),
		m(dropped, func(r lifeResult) float64 { return r.DiskAfterDrop }),
		m(dropped, func(r lifeResult) float64 { return r.DiskAfterBack }),
		m(dropped, func(r lifeResult) float64 { return r.BackAfter }),
		m(dropped, func(r lifeResult) float64 { return r.DropWritten }),
		m(dropped, func(r lifeResult) float64 { return r.Peak }))
}
