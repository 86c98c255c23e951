package storetest

import (
	"errors"
	"fmt"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"castaway/messages"
	"castaway/persistence"
	"castaway/raft"
)

// groups is how many groups the random runs use.
const groups = 3

// run is a random run: a store, and what it should hold.
type run struct {
	t     *rapid.T
	disk  Disk
	store persistence.Store
	now   model
	// moments are what a crash may bring back: the last durable one, and those
	// after it, in order.
	moments []model
}

// check compares a store with the model over random operations, crashes included.
func check(t *rapid.T, disk Disk) {
	r := &run{t: t, disk: disk, store: disk.Open(), now: model{}, moments: []model{{}}}
	defer func() { r.store.Close() }()
	t.Repeat(map[string]func(*rapid.T){
		"append":  r.append,
		"sync":    r.sync,
		"compact": r.compact,
		"entries": r.entries,
		"load":    r.load,
		"refuse":  r.refuse,
		"crash":   r.crash,
	})
	r.sync(t)
	r.crash(t)
}

func group(t *rapid.T) raft.GroupID {
	return raft.GroupID(rapid.IntRange(1, groups).Draw(t, "group"))
}

func (r *run) append(t *rapid.T) {
	id := group(t)
	g := r.now[id]
	p := &raft.Persist{Sequence: 1}
	hard := g.hard
	if hard.Term == 0 || rapid.IntRange(0, 3).Draw(t, "newTerm") == 0 {
		hard = raft.HardState{Term: hard.Term + 1, Vote: raft.NodeID(rapid.IntRange(0, 3).Draw(t, "vote"))}
		p.HardState = &hard
	}
	end := g.last()
	if end > g.snapshot.Last.Index && rapid.IntRange(0, 3).Draw(t, "truncate") == 0 {
		p.TruncateFrom = raft.Index(rapid.Uint64Range(uint64(g.snapshot.Last.Index)+1, uint64(end)+1).Draw(t, "from"))
		end = p.TruncateFrom - 1
	}
	term := max(g.at(end).Term, 1)
	for i := range rapid.IntRange(0, 6).Draw(t, "count") {
		term = raft.Term(rapid.Uint64Range(uint64(term), uint64(hard.Term)).Draw(t, "term"))
		e := raft.Entry{Term: term, Index: end + 1 + raft.Index(i), Kind: raft.EntryCommand}
		if rapid.IntRange(0, 9).Draw(t, "configuration") == 0 {
			e.Kind = raft.EntryConfiguration
		}
		e.Data = fill(rapid.IntRange(0, r.disk.MaxData).Draw(t, "size"), byte(len(r.moments)))
		p.Entries = append(p.Entries, e)
	}
	messages.Seal(p.Entries)
	if err := r.store.Append(id, p); err != nil {
		t.Fatalf("append to group %d: %v", id, err)
	}
	r.now = r.now.append(id, p)
	r.moments = append(r.moments, r.now)
}

func fill(size int, with byte) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = with + byte(i)
	}
	return b
}

func (r *run) sync(t *rapid.T) {
	if err := r.store.Sync(); err != nil {
		t.Fatalf("sync: %v", err)
	}
	r.moments = []model{r.now}
}

func (r *run) compact(t *rapid.T) {
	id := group(t)
	g := r.now[id]
	if g.hard.Term == 0 {
		return
	}
	at := raft.Index(rapid.Uint64Range(uint64(g.snapshot.Last.Index), uint64(g.last())+3).Draw(t, "index"))
	meta := raft.SnapshotMeta{Configuration: raft.Configuration{Voters: []raft.NodeID{1, 2, raft.NodeID(at + 3)}}}
	if at <= g.last() && rapid.IntRange(0, 9).Draw(t, "foreign") > 0 {
		meta.Last = g.at(at)
	} else {
		meta.Last = raft.Position{Term: g.hard.Term, Index: at}
	}
	if meta.Last.Index == 0 {
		return
	}
	if err := r.store.Compact(id, meta); err != nil {
		t.Fatalf("compact group %d to %s: %v", id, meta.Last, err)
	}
	r.now = r.now.compact(id, meta)
	r.moments = []model{r.now}
}

