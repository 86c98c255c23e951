package raft_test

import (
	"math/rand/v2"
	"testing"

	"castaway/raft"
)

// FuzzStep hands a core, in any role and with any log, whatever is well-typed: wrong
// terms, indexes from the end of the number line, entries with gaps, messages from
// strangers and to others, acknowledgements and fetches that nobody asked for. It
// must not panic, must keep its promises (term, vote, what it committed, what it said
// is durable), and must start again from its own disk.
func FuzzStep(f *testing.F) {
	for _, seed := range fuzzSeeds() {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r := &fuzzReader{data: data}
		v := newVictim(t, r)
		for len(r.data) > 0 {
			v.act(r)
		}
		v.restart()
	})
}

// fuzzSeeds are programs that bring a core into each role and then go on.
func fuzzSeeds() [][]byte {
	var seeds [][]byte
	log := []byte{3, 1, 0, 1, 0} // three entries, config, …
	for kind := range byte(actions) {
		seeds = append(seeds,
			append(append([]byte{}, log...), kind, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10),
			append(append([]byte{}, log...), actCampaign, actSync, 3, kind, 1, 1, 250, 3, 251, 5, 252, 7, 253, 9, 254),
			append(append([]byte{}, log...), actCampaign, actWin, 2, actWin, 3, actSync, 9, kind, 0, 2, 1, 1, 2, 1, 3, 1, 1),
		)
	}
	return seeds
}

// fuzzReader turns bytes into values; it gives zeros at the end.
type fuzzReader struct {
	data []byte
	log  []raft.Entry // of the victim
}

func (r *fuzzReader) byte() byte {
	if len(r.data) == 0 {
		return 0
	}
	b := r.data[0]
	r.data = r.data[1:]
	return b
}

func (r *fuzzReader) below(n int) int { return int(r.byte()) % n }

// number is mostly small, and sometimes from where sums overflow.
func (r *fuzzReader) number() uint64 {
	b := r.byte()
	if b < 240 {
		return uint64(b % 12)
	}
	return []uint64{
		1<<64 - 1, 1<<64 - 2, 1 << 63, 1<<63 - 1, 1 << 62, 1<<62 - 1, 1<<62 - 2, 1<<62 + 1,
		1 << 32, 1<<32 - 1, 1 << 31, 100, 1000, 1 << 16, 12, 13,
	}[b-240]
}

func (r *fuzzReader) id() raft.NodeID {
	if b := r.byte(); b < 250 {
		return raft.NodeID(b % 6)
	}
	return raft.NodeID(r.number())
}

// position is one of the victim's, half of the time.
func (r *fuzzReader) position() raft.Position {
	if r.below(2) == 0 {
		return last(r.log[:r.below(len(r.log)+1)])
	}
	return raft.Position{Term: raft.Term(r.number()), Index: raft.Index(r.number())}
}

// entries follow a position properly, most of the time.
func (r *fuzzReader) entries(after raft.Position) []raft.Entry {
	entries := make([]raft.Entry, r.below(5))
	for i := range entries {
		e := &entries[i]
		*e = raft.Entry{Term: after.Term, Index: after.Index + 1, Kind: raft.EntryCommand, Data: []byte{byte(after.Term)}}
		switch r.below(8) {
		case 0:
			e.Term++
		case 1:
			e.Term += raft.Term(r.number())
		case 2:
			e.Index = raft.Index(r.number())
		case 3:
			e.Kind = raft.EntryKind(r.byte() % 5)
			e.Data = []byte{1, r.byte() % 4, 1, r.byte(), 1, 0, 0}
		case 4:
			e.Kind, e.Data = raft.EntryConfiguration, r.configuration().Encode()
		}
		after = raft.Position{Term: e.Term, Index: e.Index}
	}
	return entries
}

func (r *fuzzReader) configuration() raft.Configuration {
	return []raft.Configuration{
		{Voters: []raft.NodeID{1, 2, 3}},
		{Voters: []raft.NodeID{1}},
		{Voters: []raft.NodeID{1, 2, 3}, OldVoters: []raft.NodeID{3, 4, 5}},
		{Voters: []raft.NodeID{1, 2}, Learners: []raft.NodeID{3}},
		{Voters: []raft.NodeID{2, 3}, Learners: []raft.NodeID{1}},
		{Voters: []raft.NodeID{2, 3}},
	}[r.below(6)]
}

// message is any well-typed message.
func (r *fuzzReader) message(current raft.Term) raft.Message {
	kind := r.below(11)
	h := raft.Header{From: r.id(), To: 1, Term: current}
	switch r.below(8) {
	case 0:
		h.Term = raft.Term(r.number())
	case 1:
		h.Term += raft.Term(r.number())
	case 2:
		h.To = r.id()
	}
	switch kind {
	case 0:
		return &raft.RequestPreVote{Header: h, Last: r.position()}
	case 1:
		return &raft.RequestPreVoteReply{Header: h, Granted: r.below(4) > 0}
	case 2:
		return &raft.RequestVote{Header: h, Last: r.position(), Transfer: r.below(4) == 0}
	case 3:
		return &raft.RequestVoteReply{Header: h, Granted: r.below(4) > 0}
	case 4, 5:
		m := &raft.AppendEntries{Header: h, Previous: r.position(), Commit: raft.Index(r.number())}
		m.Entries = r.entries(m.Previous)
		return m
	case 6:
		return &raft.AppendEntriesReply{
			Header: h, Success: r.below(2) > 0, Match: raft.Index(r.number()),
			Rejected: raft.Index(r.number()), Hint: r.position(),
		}
	case 7:
		return &raft.Heartbeat{Header: h, Commit: raft.Index(r.number()), Round: r.number()}
	case 8:
		return &raft.HeartbeatReply{Header: h, Round: r.number()}
	case 9:
		return &raft.InstallSnapshot{Header: h, Snapshot: r.snapshot()}
	default:
		return &raft.TermNotice{Header: h}
	}
}

// snapshot ends at any position, but for those far beyond any log that a correct
// server could still name: the disk of these tests writes them out.
func (r *fuzzReader) snapshot() raft.SnapshotMeta {
	last := r.position()
	if last.Index > 2000 && last.Index < 1<<62 {
		last.Index %= 2000
	}
	return raft.SnapshotMeta{Last: last, Configuration: r.configuration()}
}

// The same with random programs, which go deeper than a fuzzer's short ones; and all
// roles, commits and truncations are met on the way.
func TestStep_AnyMessage(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	roles, commits, truncations := map[raft.Role]int{}, 0, 0
	for range 4000 {
		r := &fuzzReader{data: make([]byte, 30+rng.IntN(600))}
		for i := range r.data {
			r.data[i] = byte(rng.IntN(256))
		}
		v := newVictim(t, r)
		v.cfg.Trace = func(e raft.TraceEvent) {
			roles[e.After.Role]++
			if e.Effects.Persist.TruncateFrom > 0 {
				truncations++
			}
		}
		for len(r.data) > 0 {
			v.act(r)
			commits = max(commits, len(v.commits))
		}
		v.restart()
	}
	if len(roles) < 4 || commits < 5 || truncations < 50 {
		t.Errorf("the programs are too tame: roles %v, at most %d commits, %d truncations", roles, commits, truncations)
	}
	t.Logf("roles %v, at most %d commits, %d truncations", roles, commits, truncations)
}
