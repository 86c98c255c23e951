package main

import (
	"bufio"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// usage is what the kernel and the runtime have counted so far.
type usage struct {
	cpu         time.Duration
	written     uint64
	allocations uint64
}

func usageNow() usage {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return usage{
		cpu:         time.Duration(r.Utime.Nano() + r.Stime.Nano()),
		written:     field("/proc/self/io", "write_bytes:"),
		allocations: m.Mallocs,
	}
}

// peakMB is the largest resident set so far.
func peakMB() float64 { return float64(field("/proc/self/status", "VmHWM:")) / 1024 }

// residentMB is the resident set, and anonymousMB its part that is no file's.
func residentMB() float64  { return float64(field("/proc/self/status", "VmRSS:")) / 1024 }
func anonymousMB() float64 { return float64(field("/proc/self/status", "RssAnon:")) / 1024 }

func field(path, name string) uint64 {
	f, err := os.Open(path)
	if err != nil {
		return 0
	}
	defer func() { _ = f.Close() }()
	var v uint64
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), name); ok {
			_, _ = fmt.Sscan(rest, &v)
		}
	}
	return v
}

// diskMB is what the files below dir take on disk.
func diskMB(dir string) float64 {
	var blocks int64
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil {
				blocks += info.Sys().(*syscall.Stat_t).Blocks
			}
		}
		return nil
	})
	return float64(blocks) * 512 / (1 << 20)
}

// watchAnonymous samples anonymous memory until the function that it gives is
// called, which gives the largest sample.
func watchAnonymous() func() float64 {
	stop, result := make(chan struct{}), make(chan float64)
	go func() {
		ticker := time.NewTicker(20 * time.Millisecond)
		defer ticker.Stop()
		peak := anonymousMB()
		for {
			select {
			case <-ticker.C:
				peak = max(peak, anonymousMB())
			case <-stop:
				result <- peak
				return
			}
		}
	}()
	return func() float64 { close(stop); return <-result }
}