func (r *run) entries(t *rapid.T) {
	id := group(t)
	g := r.now[id]
	base := g.snapshot.Last.Index
	if base == g.last() {
		return
	}
	first := raft.Index(rapid.Uint64Range(uint64(base)+1, uint64(g.last())).Draw(t, "first"))
	last := raft.Index(rapid.Uint64Range(uint64(first), uint64(g.last())).Draw(t, "last"))
	limit := rapid.IntRange(0, 4*r.disk.MaxData+1).Draw(t, "limit")
	got, err := r.store.Entries(id, first, last, limit)
	if err != nil {
		t.Fatalf("entries [%d, %d] of group %d: %v", first, last, id, err)
	}
	want := g.entries[first-base-1 : last-base]
	size := 0
	for i := range want {
		if size += want[i].Size(); size > limit && i > 0 {
			want = want[:i]
			break
		}
	}
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		t.Fatalf("entries [%d, %d] of group %d, at most %d bytes (-want +got):\n%s", first, last, id, limit, d)
	}
}

// load makes everything durable first.
func (r *run) load(t *rapid.T) {
	if err := r.matches(r.now, rapid.IntRange(0, 6*r.disk.MaxData).Draw(t, "tail")); err != nil {
		t.Fatal(err)
	}
	r.moments = []model{r.now}
}

// matches says how the store differs from a moment.
func (r *run) matches(m model, tailBytes int) error {
	for id := raft.GroupID(1); id <= groups; id++ {
		g := m[id]
		got, err := r.store.Load(id, tailBytes)
		if err != nil {
			return fmt.Errorf("load group %d: %w", id, err)
		}
		tail := got.Tail
		got.Tail = nil
		if d := cmp.Diff(g.restored(), got, cmpopts.EquateEmpty()); d != "" {
			return fmt.Errorf("group %d (-want +got):\n%s", id, d)
		}
		size := 0
		from := len(g.entries)
		for ; from > 0; from-- {
			if size += g.entries[from-1].Size(); size > tailBytes {
				break
			}
		}
		if d := cmp.Diff(g.entries[from:], tail, cmpopts.EquateEmpty()); d != "" {
			return fmt.Errorf("tail of group %d in %d bytes (-want +got):\n%s", id, tailBytes, d)
		}
	}
	return nil
}

// refuse makes calls that do not fit, none of which may change anything.
func (r *run) refuse(t *rapid.T) {
	id := group(t)
	g := r.now[id]
	hard := g.hard
	hard.Term++
	gap := entry(hard.Term, g.last()+2)
	early := entry(g.hard.Term+1, g.last()+1)
	for what, p := range map[string]*raft.Persist{
		"a gap":           {HardState: &hard, Entries: []raft.Entry{gap}},
		"a later term":    {Entries: []raft.Entry{early}},
		"a deep cut":      {TruncateFrom: g.last() + 2},
		"a lost snapshot": {TruncateFrom: g.snapshot.Last.Index},
	} {
		if p.TruncateFrom == 0 && len(p.Entries) == 0 {
			continue
		}
		if err := r.store.Append(id, p); !errors.Is(err, persistence.ErrInvalid) {
			t.Fatalf("append with %s: %v", what, err)
		}
	}
	if _, err := r.store.Entries(id, g.last()+1, g.last()+1, 1); !errors.Is(err, persistence.ErrUnavailable) {
		t.Fatalf("entries beyond the log: %v", err)
	}
	if base := g.snapshot.Last.Index; base > 0 {
		if _, err := r.store.Entries(id, base, base, 1); !errors.Is(err, persistence.ErrCompacted) {
			t.Fatalf("entries before the log: %v", err)
		}
	}
}

// crash brings back one of the moments since the last sync.
func (r *run) crash(t *rapid.T) {
	keep := rapid.IntRange(0, len(r.moments)-1).Draw(t, "keep")
	r.store = r.disk.Crash(r.store, keep)
	var last error
	for i := len(r.moments) - 1; i >= 0; i-- {
		if last = r.matches(r.moments[i], 1<<30); last == nil {
			r.now = r.moments[i]
			r.moments = []model{r.now}
			return
		}
	}
	t.Fatalf("after a crash the store holds none of %d moments; the durable one: %v", len(r.moments), last)
}
