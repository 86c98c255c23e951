package messages

import (
	"fmt"

	"castaway/raft"
)

// ToEnvelope wraps a message of the group for the wire. The envelope shares
// nothing with m, and is not to be changed once sent: the remoting marshals it
// later, on another goroutine.
//
// It panics on a nil message, or on a type that package raft does not have.
func ToEnvelope(clusterID uint64, group raft.GroupID, m raft.Message) *Envelope {
	header := raft.HeaderOf(m)
	return &Envelope{
		ClusterId: clusterID,
		Group:     uint64(group),
		From:      uint64(header.From),
		To:        uint64(header.To),
		Term:      uint64(header.Term),
		Kind:      toKind(m),
	}
}

func toKind(m raft.Message) isEnvelope_Kind {
	switch m := m.(type) {
	case *raft.RequestPreVote:
		return &Envelope_RequestPreVote{&RequestPreVote{Last: toPosition(m.Last)}}
	case *raft.RequestPreVoteReply:
		return &Envelope_RequestPreVoteReply{&RequestPreVoteReply{Granted: m.Granted}}
	case *raft.RequestVote:
		return &Envelope_RequestVote{&RequestVote{Last: toPosition(m.Last), Transfer: m.Transfer}}
	case *raft.RequestVoteReply:
		return &Envelope_RequestVoteReply{&RequestVoteReply{Granted: m.Granted}}
	case *raft.AppendEntries:
		return &Envelope_AppendEntries{&AppendEntries{
			Previous: toPosition(m.Previous),
			Commit:   uint64(m.Commit),
			Entries:  packFrames(m.Entries),
		}}
	case *raft.AppendEntriesReply:
		return &Envelope_AppendEntriesReply{&AppendEntriesReply{
			Success:  m.Success,
			Match:    uint64(m.Match),
			Rejected: uint64(m.Rejected),
			Hint:     toPosition(m.Hint),
		}}
	case *raft.Heartbeat:
		return &Envelope_Heartbeat{&Heartbeat{Commit: uint64(m.Commit), Round: m.Round}}
	case *raft.HeartbeatReply:
		return &Envelope_HeartbeatReply{&HeartbeatReply{Round: m.Round}}
	case *raft.TermNotice:
		return &Envelope_TermNotice{&TermNotice{}}
	case *raft.TimeoutNow:
		return &Envelope_TimeoutNow{&TimeoutNow{}}
	default:
		panic(fmt.Sprintf("messages: package raft has a message that the wire does not: %T", m))
	}
}

// toPosition leaves the zero position out.
func toPosition(p raft.Position) *Position {
	if p == (raft.Position{}) {
		return nil
	}
	return &Position{Term: uint64(p.Term), Index: uint64(p.Index)}
}
