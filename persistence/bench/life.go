package main

import (
	"fmt"
	"time"

	"castaway/persistence"
	"castaway/raft"
)

// lifeResult is what the life of one log gave. Times in seconds, sizes in MB.
type lifeResult struct {
	Write, WrittenPerByte          float64
	Open, Load, Read               float64
	Disk                           float64
	OpenRSS, OpenAnonymous, PeakMB float64
	Drop, DropWritten              float64
	DiskAfterDrop                  float64
	// BackAfter is how much had to be appended until the log took at most 64 MB
	// more than what is in it.
	BackAfter, DiskAfterBack float64
}

// measureLife writes a log in batches, opens it again, reads it in order, drops
// 90 % of it, and goes on appending until the space is back.
func measureLife(s settings) (lifeResult, error) {
	var r lifeResult
	s.Entries = s.Entries / s.Batch * s.Batch
	o := storeOptions(s)
	store, err := persistence.OpenBadger(o)
	if err != nil {
		return r, err
	}
	data := make([]byte, s.DataSize)
	before, start := usageNow(), time.Now()
	if err := appendMany(store, 1, s.Entries, s.Batch, data); err != nil {
		return r, err
	}
	r.Write = time.Since(start).Seconds()
	r.WrittenPerByte = float64(usageNow().written-before.written) / float64(s.Entries*s.DataSize)
	if err := store.Close(); err != nil {
		return r, err
	}
	if store, err = r.reopen(s, o); err != nil {
		return r, err
	}
	if err := r.drop(s, o, store, data); err != nil {
		return r, err
	}
	r.PeakMB = peakMB()
	return r, store.Close()
}

func appendMany(store persistence.Store, first, count, size int, data []byte) error {
	hard := &raft.HardState{Term: 1}
	for at := first; at < first+count; at += size {
		if err := store.Append(1, &raft.Persist{HardState: hard, Entries: batch(raft.Index(at), size, data)}); err != nil {
			return err
		}
		if err := store.Sync(); err != nil {
			return err
		}
	}
	return nil
}

func (r *lifeResult) reopen(s settings, o persistence.Options) (*persistence.Badger, error) {
	start := time.Now()
	store, err := persistence.OpenBadger(o)
	if err != nil {
		return nil, err
	}
	r.Open = time.Since(start).Seconds()
	r.OpenRSS, r.OpenAnonymous = residentMB(), anonymousMB()
	r.Disk = diskMB(o.Dir)
	start = time.Now()
	if _, err := store.Load(1, 4<<20); err != nil {
		return nil, err
	}
	r.Load = time.Since(start).Seconds()
	start = time.Now()
	for next := raft.Index(1); next <= raft.Index(s.Entries); {
		entries, err := store.Entries(1, next, raft.Index(s.Entries), 1<<20)
		if err != nil {
			return nil, err
		}
		next += raft.Index(len(entries))
	}
	r.Read = time.Since(start).Seconds()
	return store, nil
}

func (r *lifeResult) drop(s settings, o persistence.Options, store *persistence.Badger, data []byte) error {
	before, start := usageNow(), time.Now()
	cut := raft.Index(s.Entries * 9 / 10)
	meta := raft.SnapshotMeta{Last: raft.Position{Term: 1, Index: cut}}
	if err := store.Compact(1, meta); err != nil {
		return err
	}
	r.Drop = time.Since(start).Seconds()
	r.DiskAfterDrop = diskMB(o.Dir)
	left := float64(s.Entries/10*s.DataSize) / (1 << 20)
	const step = 8192
	at := s.Entries + 1
	for r.DiskAfterBack = diskMB(o.Dir); r.DiskAfterBack > left+r.BackAfter+64 && r.BackAfter < 4*r.Disk; r.DiskAfterBack = diskMB(o.Dir) {
		if err := appendMany(store, at, step, 128, data); err != nil {
			return err
		}
		at += step
		r.BackAfter += float64(step*s.DataSize) / (1 << 20)
	}
	r.DropWritten = float64(usageNow().written-before.written)/(1<<20) - r.BackAfter
	return nil
}

func printLife(s settings, rounds int) error {
	s.Variant = "life"
	for _, size := range []int{128, 1} {
		s.Batch = size
		times := rounds
		if size == 1 {
			times = 1 // a sync an entry takes minutes
		}
		var results []lifeResult
		for range times {
			r, err := measure[lifeResult](s)
			if err != nil {
				return err
			}
			results = append(results, r)
		}
		m := func(of func(lifeResult) float64) float64 { return median(results, of) }
		fmt.Printf("%d entries of %d B in batches of %d, medians of %d\n", s.Entries, s.DataSize, size, times)
		fmt.Printf("  written in %.1f s, %.2f bytes a byte; on disk %.0f MB\n",
			m(func(r lifeResult) float64 { return r.Write }), m(func(r lifeResult) float64 { return r.WrittenPerByte }), m(func(r lifeResult) float64 { return r.Disk }))
		fmt.Printf("  opened in %.2f s (resident %.0f MB, of it anonymous %.0f MB), loaded in %.3f s, read in order in %.2f s\n",
			m(func(r lifeResult) float64 { return r.Open }), m(func(r lifeResult) float64 { return r.OpenRSS }), m(func(r lifeResult) float64 { return r.OpenAnonymous }),
			m(func(r lifeResult) float64 { return r.Load }), m(func(r lifeResult) float64 { return r.Read }))
		fmt.Printf("  first 90 %% dropped in %.2f s; on disk then %.0f MB, and %.0f MB after %.0f MB more had been appended; %.0f MB written beside those; peak resident %.0f MB\n",
			m(func(r lifeResult) float64 { return r.Drop }), m(func(r lifeResult) float64 { return r.DiskAfterDrop }), m(func(r lifeResult) float64 { return r.DiskAfterBack }),
			m(func(r lifeResult) float64 { return r.BackAfter }), m(func(r lifeResult) float64 { return r.DropWritten }), m(func(r lifeResult) float64 { return r.PeakMB }))
	}
	return nil
}
