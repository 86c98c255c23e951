package raft_test

import (
	"fmt"
	"slices"
	"testing"

	"castaway/raft"
)

// What FuzzStep does to its core.
const (
	actMessage = iota
	actTick
	actCampaign
	actSync
	actAck
	actApplied
	actPropose
	actRead
	actFetched
	actCrash
	actWin
	actFollow
	actCompact
	actReported
	actions
)

// victim is a core, its disk, and what it has promised.
type victim struct {
	t     *testing.T
	core  *raft.Core
	cfg   raft.Config
	start raft.Configuration
	disk  disk

	incarnation raft.Incarnation
	acks        []raft.Ack
	fetches     []raft.Fetch
	before      raft.Status
	commits     []raft.Entry                   // what it handed its machine, in this incarnation
	cover       map[raft.Position][]raft.Entry // what snapshots cover
	reads       raft.ReadID
	open        map[raft.ReadID]bool
	forgotten   bool // some message proved it to have lost what it acknowledged
}

func newVictim(t *testing.T, r *fuzzReader) *victim {
	var terms []raft.Term
	term := raft.Term(1)
	for range r.below(8) {
		term += raft.Term(r.below(3))
		terms = append(terms, term)
	}
	v := &victim{t: t, disk: *diskWithLog(terms), start: r.configuration(), cover: map[raft.Position][]raft.Entry{}}
	v.disk.hard.Term += raft.Term(r.below(3))
	v.disk.covered = v.covered
	flags := r.byte()
	v.cfg = raft.Config{
		ID: 1, ElectionTicks: 6, HeartbeatTicks: 2, PreVote: flags&1 != 0, CheckQuorum: flags&2 != 0,
		MaxMessageBytes: 64, MaxInflightMessages: 3, MaxInflightBytes: 128,
		MaxUncommittedBytes: 512, MaxEntryBytes: 64, MaxPendingReads: 3, CacheBytes: int(flags & 4 * 16),
		Random: func(n int) int { return n / 2 },
	}
	v.restart()
	return v
}

// restart crashes and comes back; the disk must always be good enough.
func (v *victim) restart() {
	v.disk.crash(0)
	v.incarnation++
	v.cfg.Incarnation = v.incarnation
	v.disk.install()
	core, err := raft.New(v.cfg, v.disk.restored(v.start, int(v.incarnation%4)))
	if err != nil {
		v.t.Fatalf("it does not start from its own disk: %v", err)
	}
	start := v.disk.start.Last.Index
	v.core, v.acks, v.fetches, v.forgotten = core, nil, nil, false
	v.commits = slices.Clone(v.disk.log[:start])
	v.open = map[raft.ReadID]bool{}
	v.before = core.Status()
}

func (v *victim) act(r *fuzzReader) {
	r.log = v.disk.view
	switch r.below(actions) {
	case actMessage:
		v.carry(v.core.Step(r.message(v.core.Term())))
	case actTick:
		for range r.below(16) {
			v.carry(v.core.Tick())
		}
	case actCampaign:
		v.carry(v.core.Campaign())
	case actSync:
		v.sync(1 + r.below(4))
	case actAck:
		a := raft.Ack{Incarnation: raft.Incarnation(r.number()), Sequence: r.number()}
		if a.Incarnation != v.incarnation { // its owner never lies to it, but may be late
			v.carry(v.core.Persisted(a))
		}
	case actApplied:
		v.carry(v.core.Applied(raft.Index(r.number())))
	case actPropose:
		_, e, _ := v.core.Propose([]raft.Proposal{{Data: make([]byte, r.below(80))}, {Kind: raft.EntryKind(r.below(6)), Data: []byte{1}}}[:1+r.below(2)])
		v.carry(e)
	case actRead:
		v.reads++
		v.open[v.reads] = true
		e, err := v.core.ReadIndex(v.reads)
		if err != nil {
			delete(v.open, v.reads)
		}
		v.carry(e)
	case actFetched:
		v.fetched(r)
	case actCompact:
		v.compact(raft.Index(r.number()))
	case actReported:
		v.carry(v.core.SnapshotReported(r.id(), v.core.Term(), r.position(), r.below(2) == 0))
	case actCrash:
		v.restart()
	default:
		v.help(r)
	}
}

// help plays a correct peer, which brings the core into all roles.
func (v *victim) help(r *fuzzReader) {
	h := raft.Header{From: raft.NodeID(2 + r.below(3)), To: 1, Term: v.core.Term()}
	end := v.before.Last
	for _, m := range []raft.Message{
		&raft.RequestPreVoteReply{Header: raft.Header{From: h.From, To: 1, Term: h.Term + 1}, Granted: true},
		&raft.RequestVoteReply{Header: h, Granted: true},
		&raft.AppendEntriesReply{Header: h, Success: true, Match: end.Index},
		&raft.Heartbeat{Header: h, Commit: v.before.Durable},
	}[:3+r.below(2)] {
		if v.core.Role() == raft.Leader && h.Term == v.core.Term() {
			if _, ok := m.(*raft.Heartbeat); ok {
				continue
			}
		}
		raft.HeaderOf(m).Term = max(raft.HeaderOf(m).Term, v.core.Term())
		v.carry(v.core.Step(m))
	}
	v.sync(r.below(3))
}

func (v *victim) fetched(r *fuzzReader) {
	f := raft.Fetch{
		To: r.id(), Term: raft.Term(r.number()), First: raft.Index(r.number()), Last: raft.Index(r.number()), MaxBytes: r.below(99),
	}
	if len(v.fetches) > 0 && r.below(2) == 0 {
		f = v.fetches[0]
		v.fetches = v.fetches[1:]
	}
	entries := r.entries(raft.Position{Term: f.Term, Index: f.First - 1})
	if r.below(3) > 0 && f.First > 0 {
		entries = v.disk.read(f.First, f.Last, f.MaxBytes)
	}
	v.carry(v.core.Fetched(f, entries))
}

