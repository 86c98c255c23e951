package messages

import (
	"castaway/raft"
)

// sealed gives entries after previous, all of term, with the data given.
func sealed(previous raft.Position, term raft.Term, data ...string) []raft.Entry {
	entries := make([]raft.Entry, len(data))
	for i, d := range data {
		entries[i] = raft.Entry{
			Term:  term,
			Index: previous.Index + raft.Index(i) + 1,
			Kind:  raft.EntryCommand,
			Data:  []byte(d),
		}
	}
	Seal(entries)
	return entries
}

// raftSamples has one message of every type, with every field set, by the name
// of its kind.
func raftSamples() map[Kind]raft.Message {
	h := raft.Header{From: 1, To: 2, Term: 7}
	previous := raft.Position{Term: 6, Index: 299}
	return map[Kind]raft.Message{
		KindRequestPreVote:      &raft.RequestPreVote{Header: h, Last: previous},
		KindRequestPreVoteReply: &raft.RequestPreVoteReply{Header: h, Granted: true},
		KindRequestVote:         &raft.RequestVote{Header: h, Last: previous, Transfer: true},
		KindRequestVoteReply:    &raft.RequestVoteReply{Header: h, Granted: true},
		KindAppendEntries: &raft.AppendEntries{
			Header: h, Previous: previous, Commit: 298, Entries: sealed(previous, 7, "put a 1", "", "put b 2"),
		},
		KindAppendEntriesReply: &raft.AppendEntriesReply{
			Header: h, Success: true, Match: 301, Rejected: 300, Hint: previous,
		},
		KindHeartbeat:      &raft.Heartbeat{Header: h, Commit: 301, Round: 44},
		KindHeartbeatReply: &raft.HeartbeatReply{Header: h, Round: 44},
		KindTermNotice:     &raft.TermNotice{Header: h},
		KindTimeoutNow:     &raft.TimeoutNow{Header: h},
	}
}

// envelopeSamples has one envelope of every kind.
func envelopeSamples() map[Kind]*Envelope {
	samples := make(map[Kind]*Envelope)
	for kind, m := range raftSamples() {
		samples[kind] = ToEnvelope(sampleCluster, 3, m)
	}
	between := func(kind isEnvelope_Kind) *Envelope {
		return &Envelope{ClusterId: sampleCluster, Group: 3, From: 2, To: 1, Term: 7, Kind: kind}
	}
	probe := between(&Envelope_Probe{&Probe{Reply: true}})
	probe.Group, probe.Term = 0, 0
	samples[KindProbe] = probe
	samples[KindForwardProposals] = between(&Envelope_ForwardProposals{&ForwardProposals{
		Incarnation: 5,
		Proposals:   []*ForwardedProposal{{Id: 1, Command: []byte("put a 1")}, {Id: 2}},
	}})
	samples[KindForwardProposalsReply] = between(&Envelope_ForwardProposalsReply{&ForwardProposalsReply{
		Incarnation: 5,
		Results: []*ForwardedResult{
			{Id: 1, Outcome: Outcome_OUTCOME_DONE, Index: 300, Term: 7, Value: []byte("ok")},
			{Id: 2, Outcome: Outcome_OUTCOME_INDETERMINATE, Reason: 9, Detail: "the leader changed"},
		},
	}})
	samples[KindForwardRead] = between(&Envelope_ForwardRead{&ForwardRead{Incarnation: 5, Id: 8}})
	samples[KindForwardReadReply] = between(&Envelope_ForwardReadReply{&ForwardReadReply{
		Incarnation: 5, Id: 8, Index: 300, Reason: 3, Detail: "not ready",
	}})
	samples[KindSnapshotOffer] = between(&Envelope_SnapshotOffer{&SnapshotOffer{
		Transfer: 8, Last: &Position{Term: 6, Index: 299}, Size: 1 << 30, Sum: 0xfeed,
	}})
	samples[KindSnapshotChunk] = between(&Envelope_SnapshotChunk{&SnapshotChunk{
		Transfer: 8, Offset: 1 << 20, Data: []byte("bytes of the file"), Checksum: 0xbeef,
	}})
	samples[KindSnapshotProgress] = between(&Envelope_SnapshotProgress{&SnapshotProgress{
		Transfer: 8, State: SnapshotState_SNAPSHOT_STATE_REFUSED, Offset: 1 << 20, Detail: "no room", Bulk: []byte("where"),
	}})
	for kind, bundle := range bundleSamples() {
		samples[kind] = bundle
	}
	return samples
}

// bundleSamples has a bundle of heartbeats and one of replies.
func bundleSamples() map[Kind]*Envelope {
	var beats, replies []Beat
	for i := range 3 {
		h := raft.Header{From: 1, To: 2, Term: raft.Term(7 * i)}
		group := raft.GroupID(1) << (20 * i)
		beats = append(beats, Beat{Group: group, Message: &raft.Heartbeat{Header: h, Commit: raft.Index(300 + i), Round: uint64(40 + i)}})
		replies = append(replies, Beat{Group: group, Message: &raft.HeartbeatReply{Header: h, Round: uint64(40 + i)}})
	}
	return map[Kind]*Envelope{
		KindHeartbeatBundle:      Bundle(sampleCluster, beats, true)[0],
		KindHeartbeatReplyBundle: Bundle(sampleCluster, replies, false)[0],
	}
}

const sampleCluster = 0xca57_a3a1_0000_0001

// frameSamples has entries whose frames cover each kind and each length of the
// varints.
func frameSamples() []raft.Entry {
	return []raft.Entry{
		{Term: 1, Index: 1, Kind: raft.EntryNoOp},
		{Term: 1, Index: 2, Kind: raft.EntryCommand, Data: []byte("put a 1")},
		{Term: 127, Index: 128, Kind: raft.EntryCommand, Data: []byte{0}},
		{Term: 300, Index: 1 << 40, Kind: raft.EntryConfiguration, Data: []byte("voters")},
		{Term: ^raft.Term(0), Index: ^raft.Index(0), Kind: raft.EntryCommand, Data: []byte("the last")},
		{Term: 301, Index: 1<<40 + 1, Kind: raft.EntrySession, Data: []byte("once")},
	}
}
