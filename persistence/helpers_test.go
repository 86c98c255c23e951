package persistence

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"castaway/messages"
	"castaway/raft"
)

// image is a data directory as a kill -9 leaves it: commits 1 to commits, one
// entry each, all acknowledged.
type image struct {
	t       testing.TB
	dir     string
	options Options
	entries []raft.Entry
	mem     string // path of the memtable log
	content []byte // and what it holds
	end     int    // where its last commit ends
	starts  []int  // where each commit begins
}

const imageCommits = 8

func newImage(t testing.TB) *image {
	t.Helper()
	o := testOptions(testDir(t))
	s := mustOpen(t, o)
	im := &image{t: t, options: o}
	for i := range raft.Index(imageCommits) {
		e := testEntries(2, i+1, i+1)
		im.entries = append(im.entries, e...)
		hard := raft.HardState{Term: 2, Vote: 3}
		if err := errors.Join(s.Append(1, &raft.Persist{HardState: &hard, Entries: e}), s.Sync()); err != nil {
			t.Fatal(err)
		}
	}
	im.dir = o.Dir + ".image"
	if err := os.CopyFS(im.dir, os.DirFS(o.Dir)); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	im.options.Dir = im.dir
	im.mem = filepath.Join(im.dir, logDirectory, memName(1))
	var err error
	if im.content, err = os.ReadFile(im.mem); err != nil {
		t.Fatal(err)
	}
	nonce := im.nonce()
	for at := memHeaderBytes; ; {
		im.starts = append(im.starts, at)
		for e, size := readMemEntry(im.content[at:]); ; e, size = readMemEntry(im.content[at:]) {
			if at += size; e.meta&memBitFinTxn != 0 {
				break
			}
		}
		if len(im.starts) == imageCommits {
			im.end = at
			break
		}
	}
	if s := summarizeMem(im.content, nonce); s.last != imageCommits || s.end != im.end {
		t.Fatalf("the image ends with commit %d at %d, want %d at %d", s.last, s.end, imageCommits, im.end)
	}
	return im
}

func (im *image) nonce() uint64 {
	b, err := os.ReadFile(filepath.Join(im.dir, identityFile))
	if err != nil {
		im.t.Fatal(err)
	}
	id, err := decodeIdentity(b)
	if err != nil {
		im.t.Fatal(err)
	}
	return id.nonce
}

// verify is what OpenBadger does before it lets Badger touch anything.
func (im *image) verify(witnessed uint64) (uint64, error) {
	return verify(filepath.Join(im.dir, logDirectory), im.nonce(), witnessed)
}

// patch writes bytes into the memtable log.
func (im *image) patch(at int, b []byte) {
	f, err := os.OpenFile(im.mem, os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteAt(b, int64(at))
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		im.t.Fatal(err)
	}
}

// witness sets what the witness has seen.
func (im *image) witness(sequence uint64) {
	w, _, err := openWitness(im.dir, im.nonce())
	if err != nil {
		im.t.Fatal(err)
	}
	if err := errors.Join(createWitness(im.dir, im.nonce()), w.close()); err != nil {
		im.t.Fatal(err)
	}
	if w, _, err = openWitness(im.dir, im.nonce()); err != nil {
		im.t.Fatal(err)
	}
	if err := errors.Join(w.note(sequence), w.close()); err != nil {
		im.t.Fatal(err)
	}
}

// opens opens a copy of the image for good, and says how many entries are there;
// all of them must be the acknowledged ones.
func (im *image) opens() (int, error) {
	o := im.options
	o.Dir = im.dir + ".open"
	defer os.RemoveAll(o.Dir)
	if err := os.CopyFS(o.Dir, os.DirFS(im.dir)); err != nil {
		im.t.Fatal(err)
	}
	s, err := OpenBadger(o)
	if err != nil {
		return 0, err
	}
	defer s.Close()
	r, err := s.Load(1, 1<<30)
	if err != nil {
		return 0, err
	}
	if d := cmp.Diff(im.entries[:len(r.Tail)], r.Tail); d != "" {
		im.t.Fatalf("entries (-acknowledged +found):\n%s", d)
	}
	if r.HardState != (raft.HardState{Term: 2, Vote: 3}) {
		im.t.Fatalf("hard state is %+v", r.HardState)
	}
	return len(r.Tail), nil
}

// directoryContent is every file below dir, but the lock.
func directoryContent(t testing.TB, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == lockFile {
			return err
		}
		b, err := os.ReadFile(path)
		files[path] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func testOptions(dir string) Options {
	o := DefaultOptions(dir)
	o.ClusterID, o.ServerID = 0xc1, 1
	o.MemTableBytes, o.MaxEntryBytes = 1<<20, 64<<10
	o.HardFloorBytes, o.ReserveBytes = 16<<20, 32<<20
	o.Logger = slog.New(slog.DiscardHandler)
	return o
}

// testDir is in memory if there is such a place: it is not the disk that is
// tested.
func testDir(t testing.TB) string {
	t.Helper()
	parent := ""
	if hasMemory() {
		parent = memoryDirectory
	}
	dir, err := os.MkdirTemp(parent, "castaway-persistence-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "data")
}

func mustOpen(t testing.TB, o Options) *Badger {
	t.Helper()
	s, err := OpenBadger(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func testEntries(term raft.Term, first, last raft.Index) []raft.Entry {
	var entries []raft.Entry
	for i := first; i <= last; i++ {
		entries = append(entries, raft.Entry{
			Term: term, Index: i, Kind: raft.EntryCommand, Data: slices.Repeat([]byte{byte(i)}, int(i%32)+1),
		})
	}
	messages.Seal(entries)
	return entries
}

// bigEntry makes one entry with that much data.
func bigEntry(term raft.Term, index raft.Index, size int) []raft.Entry {
	e := []raft.Entry{{Term: term, Index: index, Kind: raft.EntryCommand, Data: make([]byte, size)}}
	for i := range e[0].Data {
		e[0].Data[i] = byte(i * int(index))
	}
	messages.Seal(e)
	return e
}

// fileSize is zero for a file that has just gone.
func fileSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// sameEntries compares entries too large for a diff.
func sameEntries(t testing.TB, want, got []raft.Entry) {
	t.Helper()
	if len(want) != len(got) {
		t.Fatalf("%d entries, want %d", len(got), len(want))
	}
	for i := range want {
		if want[i].Index != got[i].Index || want[i].Term != got[i].Term || want[i].Kind != got[i].Kind ||
			!bytes.Equal(want[i].Data, got[i].Data) || !bytes.Equal(want[i].Frame, got[i].Frame) {
			t.Fatalf("entry %d@t%d is not entry %d@t%d, or not its data", got[i].Index, got[i].Term, want[i].Index, want[i].Term)
		}
	}
}
