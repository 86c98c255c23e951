package messages

import (
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"castaway/raft"
)

// Whatever a core may say arrives as it was said.
func TestAnyRaftMessageCrossesTheWireUnchanged(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		want := anyMessage().Draw(r, "message")
		got, err := FromEnvelope(overTheWire(t, ToEnvelope(sampleCluster, 3, want)))
		if err != nil {
			r.Fatalf("%+v: %v", want, err)
		}
		if !reflect.DeepEqual(got, want) {
			r.Fatalf("got %+v, want %+v", got, want)
		}
	})
}

func TestAnyEntrysFrameDecodesToIt(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		entries := rapid.SliceOfN(anyEntry(), 1, 8).Draw(r, "entries")
		Seal(entries)
		for _, want := range entries {
			got, err := DecodeEntry(want.Frame)
			if err != nil || !reflect.DeepEqual(got, want) {
				r.Fatalf("got %+v, %v, want %+v", got, err, want)
			}
			if len(want.Frame) > len(want.Data)+MaxFrameOverhead {
				r.Fatalf("a frame of %d bytes for %d of data", len(want.Frame), len(want.Data))
			}
		}
	})
}

func anyEntry() *rapid.Generator[raft.Entry] {
	return rapid.Custom(func(r *rapid.T) raft.Entry {
		return raft.Entry{
			Term:  raft.Term(rapid.Uint64Min(1).Draw(r, "term")),
			Index: raft.Index(rapid.Uint64Min(1).Draw(r, "index")),
			Kind:  raft.EntryKind(rapid.Uint8Range(1, 4).Draw(r, "kind")),
			Data:  anyData(r),
		}
	})
}

// anyData is never empty and not nil: the two are one on the wire.
func anyData(r *rapid.T) []byte {
	if data := rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(r, "data"); len(data) > 0 {
		return data
	}
	return nil
}

func anyMessage() *rapid.Generator[raft.Message] {
	return rapid.Custom(func(r *rapid.T) raft.Message {
		index := func(name string) raft.Index { return raft.Index(rapid.Uint64().Draw(r, name)) }
		position := func(name string) raft.Position {
			return raft.Position{Term: raft.Term(rapid.Uint64().Draw(r, name+" term")), Index: index(name)}
		}
		yes := func(name string) bool { return rapid.Bool().Draw(r, name) }
		from := rapid.Uint64Min(1).Draw(r, "from")
		h := raft.Header{
			From: raft.NodeID(from),
			To:   raft.NodeID(rapid.Uint64Min(1).Filter(func(to uint64) bool { return to != from }).Draw(r, "to")),
			Term: raft.Term(rapid.Uint64().Draw(r, "term")),
		}
		switch rapid.IntRange(0, 8).Draw(r, "type") {
		case 0:
			return &raft.RequestPreVote{Header: h, Last: position("last")}
		case 1:
			return &raft.RequestPreVoteReply{Header: h, Granted: yes("granted")}
		case 2:
			return &raft.RequestVote{Header: h, Last: position("last"), Transfer: yes("transfer")}
		case 3:
			return &raft.RequestVoteReply{Header: h, Granted: yes("granted")}
		case 4:
			return anyAppendEntries(r, h)
		case 5:
			return &raft.AppendEntriesReply{
				Header: h, Success: yes("success"), Match: index("match"),
				Rejected: index("rejected"), Hint: position("hint"),
			}
		case 6:
			return &raft.Heartbeat{Header: h, Commit: index("commit"), Round: rapid.Uint64().Draw(r, "round")}
		case 7:
			return &raft.HeartbeatReply{Header: h, Round: rapid.Uint64().Draw(r, "round")}
		default:
			return &raft.TermNotice{Header: h}
		}
	})
}

// anyAppendEntries follows the log's order: entries after Previous, in terms that
// never go back, and a sender that has reached them.
func anyAppendEntries(r *rapid.T, h raft.Header) *raft.AppendEntries {
	term := raft.Term(rapid.Uint64Max(1<<60).Draw(r, "previous term"))
	previous := raft.Position{Term: term, Index: raft.Index(rapid.Uint64Max(1<<60).Draw(r, "previous"))}
	var entries []raft.Entry
	for i := range rapid.IntRange(0, 6).Draw(r, "count") {
		term = max(term, 1) + raft.Term(rapid.Uint64Max(2).Draw(r, "term step"))
		entries = append(entries, raft.Entry{
			Term:  term,
			Index: previous.Index + raft.Index(i) + 1,
			Kind:  raft.EntryKind(rapid.Uint8Range(1, 4).Draw(r, "kind")),
			Data:  anyData(r),
		})
	}
	Seal(entries)
	h.Term = term + raft.Term(rapid.Uint64Max(2).Draw(r, "newer"))
	return &raft.AppendEntries{
		Header: h, Previous: previous, Entries: entries,
		Commit: raft.Index(rapid.Uint64().Draw(r, "commit")),
	}
}
