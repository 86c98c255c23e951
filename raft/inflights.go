package raft

// inflight is one AppendEntries that was not answered yet.
type inflight struct {
	last  Index
	bytes int
}

// inflights are the unanswered AppendEntries to one follower, oldest first, in a
// ring that grows as needed. Indexes ascend.
type inflights struct {
	ring  []inflight
	start int
	count int
	bytes int
}

func (f *inflights) add(last Index, bytes int) {
	if f.count == len(f.ring) {
		f.grow()
	}
	f.ring[(f.start+f.count)%len(f.ring)] = inflight{last, bytes}
	f.count++
	f.bytes += bytes
}

func (f *inflights) grow() {
	ring := make([]inflight, max(8, 2*len(f.ring)))
	for i := range f.count {
		ring[i] = f.ring[(f.start+i)%len(f.ring)]
	}
	f.ring, f.start = ring, 0
}

// free drops all that index answers for.
func (f *inflights) free(index Index) {
	for f.count > 0 && f.ring[f.start].last <= index {
		f.bytes -= f.ring[f.start].bytes
		f.start = (f.start + 1) % len(f.ring)
		f.count--
	}
}

func (f *inflights) reset() { f.start, f.count, f.bytes = 0, 0, 0 }
