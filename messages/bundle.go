package messages

import (
	"fmt"

	"castaway/raft"
)

// Beat is a heartbeat of a group, or the reply to one: Message is a
// *raft.Heartbeat or a *raft.HeartbeatReply.
type Beat struct {
	Group   raft.GroupID
	Message raft.Message
}

// MaxBundle is how many beats one envelope takes: some 40 KB at most.
const MaxBundle = 1024

// Bundle puts beats, all from one node to one other, into as few envelopes as
// possible: one of heartbeats and one of replies, if they are no more than
// MaxBundle each. A lone one goes in an envelope as it always did, which versions
// without bundles understand. urgent tells the receiver not to let replies wait.
//
// It panics on any other message than a heartbeat or a reply to one.
func Bundle(clusterID uint64, beats []Beat, urgent bool) []*Envelope {
	if len(beats) == 1 {
		return []*Envelope{ToEnvelope(clusterID, beats[0].Group, beats[0].Message)}
	}
	var out []*Envelope
	var heartbeats *HeartbeatBundle
	var replies *HeartbeatReplyBundle
	wrap := func(h *raft.Header, kind isEnvelope_Kind) {
		out = append(out, &Envelope{ClusterId: clusterID, From: uint64(h.From), To: uint64(h.To), Kind: kind})
	}
	for _, b := range beats {
		switch m := b.Message.(type) {
		case *raft.Heartbeat:
			if heartbeats == nil || len(heartbeats.Groups) == MaxBundle {
				heartbeats = &HeartbeatBundle{Urgent: urgent}
				wrap(&m.Header, &Envelope_HeartbeatBundle{heartbeats})
			}
			heartbeats.Groups = append(heartbeats.Groups, uint64(b.Group))
			heartbeats.Terms = append(heartbeats.Terms, uint64(m.Term))
			heartbeats.Commits = append(heartbeats.Commits, uint64(m.Commit))
			heartbeats.Rounds = append(heartbeats.Rounds, m.Round)
		case *raft.HeartbeatReply:
			if replies == nil || len(replies.Groups) == MaxBundle {
				replies = &HeartbeatReplyBundle{}
				wrap(&m.Header, &Envelope_HeartbeatReplyBundle{replies})
			}
			replies.Groups = append(replies.Groups, uint64(b.Group))
			replies.Terms = append(replies.Terms, uint64(m.Term))
			replies.Rounds = append(replies.Rounds, m.Round)
		default:
			panic(fmt.Sprintf("messages: %T is not for a bundle", m))
		}
	}
	return out
}

// Unbundle gives what a bundle carries, and whether somebody waits for the replies;
// nil, without an error, if e is no bundle. Every beat is checked as FromEnvelope
// checks a message. Errors are those of this package.
func Unbundle(e *Envelope) (beats []Beat, urgent bool, err error) {
	var groups, terms, commits, rounds []uint64
	isReply := false
	switch k := e.GetKind().(type) {
	case *Envelope_HeartbeatBundle:
		b := k.HeartbeatBundle
		groups, terms, commits, rounds, urgent = b.GetGroups(), b.GetTerms(), b.GetCommits(), b.GetRounds(), b.GetUrgent()
	case *Envelope_HeartbeatReplyBundle:
		b := k.HeartbeatReplyBundle
		groups, terms, rounds, isReply = b.GetGroups(), b.GetTerms(), b.GetRounds(), true
		commits = rounds // replies have none
	default:
		return nil, false, nil
	}
	if err := Validate(e); err != nil {
		return nil, false, err
	}
	if n := len(groups); n > MaxBundle || len(terms) != n || len(commits) != n || len(rounds) != n {
		return nil, false, fmt.Errorf("%w: %s from node %d with lists of %d, %d, %d and %d items, which are to be of one length up to %d",
			ErrMalformed, KindOf(e), e.GetFrom(), n, len(terms), len(commits), len(rounds), MaxBundle)
	}
	beats = make([]Beat, len(groups))
	for i, group := range groups {
		if group == 0 {
			return nil, false, fmt.Errorf("%w: %s from node %d with a heartbeat without a group", ErrMalformed, KindOf(e), e.GetFrom())
		}
		h := raft.Header{From: raft.NodeID(e.GetFrom()), To: raft.NodeID(e.GetTo()), Term: raft.Term(terms[i])}
		beats[i].Group = raft.GroupID(group)
		if isReply {
			beats[i].Message = &raft.HeartbeatReply{Header: h, Round: rounds[i]}
		} else {
			beats[i].Message = &raft.Heartbeat{Header: h, Commit: raft.Index(commits[i]), Round: rounds[i]}
		}
	}
	return beats, urgent, nil
}
