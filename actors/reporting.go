package actors

import (
	"context"
	"fmt"
	"strings"

	"castaway/raft"
)

// status is the server's part of a Status.
func (s *server) status() Status {
	st := s.partialStatus()
	st.Behaviour = s.doing
	st.Leader = s.role.Leader
	if s.core != nil {
		st.Raft = s.core.Status()
	}
	st.Inflight = Inflight{
		Proposed: s.ledger.proposed(), Forwarded: s.ledger.withLeader(), ConfirmedReads: s.ledger.confirming(),
	}
	st.WaitingFor = s.waitingFor(&st)
	return st
}

// partialStatus is what is known without asking an actor.
func (b *board) partialStatus() Status {
	st := Status{
		Group:     b.cfg.Group,
		Behaviour: "unknown",
		Restarts: Restarts{
			Server:  int(b.restarts[theServer].Load()),
			Log:     int(b.restarts[theLog].Load()),
			Machine: int(b.restarts[theMachine].Load()),
		},
		Queues: Queues{
			LogPersists:  int(b.persists.Load()),
			MachineSpans: int(b.machine.spans.Load()),
			MachineBytes: int(b.machine.bytes.Load()),
			MachineReads: int(b.machine.reads.Load()),
		},
		Snapshots: b.snapshots.read(),
	}
	st.Queues.ServerCommands, st.Queues.ServerReads = b.server.counts()
	if space := b.space.Load(); space != nil {
		st.Space = *space
	}
	if why := b.halted.Load(); why != nil {
		st.Behaviour, st.Halted = "halted", *why
	}
	return st
}

// withMachine adds the machine's part.
func (g *Group) withMachine(ctx context.Context, st Status) (Status, error) {
	ask := &askMachine{answer: make(chan machineStatus, 1)}
	if err := g.machine.inbox.pushControl(ask); err != nil {
		return st, err
	}
	select {
	case m, ok := <-ask.answer:
		if !ok {
			return st, g.goodbye(false)
		}
		st.Applied, st.StateHash, st.HasStateHash = m.applied, m.hash, m.hashed
		st.Sessions, st.SessionsHash = m.sessions, m.sessionsHash
		if st.WaitingFor == "" && st.Applied < st.Raft.Commit && st.Queues.MachineSpans > 0 {
			st.WaitingFor = fmt.Sprintf("the machine, which has applied %d of %d committed entries", st.Applied, st.Raft.Commit)
		}
		return st, nil
	case <-ctx.Done():
		st.WaitingFor = "the machine, which is busy"
		return st, g.tooLate(ctx)
	}
}

// waitingFor says why nothing commits; it is empty where nothing needs to.
func (s *server) waitingFor(st *Status) string {
	switch {
	case st.Halted != "":
		return "nothing any more: this node's part of the group has halted"
	case s.core == nil:
		return "its log to be read from the disk"
	case s.role.Role == raft.PreCandidate:
		return fmt.Sprintf("a majority of %v that would vote for it, to lead term %d", st.Raft.Configuration.Voters, st.Raft.HardState.Term+1)
	case s.role.Role == raft.Candidate:
		return fmt.Sprintf("the votes of a majority of %v, to lead term %d", st.Raft.Configuration.Voters, st.Raft.HardState.Term)
	case s.role.Leader == raft.None:
		return fmt.Sprintf("a leader: none was heard yet in term %d", st.Raft.HardState.Term)
	case s.role.Role == raft.Leader && st.Raft.Commit < st.Raft.Last.Index:
		return missing(&st.Raft) + s.lowDiskToo()
	case s.lowDisk:
		return s.diskReserve().Detail
	}
	return ""
}

// lowDiskToo adds why a leader would propose nothing anyway.
func (s *server) lowDiskToo() string {
	if !s.lowDisk {
		return ""
	}
	return "; and " + s.diskReserve().Detail
}

// missing says who has to acknowledge the next entry.
func missing(st *raft.Status) string {
	next := st.Commit + 1
	var behind, silent []string
	if st.Durable < next {
		behind = append(behind, "its own disk")
	}
	for _, p := range st.Progress {
		switch {
		case !p.RecentlyActive:
			silent = append(silent, fmt.Sprintf("node %d (silent)", p.ID))
		case p.Match < next:
			behind = append(behind, fmt.Sprintf("node %d (has %d, and answers: if that stays so, its own status says why, such as a full disk)", p.ID, p.Match))
		}
	}
	return fmt.Sprintf("acknowledgements of entry %d by a majority; missing: %s", next, strings.Join(append(behind, silent...), ", "))
}
