package raft

// disk is what the core knows of its own disk: what it was asked to write, and how
// much of that has been acknowledged.
//
// durable is the last index up to which the log on disk is known to equal the log in
// memory. An acknowledgement may belong to a write whose entries were truncated
// since, and even written again with the same index: so each write under way keeps
// the last index that it can still vouch for, and truncation lowers it (C10).
type disk struct {
	sequence     uint64        // of the last write asked for
	acknowledged uint64        // of the last write known to be durable
	written      HardState     // the last one asked for
	hardSequence uint64        // the write that holds it
	last         Index         // the log was asked to be written up to here
	truncated    Index         // from here on the log was truncated and not yet asked to be; zero is nowhere
	compact      *SnapshotMeta // the log starts after it, and was not yet asked to; nil if it was
	durable      Index
	pending      []write // by ascending sequence
}

type write struct {
	sequence uint64
	last     Index
}

// emit numbers the next write, which brings the disk to this state.
func (d *disk) emit(hard HardState, last Index) uint64 {
	d.sequence++
	if hard != d.written {
		d.written, d.hardSequence = hard, d.sequence
	}
	d.last, d.truncated, d.compact = last, 0, nil
	d.pending = append(d.pending, write{d.sequence, last})
	return d.sequence
}

// acknowledge takes that all writes up to sequence are durable, and says whether
// that is news.
func (d *disk) acknowledge(sequence uint64) bool {
	if sequence <= d.acknowledged || sequence > d.sequence {
		return false
	}
	d.acknowledged = sequence
	n := 0
	for n < len(d.pending) && d.pending[n].sequence <= sequence {
		d.durable = max(d.durable, d.pending[n].last)
		n++
	}
	d.pending = append(d.pending[:0], d.pending[n:]...)
	return true
}

// truncate takes that the log in memory lost its entries from index on.
func (d *disk) truncate(from Index) {
	d.last = min(d.last, from-1)
	d.durable = min(d.durable, from-1)
	for i := range d.pending {
		d.pending[i].last = min(d.pending[i].last, from-1)
	}
	if d.truncated == 0 || from < d.truncated {
		d.truncated = from
	}
}

// holds says whether this hard state is durable.
func (d *disk) holds(hard HardState) bool {
	return d.written == hard && d.hardSequence <= d.acknowledged
}
