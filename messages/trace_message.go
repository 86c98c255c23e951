package messages

import "castaway/raft"

// traceMessage is any raft message; what a kind does not have is left out.
type traceMessage struct {
	Kind     Kind           `json:"kind"`
	From     raft.NodeID    `json:"from"`
	To       raft.NodeID    `json:"to"`
	Term     raft.Term      `json:"term"`
	Last     *tracePosition `json:"last,omitempty"`
	Transfer bool           `json:"transfer,omitempty"`
	Granted  *bool          `json:"granted,omitempty"`
	Previous *tracePosition `json:"previous,omitempty"`
	Entries  []traceEntry   `json:"entries,omitempty"`
	Commit   *raft.Index    `json:"commit,omitempty"`
	Success  *bool          `json:"success,omitempty"`
	Match    raft.Index     `json:"match,omitempty"`
	Rejected raft.Index     `json:"rejected,omitempty"`
	Hint     *tracePosition `json:"hint,omitempty"`
	Round    uint64         `json:"round,omitempty"`
	Snapshot *traceSnapshot `json:"snapshot,omitempty"`
}

// kindInstallSnapshot is in traces only: a node hands it to its own core.
const kindInstallSnapshot Kind = "install_snapshot"

// traceEntry leaves the data out: a checker of the algorithm does not look at it.
type traceEntry struct {
	Term  raft.Term      `json:"term"`
	Index raft.Index     `json:"index"`
	Kind  raft.EntryKind `json:"kind"`
	Bytes int            `json:"bytes"`
}

func toTraceMessage(m raft.Message) traceMessage {
	h := raft.HeaderOf(m)
	out := traceMessage{From: h.From, To: h.To, Term: h.Term}
	switch m := m.(type) {
	case *raft.RequestPreVote:
		out.Kind, out.Last = KindRequestPreVote, tracedPosition(m.Last)
	case *raft.RequestPreVoteReply:
		out.Kind, out.Granted = KindRequestPreVoteReply, &m.Granted
	case *raft.RequestVote:
		out.Kind, out.Last, out.Transfer = KindRequestVote, tracedPosition(m.Last), m.Transfer
	case *raft.RequestVoteReply:
		out.Kind, out.Granted = KindRequestVoteReply, &m.Granted
	case *raft.AppendEntries:
		out.Kind, out.Commit = KindAppendEntries, &m.Commit
		out.Previous, out.Entries = tracedPosition(m.Previous), toTraceEntries(m.Entries)
	case *raft.AppendEntriesReply:
		out.Kind, out.Success, out.Match, out.Rejected = KindAppendEntriesReply, &m.Success, m.Match, m.Rejected
		if !m.Success {
			out.Hint = tracedPosition(m.Hint)
		}
	case *raft.Heartbeat:
		out.Kind, out.Commit, out.Round = KindHeartbeat, &m.Commit, m.Round
	case *raft.HeartbeatReply:
		out.Kind, out.Round = KindHeartbeatReply, m.Round
	case *raft.InstallSnapshot:
		out.Kind, out.Snapshot = kindInstallSnapshot, tracedSnapshot(&m.Snapshot)
	case *raft.TermNotice:
		out.Kind = KindTermNotice
	case *raft.TimeoutNow:
		out.Kind = KindTimeoutNow
	default:
		out.Kind = KindUnknown
	}
	return out
}

func tracedPosition(p raft.Position) *tracePosition {
	out := tracePosition(p)
	return &out
}

func toTraceEntries(entries []raft.Entry) []traceEntry {
	out := make([]traceEntry, len(entries))
	for i, e := range entries {
		out[i] = traceEntry{Term: e.Term, Index: e.Index, Kind: e.Kind, Bytes: len(e.Data)}
	}
	return out
}
