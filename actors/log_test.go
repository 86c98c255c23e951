package actors

import (
	"testing"

	"castaway/raft"
)

// A disk may stay full for days, while the leader asks at each heartbeat whether its
// entries have arrived: the answers that wait for space must not pile up.
func TestAnswersThatWaitForSpaceDoNotPileUp(t *testing.T) {
	l := &logActor{board: &board{}, incarnation: 1, full: true}
	entries := &persist{incarnation: 1, write: raft.Persist{Sequence: 1, Entries: []raft.Entry{{Term: 1, Index: 1}}}}
	l.gather(entries)
	for sequence := uint64(2); sequence <= 1000; sequence++ {
		l.gather(&persist{incarnation: 1, write: raft.Persist{Sequence: sequence}})
	}
	if n := len(l.batch); n != 2 {
		t.Fatalf("%d writes wait, want the one with entries and the newest answer", n)
	}
	if first, last := l.batch[0].write.Sequence, l.batch[1].write.Sequence; first != 1 || last != 1000 {
		t.Errorf("the sequences are %d and %d, want 1 and 1000", first, last)
	}
}
