package messages

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"castaway/raft"
)

// MaxEnvelopeBytes bounds an envelope on the wire: senders drop a larger one, and
// receivers refuse it.
const MaxEnvelopeBytes = 4 << 20

// MaxEntryBytes is the most that a node may allow an entry's Data to have: such an
// entry, sealed or forwarded, fits an envelope, with as much room again for what
// travels beside it.
const MaxEntryBytes = MaxEnvelopeBytes / 2

// FromEnvelope reads the raft message in an envelope, or gives nil without an
// error when the envelope is intact but of a kind that is not raft's: a probe, or
// something forwarded. The message's entries alias the envelope's bytes, so the
// envelope must not be changed from then on.
//
// What comes back has been checked as far as that is possible without knowing the
// receiver: the sender, the receiver and the group are named, every frame is
// intact, and entries follow their Previous without a gap and with terms that
// never go back nor exceed the sender's. The cluster, and whether the message is
// for us, is for the caller to check. Errors are those of this package.
func FromEnvelope(e *Envelope) (raft.Message, error) {
	if err := Validate(e); err != nil {
		return nil, err
	}
	h := raft.Header{From: raft.NodeID(e.GetFrom()), To: raft.NodeID(e.GetTo()), Term: raft.Term(e.GetTerm())}
	switch kind := e.GetKind().(type) {
	case *Envelope_RequestPreVote:
		return &raft.RequestPreVote{Header: h, Last: fromPosition(kind.RequestPreVote.GetLast())}, nil
	case *Envelope_RequestPreVoteReply:
		return &raft.RequestPreVoteReply{Header: h, Granted: kind.RequestPreVoteReply.GetGranted()}, nil
	case *Envelope_RequestVote:
		m := kind.RequestVote
		return &raft.RequestVote{Header: h, Last: fromPosition(m.GetLast()), Transfer: m.GetTransfer()}, nil
	case *Envelope_RequestVoteReply:
		return &raft.RequestVoteReply{Header: h, Granted: kind.RequestVoteReply.GetGranted()}, nil
	case *Envelope_AppendEntries:
		return fromAppendEntries(h, kind.AppendEntries)
	case *Envelope_AppendEntriesReply:
		m := kind.AppendEntriesReply
		return &raft.AppendEntriesReply{
			Header:   h,
			Success:  m.GetSuccess(),
			Match:    raft.Index(m.GetMatch()),
			Rejected: raft.Index(m.GetRejected()),
			Hint:     fromPosition(m.GetHint()),
		}, nil
	case *Envelope_Heartbeat:
		m := kind.Heartbeat
		return &raft.Heartbeat{Header: h, Commit: raft.Index(m.GetCommit()), Round: m.GetRound()}, nil
	case *Envelope_HeartbeatReply:
		return &raft.HeartbeatReply{Header: h, Round: kind.HeartbeatReply.GetRound()}, nil
	case *Envelope_TermNotice:
		return &raft.TermNotice{Header: h}, nil
	case *Envelope_TimeoutNow:
		return &raft.TimeoutNow{Header: h}, nil
	default:
		return nil, nil //nolint:nilnil // Validate knows the kind: it is not raft's.
	}
}

// Validate checks what every envelope must be, whatever its kind: of a known
// kind, within MaxEnvelopeBytes, with a sender and another node as its receiver,
// and, unless it is between transports, with a group.
func Validate(e *Envelope) error {
	kind := KindOf(e)
	switch {
	case kind == KindUnknown:
		return unknownKind(e)
	case e.GetFrom() == 0 || e.GetTo() == 0:
		return fmt.Errorf("%w: %s from node %d to node %d, and zero is no node",
			ErrMalformed, kind, e.GetFrom(), e.GetTo())
	case e.GetFrom() == e.GetTo():
		return fmt.Errorf("%w: %s from node %d to itself", ErrMalformed, kind, e.GetFrom())
	case e.GetGroup() == 0 && !kind.betweenTransports():
		return fmt.Errorf("%w: %s from node %d without a group", ErrMalformed, kind, e.GetFrom())
	}
	if size := proto.Size(e); size > MaxEnvelopeBytes {
		return fmt.Errorf("%w: %s from node %d has %d bytes, and %d are allowed",
			ErrTooLarge, kind, e.GetFrom(), size, MaxEnvelopeBytes)
	}
	return nil
}

func fromAppendEntries(h raft.Header, m *AppendEntries) (raft.Message, error) {
	previous := fromPosition(m.GetPrevious())
	entries, err := unpackFrames(m.GetEntries())
	if err != nil {
		return nil, fmt.Errorf("append_entries from node %d after %v: %w", h.From, previous, err)
	}
	last := previous
	for i := range entries {
		next := raft.Position{Term: entries[i].Term, Index: entries[i].Index}
		if next.Index != last.Index+1 || next.Term < last.Term || next.Term > h.Term {
			return nil, fmt.Errorf("%w: append_entries from node %d in term %d has entry %v after %v",
				ErrMalformed, h.From, h.Term, next, last)
		}
		last = next
	}
	return &raft.AppendEntries{Header: h, Previous: previous, Commit: raft.Index(m.GetCommit()), Entries: entries}, nil
}

func fromPosition(p *Position) raft.Position {
	return raft.Position{Term: raft.Term(p.GetTerm()), Index: raft.Index(p.GetIndex())}
}
