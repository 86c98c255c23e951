package messages

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// Kind names what an envelope carries, as the schema does; it serves logs,
// counters and traces.
type Kind string

// The kinds of envelopes.
const (
	KindUnknown               Kind = "unknown"
	KindRequestPreVote        Kind = "request_pre_vote"
	KindRequestPreVoteReply   Kind = "request_pre_vote_reply"
	KindRequestVote           Kind = "request_vote"
	KindRequestVoteReply      Kind = "request_vote_reply"
	KindAppendEntries         Kind = "append_entries"
	KindAppendEntriesReply    Kind = "append_entries_reply"
	KindHeartbeat             Kind = "heartbeat"
	KindHeartbeatReply        Kind = "heartbeat_reply"
	KindTermNotice            Kind = "term_notice"
	KindTimeoutNow            Kind = "timeout_now"
	KindProbe                 Kind = "probe"
	KindForwardProposals      Kind = "forward_proposals"
	KindForwardProposalsReply Kind = "forward_proposals_reply"
	KindForwardRead           Kind = "forward_read"
	KindForwardReadReply      Kind = "forward_read_reply"
	KindSnapshotOffer         Kind = "snapshot_offer"
	KindSnapshotChunk         Kind = "snapshot_chunk"
	KindSnapshotProgress      Kind = "snapshot_progress"
	KindHeartbeatBundle       Kind = "heartbeat_bundle"
	KindHeartbeatReplyBundle  Kind = "heartbeat_reply_bundle"
)

// KindOf gives an envelope's kind; KindUnknown when it has none, or one that only
// a newer version knows.
func KindOf(e *Envelope) Kind {
	switch e.GetKind().(type) {
	case *Envelope_RequestPreVote:
		return KindRequestPreVote
	case *Envelope_RequestPreVoteReply:
		return KindRequestPreVoteReply
	case *Envelope_RequestVote:
		return KindRequestVote
	case *Envelope_RequestVoteReply:
		return KindRequestVoteReply
	case *Envelope_AppendEntries:
		return KindAppendEntries
	case *Envelope_AppendEntriesReply:
		return KindAppendEntriesReply
	case *Envelope_Heartbeat:
		return KindHeartbeat
	case *Envelope_HeartbeatReply:
		return KindHeartbeatReply
	case *Envelope_TermNotice:
		return KindTermNotice
	case *Envelope_TimeoutNow:
		return KindTimeoutNow
	case *Envelope_Probe:
		return KindProbe
	case *Envelope_ForwardProposals:
		return KindForwardProposals
	case *Envelope_ForwardProposalsReply:
		return KindForwardProposalsReply
	case *Envelope_ForwardRead:
		return KindForwardRead
	case *Envelope_ForwardReadReply:
		return KindForwardReadReply
	case *Envelope_SnapshotOffer:
		return KindSnapshotOffer
	case *Envelope_SnapshotChunk:
		return KindSnapshotChunk
	case *Envelope_SnapshotProgress:
		return KindSnapshotProgress
	case *Envelope_HeartbeatBundle:
		return KindHeartbeatBundle
	case *Envelope_HeartbeatReplyBundle:
		return KindHeartbeatReplyBundle
	default:
		return KindUnknown
	}
}

// unknownKind says which fields of the envelope this version does not know, since
// one of them is what the sender meant.
func unknownKind(e *Envelope) error {
	fields := unknownFields(e)
	if len(fields) == 0 {
		return fmt.Errorf("%w: from node %d, without any kind", ErrUnknownKind, e.GetFrom())
	}
	return fmt.Errorf("%w: from node %d, with field numbers %v; a newer version sent it",
		ErrUnknownKind, e.GetFrom(), fields)
}

// maxUnknownFields bounds what an error lists.
const maxUnknownFields = 8

func unknownFields(e *Envelope) []protowire.Number {
	var fields []protowire.Number
	for raw := e.ProtoReflect().GetUnknown(); len(raw) > 0 && len(fields) < maxUnknownFields; {
		number, _, n := protowire.ConsumeField(raw)
		if n < 0 {
			break
		}
		if !slices.Contains(fields, number) {
			fields = append(fields, number)
		}
		raw = raw[n:]
	}
	return fields
}

// OfSnapshots says whether envelopes of the kind are about a snapshot file on its way.
func (k Kind) OfSnapshots() bool {
	return k == KindSnapshotOffer || k == KindSnapshotChunk || k == KindSnapshotProgress
}

// betweenTransports says whether envelopes of the kind are of no one group.
func (k Kind) betweenTransports() bool {
	return k == KindProbe || k == KindHeartbeatBundle || k == KindHeartbeatReplyBundle
}
