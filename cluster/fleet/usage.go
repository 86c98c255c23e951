package fleet

import (
	"runtime"
	"syscall"
	"time"
)

// Usage is what a fleet has used so far, all nodes together.
type Usage struct {
	At time.Time
	// Syncs counts the commits of the nodes' stores, each of which is one sync.
	Syncs uint64
	// Envelopes, Heartbeats and HeartbeatEnvelopes count what the nodes have sent;
	// Heartbeats are those of all groups, with the replies.
	Envelopes          uint64
	Heartbeats         uint64
	HeartbeatEnvelopes uint64
	// CPU is the process's, user and system.
	CPU time.Duration
}

// Usage counts.
func (f *Fleet) Usage() Usage {
	u := Usage{At: time.Now(), CPU: processTime()}
	for _, n := range f.nodes {
		u.Syncs += n.store.Commits()
		stats := n.host.TransportStats()
		u.Heartbeats += stats.Heartbeats
		u.HeartbeatEnvelopes += stats.HeartbeatEnvelopes
		for _, p := range stats.Peers {
			u.Envelopes += p.Sent
		}
	}
	return u
}

// Memory is what the process holds.
type Memory struct {
	HeapBytes  uint64 // reachable
	Goroutines int
}

// Memory collects garbage first, so that what is left is in use.
func (f *Fleet) Memory() Memory {
	const passes = 2 // what pools hold goes with the second
	for range passes {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return Memory{HeapBytes: m.HeapAlloc, Goroutines: runtime.NumGoroutine()}
}

func processTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
