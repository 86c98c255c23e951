package raft_test

import (
	"errors"
	"slices"
	"testing"

	"castaway/raft"
)

// A fresh leader may not know what its predecessors committed: reads wait for the
// no-op of its own term (T6.4).
func TestC30_FreshLeaderWaitsForItsNoOp(t *testing.T) {
	c := newCluster(t, 3)
	c.elect(1)
	p := c.propose(1, "x")
	c.settle() // committed on 1; the others do not know yet
	c.crash(1, 0)
	c.tick(2, timeout)
	c.tick(3, timeout)
	c.drop(func(raft.Message) bool { return true })
	c.campaign(2)
	for c.role(2) != raft.Leader {
		c.disks()
		c.deliver(func(m raft.Message) bool { return !of[*raft.AppendEntries](m) })
	}
	_, err := c.tryRead(2)
	c.want(errors.Is(err, raft.ErrNotReady), "a fresh leader answers a read with %v", err)
	c.settle()
	r := c.read(2)
	c.settle()
	reads := c.servers[2].reads
	c.want(len(reads) == 1 && reads[0].ID == r && reads[0].Index > p.Last, "answered %+v; the read must see entry %d", reads, p.Last)
}

// Leadership is confirmed by a round that began after the read was asked for.
func TestC30_ConfirmedByARoundSentAfterTheRequest(t *testing.T) {
	c := newCluster(t, 3)
	c.elect(1)
	c.tick(1, heartbeatTicks) // a round begins before the read
	c.disks()
	c.deliver(of[*raft.Heartbeat])
	c.disks()
	early := c.drop(of[*raft.HeartbeatReply])
	c.want(len(early) == 2, "test: %d answers to the early round", len(early))
	c.read(1)
	for _, m := range early {
		c.step(m)
	}
	c.want(len(c.servers[1].reads) == 0, "a round that began before the read confirms it")
	c.settle()
	c.want(len(c.servers[1].reads) == 1, "its own round does not confirm it")
}

// The read's index is the commit index when it was asked, or later.
func TestC30_ReadSeesWhatWasCommittedBefore(t *testing.T) {
	c := newCluster(t, 3)
	c.elect(1)
	p := c.propose(1, "x")
	c.settle()
	c.read(1)
	c.settle()
	c.want(c.servers[1].reads[0].Index >= p.Last, "read at %d; %d was committed", c.servers[1].reads[0].Index, p.Last)
}

// A leader that was replaced without knowing answers no read.
func TestC30_StaleLeaderAnswersNothing(t *testing.T) {
	c := newCluster(t, 3, plain) // without check-quorum, it goes on believing
	c.elect(1)
	c.isolate(1)
	c.elect(2)
	p := c.propose(2, "newer")
	c.settle()
	c.want(c.commit(2) == p.Last && c.role(1) == raft.Leader, "test: no two leaders")
	c.read(1)
	c.pass(3 * timeout)
	c.want(len(c.servers[1].reads) == 0, "a stale leader answers a read")
	c.heal()
	c.pass(timeout)
	c.want(len(c.servers[1].reads) == 0 && len(c.servers[1].aborted) == 1, "deposed, it answers %v and aborts %v",
		c.servers[1].reads, c.servers[1].aborted)
}

// Replies to AppendEntries are contact, but confirm no read: they may answer what
// was sent before it.
func TestC30_AppendRepliesConfirmNothing(t *testing.T) {
	c := newCluster(t, 3)
	c.elect(1)
	c.propose(1, "x")
	c.disks()
	c.deliver(of[*raft.AppendEntries])
	c.read(1)
	c.disks()
	c.deliver(of[*raft.AppendEntriesReply])
	c.want(len(c.servers[1].reads) == 0, "a reply to AppendEntries confirms a read")
}

// Only the followers have gone quiet: one answer of four is no quorum, two are.
func TestC30_ConfirmationNeedsAQuorum(t *testing.T) {
	c := newCluster(t, 5)
	c.elect(1)
	c.settle()
	c.read(1)
	c.disks()
	c.deliver(of[*raft.Heartbeat])
	c.disks()
	c.deliver(between(2, 1))
	c.want(len(c.servers[1].reads) == 0, "two of five confirm a read")
	c.deliver(between(3, 1))
	c.want(len(c.servers[1].reads) == 1, "three of five do not confirm a read")
}

