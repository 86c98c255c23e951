package actors

import (
	"fmt"

	"castaway/raft"
)

// This file is what a leader does whose disk hangs: no sync fails and none ends. What it
// proposed goes on being committed by the others (T10.2.1), but it takes no more, so that
// all the group's clients would wait for one disk. It hands leadership to another (T3.10),
// which takes nothing from its disk but what is there; as a follower it holds nobody up.

// stall is how long this server's disk has owed a leader's writes.
type stall struct {
	ticks int  // since the disk last owed nothing, or paid something
	told  bool // of the hang that lasts
}

// owes notes that a batch goes to the disk.
func (s *server) owes(sequence uint64) {
	if len(s.unsynced) == 0 {
		s.stall = stall{}
	}
	s.unsynced = append(s.unsynced, sequence)
}

// paid notes that n of the batches are durable.
func (s *server) paid(n int) {
	if n == 0 {
		return
	}
	s.unsynced = s.unsynced[:copy(s.unsynced, s.unsynced[n:])]
	s.stall = stall{}
}

// standAside hands leadership over where the disk hangs. Where nobody can take it, the
// next tick asks again: a leader without a quorum soon leads no more anyway. Ticks that
// come in a bunch say that this process was held up, of which a bunch proves no more than
// a heartbeat's time.
func (s *server) standAside(m tick) {
	s.stall.ticks += min(m.count, s.cfg.HeartbeatTicks)
	hangs := s.leads() && len(s.unsynced) > 0 && s.stall.ticks >= s.cfg.StallTicks
	if !hangs || s.transferring {
		return
	}
	effects, err := s.core.TransferLeadership(raft.None)
	if err != nil {
		return
	}
	if !s.stall.told {
		s.stall.told = true
		s.publish(Event{Kind: EventDisk, Incarnation: s.life, Detail: fmt.Sprintf(
			"no write to the disk has ended for StallTicks = %d, %v; leadership is handed to another",
			s.cfg.StallTicks, s.cfg.stallTime())})
	}
	s.transferring = true
	s.carryOut(effects)
}