// compact takes a snapshot first, as an owner does.
func (v *victim) compact(to raft.Index) {
	meta, ok := v.core.Meta(to)
	e, err := v.core.Compact(to)
	if ok && err == nil {
		v.disk.publish(meta)
	}
	v.carry(e)
}

// covered makes up what a snapshot covers: what is committed, and then what it says.
func (v *victim) covered(p raft.Position) []raft.Entry {
	if known, ok := v.cover[p]; ok {
		return known
	}
	entries := slices.Clone(v.disk.view[:v.before.Commit])
	for i := raft.Index(len(entries)) + 1; i <= p.Index; i++ {
		entries = append(entries, raft.Entry{Term: p.Term, Index: i, Kind: raft.EntryCommand})
	}
	entries = slices.Clip(entries)
	v.cover[p] = entries
	return entries
}

func (v *victim) sync(n int) {
	for ; n > 0 && len(v.disk.pending) > 0; n-- {
		p := v.disk.complete()
		for _, m := range p.After {
			v.leaves(m)
		}
		v.carry(v.core.Persisted(raft.Ack{Incarnation: v.incarnation, Sequence: p.Sequence}))
	}
}

// carry carries out effects and checks every promise.
func (v *victim) carry(e raft.Effects) {
	v.t.Helper()
	st := v.core.Status()
	b := v.before
	if st.HardState.Term < b.HardState.Term || st.Commit < b.Commit {
		v.t.Fatalf("term or commit index goes back, from %+v to %+v", b, st)
	}
	if st.HardState.Term == b.HardState.Term && b.HardState.Vote != 0 && st.HardState.Vote != b.HardState.Vote {
		v.t.Fatalf("the vote of term %d goes from %d to %d", st.HardState.Term, b.HardState.Vote, st.HardState.Vote)
	}
	if i := e.Install; i != nil {
		if i.Last.Index <= b.Commit || st.Applied != i.Last.Index {
			v.t.Fatalf("installs a snapshot up to %s, where %d is committed; applied is then %d", i.Last, b.Commit, st.Applied)
		}
		v.disk.publish(*i)
	}
	if t := e.Persist.TruncateFrom; t > 0 && t <= b.Commit {
		v.t.Fatalf("truncates from %d, where %d is committed", t, b.Commit)
	}
	if v.forgotten && fmt.Sprintf("%+v", e) != fmt.Sprintf("%+v", raft.Effects{}) {
		v.t.Fatalf("it forgot what it acknowledged, and yet goes on: %+v", e)
	}
	if e.Forgotten != nil {
		v.forgotten = true
		if len(e.Send) > 0 || !e.Persist.Empty() || st.Role != raft.Follower {
			v.t.Fatalf("it forgot what it acknowledged, and yet does something: %+v", e)
		}
	}
	if !e.Persist.Empty() {
		if err := v.disk.append(e.Persist); err != "" {
			v.t.Fatal(err)
		}
	}
	if e.Install != nil {
		v.commits = slices.Clone(v.disk.view[:e.Install.Last.Index])
	}
	if end := last(v.disk.view); st.Last != end {
		v.t.Fatalf("believes that the log ends at %s; it wrote up to %s", st.Last, end)
	}
	if st.Durable > v.disk.settled() {
		v.t.Fatalf("believes to be durable up to %d; only %d is", st.Durable, v.disk.settled())
	}
	v.before = st
	v.commit(e.Commit)
	for _, m := range e.Send {
		v.leaves(m)
	}
	v.fetches = append(v.fetches, e.Fetch...)
	for _, r := range e.Reads {
		v.answered(r.ID)
	}
	for _, id := range e.Aborted {
		v.answered(id)
	}
}

func (v *victim) answered(id raft.ReadID) {
	if !v.open[id] {
		v.t.Fatalf("read %d is answered, and it is not open", id)
	}
	delete(v.open, id)
}

// commit checks that what was committed stays, and what is handed over is the log.
func (v *victim) commit(s raft.Span) {
	for i, e := range v.commits {
		if term(v.disk.view, e.Index) != e.Term {
			v.t.Fatalf("entry %d was committed and is gone from the log %s", i+1, logTerms(v.disk.view))
		}
	}
	if s.Empty() {
		return
	}
	if s.First != raft.Index(len(v.commits))+1 || s.Last > v.before.Commit {
		v.t.Fatalf("hands over [%d, %d] after %d, of %d committed", s.First, s.Last, len(v.commits), v.before.Commit)
	}
	v.commits = append(v.commits, v.disk.view[s.First-1:s.Last]...)
}

// leaves checks a message when it leaves.
func (v *victim) leaves(m raft.Message) {
	h := raft.HeaderOf(m)
	hard := v.disk.hard
	if h.From != 1 || h.To == 1 || h.To == raft.None {
		v.t.Fatalf("%s leaves server 1", describe(m))
	}
	switch m := m.(type) {
	case *raft.RequestVoteReply:
		if m.Granted && (hard.Term < h.Term || (hard.Term == h.Term && hard.Vote != h.To)) {
			v.t.Fatalf("%s leaves; on disk is %+v", describe(m), hard)
		}
	case *raft.AppendEntriesReply:
		if m.Success && int(m.Match) > len(v.disk.log) {
			v.t.Fatalf("%s leaves; the durable log ends at %s", describe(m), last(v.disk.log))
		}
	}
}