// Old acknowledgements, replayed, confirm nothing: rounds are never used twice.
func TestC31_ReplayedAcknowledgementsConfirmNothing(t *testing.T) {
	c := newCluster(t, 3)
	c.elect(1)
	var old []raft.Message
	for range 5 {
		c.read(1)
		c.disks()
		c.deliver(of[*raft.Heartbeat])
		c.disks()
		replies := c.drop(of[*raft.HeartbeatReply])
		old = append(old, replies...)
		for _, m := range replies {
			c.step(m)
		}
	}
	answered := len(c.servers[1].reads)
	c.want(answered == 5, "test: %d reads answered", answered)
	c.settle()
	c.read(1)
	for range 2 {
		for _, m := range old {
			c.step(m)
		}
	}
	c.want(len(c.servers[1].reads) == answered, "replayed acknowledgements confirm a read")
	seen := map[uint64]bool{}
	for _, m := range old {
		r := m.(*raft.HeartbeatReply)
		if r.From == 2 {
			c.want(!seen[r.Round], "round %d is used twice", r.Round)
			seen[r.Round] = true
		}
	}
}

// Acknowledgements of an earlier term of the same leader confirm nothing either,
// although rounds begin anew.
func TestC31_AcknowledgementsOfAnEarlierTerm(t *testing.T) {
	c := newCluster(t, 3, plain)
	c.elect(1)
	var old []raft.Message
	for range 10 {
		c.tick(1, heartbeatTicks)
		c.disks()
		c.deliver(of[*raft.Heartbeat])
		old = append(old, c.drop(of[*raft.HeartbeatReply])...)
	}
	c.settle()
	c.elect(2)
	c.settle()
	c.elect(1)
	c.settle()
	c.read(1)
	for _, m := range old {
		c.step(m)
	}
	c.want(len(c.servers[1].reads) == 0, "acknowledgements of term 1 confirm a read of term 3")
}

// An acknowledgement of a round that never was confirms nothing.
func TestC31_UnknownRounds(t *testing.T) {
	c := newCluster(t, 3)
	c.elect(1)
	c.read(1)
	c.step(&raft.HeartbeatReply{Header: raft.Header{From: 2, To: 1, Term: 1}, Round: 1 << 60})
	c.want(len(c.servers[1].reads) == 0, "a round of the future confirms a read")
	c.settle()
	c.want(len(c.servers[1].reads) == 1, "the real round does not")
}

// Reads are answered in the order in which they were asked, many by one round.
func TestC30_ReadsAreAnsweredInOrder(t *testing.T) {
	c := newCluster(t, 3)
	c.elect(1)
	c.drop(func(raft.Message) bool { return true })
	var asked, answered []raft.ReadID
	for range 10 {
		asked = append(asked, c.read(1))
	}
	c.want(len(c.net.queue) <= 4, "ten reads send %d heartbeats to two followers at once", len(c.net.queue))
	c.settle()
	for _, r := range c.servers[1].reads {
		answered = append(answered, r.ID)
	}
	c.want(slices.Equal(asked, answered), "asked %v, answered %v", asked, answered)
}

// A lost round is made up for by the next heartbeat.
func TestC30_LostRoundIsRepeated(t *testing.T) {
	c := newCluster(t, 3)
	c.elect(1)
	c.read(1)
	c.drop(of[*raft.Heartbeat])
	c.pass(2 * heartbeatTicks)
	c.want(len(c.servers[1].reads) == 1, "the read hangs")
}

// A follower cannot answer, and a leader bounds what waits.
func TestReadIndex_Refusals(t *testing.T) {
	c := newCluster(t, 3, withConfig(func(cfg *raft.Config) { cfg.MaxPendingReads = 2 }))
	c.elect(1)
	_, err := c.tryRead(2)
	c.want(errors.Is(err, raft.ErrNotLeader), "a follower answers with %v", err)
	c.read(1)
	c.read(1)
	_, err = c.tryRead(1)
	c.want(errors.Is(err, raft.ErrTooManyReads), "the third of two reads gets %v", err)
	c.settle()
	c.read(1)
}
