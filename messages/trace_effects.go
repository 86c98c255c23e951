package messages

import "castaway/raft"

// traceEffects is what an input asked its core's owner to do; what it did not ask
// for is left out.
type traceEffects struct {
	Persist *tracePersist  `json:"persist,omitempty"`
	Send    []traceMessage `json:"send,omitempty"`
	Commit  *traceRange    `json:"commit,omitempty"`
	Reads   []traceRead    `json:"reads,omitempty"`
	Aborted []raft.ReadID  `json:"aborted,omitempty"`
	Fetch   []traceFetch   `json:"fetch,omitempty"`
	Role    *traceRole     `json:"role,omitempty"`

	Snapshots []traceSnapshotRequest `json:"snapshots,omitempty"`
	Install   *traceSnapshot         `json:"install,omitempty"`
}

type traceSnapshotRequest struct {
	To   raft.NodeID `json:"to"`
	Next raft.Index  `json:"next"`
}

// traceSnapshot leaves the members' contexts out, which no rule looks at.
type traceSnapshot struct {
	Last      tracePosition `json:"last"`
	Voters    []raft.NodeID `json:"voters"`
	OldVoters []raft.NodeID `json:"old_voters,omitempty"`
	Learners  []raft.NodeID `json:"learners,omitempty"`
}

func tracedSnapshot(m *raft.SnapshotMeta) *traceSnapshot {
	if m == nil {
		return nil
	}
	c := &m.Configuration
	return &traceSnapshot{Last: tracePosition(m.Last), Voters: c.Voters, OldVoters: c.OldVoters, Learners: c.Learners}
}

type tracePersist struct {
	Sequence     uint64          `json:"sequence"`
	HardState    *traceHardState `json:"hard_state,omitempty"`
	Compact      *traceSnapshot  `json:"compact,omitempty"`
	TruncateFrom raft.Index      `json:"truncate_from,omitempty"`
	Entries      []traceEntry    `json:"entries,omitempty"`
	After        []traceMessage  `json:"after,omitempty"`
}

type traceHardState struct {
	Term raft.Term   `json:"term"`
	Vote raft.NodeID `json:"vote"`
}

type traceRange struct {
	First raft.Index `json:"first"`
	Last  raft.Index `json:"last"`
}

type traceRead struct {
	ID    raft.ReadID `json:"id"`
	Index raft.Index  `json:"index"`
}

type traceFetch struct {
	To    raft.NodeID `json:"to"`
	First raft.Index  `json:"first"`
	Last  raft.Index  `json:"last"`
}

type traceRole struct {
	Role   string      `json:"role"`
	Term   raft.Term   `json:"term"`
	Leader raft.NodeID `json:"leader"`
}

func toTraceEffects(e *raft.Effects) *traceEffects {
	if e == nil {
		return nil
	}
	out := &traceEffects{
		Persist: toTracePersist(&e.Persist),
		Send:    toTraceMessages(e.Send),
		Aborted: e.Aborted,
	}
	if !e.Commit.Empty() {
		out.Commit = &traceRange{First: e.Commit.First, Last: e.Commit.Last}
	}
	for _, r := range e.Reads {
		out.Reads = append(out.Reads, traceRead{ID: r.ID, Index: r.Index})
	}
	for _, f := range e.Fetch {
		out.Fetch = append(out.Fetch, traceFetch{To: f.To, First: f.First, Last: f.Last})
	}
	for _, r := range e.Snapshots {
		out.Snapshots = append(out.Snapshots, traceSnapshotRequest{To: r.To, Next: r.Next})
	}
	out.Install = tracedSnapshot(e.Install)
	if e.Role != nil {
		out.Role = &traceRole{Role: e.Role.Role.String(), Term: e.Role.Term, Leader: e.Role.Leader}
	}
	return out
}

func toTracePersist(p *raft.Persist) *tracePersist {
	if p.Empty() {
		return nil
	}
	out := &tracePersist{
		Sequence:     p.Sequence,
		Compact:      tracedSnapshot(p.Compact),
		TruncateFrom: p.TruncateFrom,
		Entries:      toTraceEntries(p.Entries),
		After:        toTraceMessages(p.After),
	}
	if p.HardState != nil {
		out.HardState = &traceHardState{Term: p.HardState.Term, Vote: p.HardState.Vote}
	}
	return out
}

func toTraceMessages(messages []raft.Message) []traceMessage {
	out := make([]traceMessage, len(messages))
	for i, m := range messages {
		out[i] = toTraceMessage(m)
	}
	return out
}
