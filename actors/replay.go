package actors

import (
	"errors"
	"fmt"

	"castaway/persistence"
	"castaway/raft"
)

// This file is how the machine reads the log, when it was made anew or when the
// core no longer holds in memory what was committed.
//
// The log on disk may lag behind what is committed: the entries, or the
// truncation of others at the same indexes, can still be in the log actor's
// mailbox. So before anything is read up to an index that is not known to be
// durable, the entry there must have the term that was committed: then, by Log
// Matching (T3.5), all before it are the committed ones too.
//
// That holds of one state of the log, and the next write may replace it: a log can
// have held the committed entry, have lost it, and get it again, all that in writes
// that still wait (P5.4.2, Figure 8). So the check and the read must see the same
// state. The board counts the log's truncations, before and after each; what was
// read while the count was odd, or changed, is thrown away.
//
// Always true: what is applied from the log was read between two equal, even counts,
// together with the committed position that vouches for it. This asks nothing about
// who wrote the log, so that it holds across restarts of server, log and machine,
// also where the writes of a server that is gone were lost with the log actor. What
// is durable and committed needs no check: no truncation reaches it any more.

// replay applies entries up to index last from the log. known is a committed
// position at or beyond last, or zero if all up to last is known to be durable. It
// reads a piece at a time, and returns false until all is applied; the actor
// sends itself a message to go on.
func (m *machineActor) replay(last raft.Index, known raft.Position, w *work) bool {
	entries, ok := m.read(m.applied+1, last, known)
	if !ok {
		return false
	}
	m.apply(entries, w)
	if m.halted.Load() != nil {
		return false
	}
	if m.applied < last {
		m.send(m.self, machineContinue{})
		return false
	}
	return true
}

// read gives a piece of the committed log; false if it must be tried again.
func (m *machineActor) read(first, last raft.Index, known raft.Position) ([]raft.Entry, bool) {
	rewrites := m.rewrites.Load()
	if known.Index != 0 && !m.verify(known, rewrites) {
		return nil, false
	}
	entries, err := m.host.cfg.Store.Entries(m.cfg.Group, first, last, m.cfg.Limits.MaxReplayBytes)
	if err != nil {
		m.unreadable(first, err)
		return nil, false
	}
	if known.Index != 0 && m.rewrites.Load() != rewrites {
		m.later()
		return nil, false
	}
	return entries, true
}

// verify says whether the log, in the state named by rewrites, holds what is
// committed up to known.
func (m *machineActor) verify(known raft.Position, rewrites uint64) bool {
	if m.verified == known.Index && m.verifiedIn == rewrites {
		return true
	}
	if rewrites%2 == 1 {
		m.later()
		return false
	}
	entries, err := m.host.cfg.Store.Entries(m.cfg.Group, known.Index, known.Index, 1)
	if err != nil {
		m.unreadable(known.Index, err)
		return false
	}
	if entries[0].Term != known.Term {
		m.later()
		return false
	}
	m.verified, m.verifiedIn = known.Index, rewrites
	return true
}

// unreadable decides what an error of the store means: that the log actor has not
// come so far, or that it never will.
func (m *machineActor) unreadable(index raft.Index, err error) {
	if errors.Is(err, persistence.ErrUnavailable) {
		m.later()
		return
	}
	if errors.Is(err, persistence.ErrCompacted) && m.restore(m.applied+1) {
		m.send(m.self, machineContinue{})
		return
	}
	if m.halted.Load() != nil {
		return
	}
	err = fmt.Errorf("the machine could not read entry %d from the log: %w", index, err)
	m.halt(err.Error())
	m.send(m.pids.server, poisoned{})
	m.send(m.pids.host, storeFailed{log: m.self, err: fmt.Errorf("group %d: %w", m.cfg.Group, err)})
	m.desk.abandon(m.goodbye(true))
}

// later tries again in a tick.
func (m *machineActor) later() {
	if m.retry != nil {
		m.retry.Stop()
	}
	self := m.self
	m.retry = m.host.cfg.Clock.AfterFunc(m.cfg.TickInterval, func() { m.send(self, machineContinue{}) })
}

// autopsy finds out of what the last machine died. A run of commands is tried
// again one at a time; a command that kills every machine halts the group, since
// no restart would ever get past it.
func (m *machineActor) autopsy() {
	d := m.desk
	first, last := d.attempt.first, d.attempt.last
	d.attempt.first, d.attempt.last = 0, 0
	if first == 0 {
		return
	}
	if first != last {
		d.careful.first, d.careful.last = first, last
		return
	}
	if d.poison.index != first {
		d.poison.index, d.poison.panics = first, 0
	}
	d.poison.panics++
	if d.poison.panics < m.cfg.PoisonPanics {
		return
	}
	m.halt(fmt.Sprintf("the command at index %d made the state machine panic %d times; the log is intact, "+
		"so start this node with a machine that can apply it", first, d.poison.panics))
	m.send(m.pids.server, poisoned{})
}
