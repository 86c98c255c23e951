package kv

import (
	"bytes"
	"os"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"castaway/actors"
	"castaway/raft"
)

// openedDisk opens a machine in a directory, as it was left.
func openedDisk(t fataler, dir string) (*Disk, raft.Index, []actors.Pair) {
	m := NewDisk(DiskOptions{Dir: dir, MemTableBytes: 8 << 20})
	applied, side, err := m.Open()
	if err != nil {
		t.Fatal(err)
	}
	return m, applied, side
}

type fataler interface {
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// both is a machine on disk beside one in memory.
type both struct {
	dir     string
	disk    *Disk
	memory  *Machine
	applied raft.Index
	views   []twoViews
}

type twoViews struct{ disk, memory *View }

// apply applies a batch to both, which must answer alike.
func (b *both) apply(t *rapid.T) {
	var commands []actors.Command
	for range rapid.IntRange(1, 6).Draw(t, "commands") {
		var data []byte
		var err error
		switch rapid.IntRange(0, 3).Draw(t, "kind") {
		case 0:
			data, err = EncodeDeleteRange(drawDelete(t))
		case 1:
			data, err = EncodeTxn(drawTxn(t, b.memory.store.revision, 2))
		default:
			r := drawPut(t)
			if len(r.Value) > 10 {
				r.Value = bytes.Repeat(r.Value, rapid.SampledFrom([]int{1, partBytes / len(r.Value), 3 * partBytes / len(r.Value)}).Draw(t, "times"))
			}
			data, err = EncodePut(r)
		}
		if err != nil {
			t.Fatal(err)
		}
		commands = append(commands, actors.Command{Index: b.applied + 1, Term: 1, Data: data})
		b.applied++
	}
	want, got := b.memory.Apply(commands), b.disk.Apply(commands)
	for i := range want {
		if !bytes.Equal(want[i], got[i]) {
			t.Fatalf("command %d of the batch: on disk %.200x, in memory %.200x", i, got[i], want[i])
		}
	}
	b.commit(t, nil)
}

func (b *both) commit(t *rapid.T, side []actors.Pair) {
	if err := b.disk.Commit(b.applied, side); err != nil {
		t.Fatal(err)
	}
}

func (b *both) read(t *rapid.T) {
	r := drawRange(t, b.memory.store.revision)
	want, wantErr := b.memory.read(r)
	got, err := b.disk.read(r)
	if err != nil || wantErr != nil || !proto.Equal(want, got) {
		t.Fatalf("%v\nreads on disk %.500v (%v)\nin memory %.500v (%v)", r, got, err, want, wantErr)
	}
}

func (b *both) view(t *rapid.T) {
	disk, err := b.disk.Query(all)
	if err != nil {
		t.Fatal(err)
	}
	memory, _ := b.memory.Query(all)
	b.views = append(b.views, twoViews{disk.(*View), memory.(*View)})
}

// reopen leaves views behind, which must not be read any more.
func (b *both) reopen(t *rapid.T) {
	if err := b.disk.Close(); err != nil {
		t.Fatal(err)
	}
	for _, v := range b.views {
		if _, err := v.disk.Range(all); err == nil {
			t.Fatal("a view of a closed machine was read")
		}
	}
	b.views = nil
	var applied raft.Index
	if b.disk, applied, _ = openedDisk(t, b.dir); applied != b.applied {
		t.Fatalf("opened at entry %d, was left at %d", applied, b.applied)
	}
}

// exchange gives each the other's snapshot.
func (b *both) exchange(t *rapid.T) {
	var payloads [2]bytes.Buffer
	for i, m := range []actors.Snapshotter{b.disk, b.memory} {
		s, err := m.Snapshot()
		if err == nil {
			err = s.Write(&payloads[i])
		}
		if err != nil {
			t.Fatal(err)
		}
		s.Release()
	}
	if !bytes.Equal(payloads[0].Bytes(), payloads[1].Bytes()) {
		t.Fatal("the snapshots are not equal")
	}
	b.views = nil
	if err := b.memory.Restore(&payloads[0]); err != nil {
		t.Fatal(err)
	}
	if err := b.disk.Restore(&payloads[1]); err != nil {
		t.Fatal(err)
	}
	b.commit(t, nil)
}

// agree compares hashes, figures, all items, and what views say.
func (b *both) agree(t *rapid.T) {
	if b.disk.store.figures != b.memory.store.figures {
		t.Fatalf("on disk %+v, in memory %+v", b.disk.store.figures, b.memory.store.figures)
	}
	b.view(t)
	for i, v := range b.views {
		want, _ := v.memory.Range(all)
		if got, err := v.disk.Range(all); err != nil || !proto.Equal(want, got) {
			t.Fatalf("view %d of %d: on disk %.500v (%v)\nin memory %.500v", i, len(b.views), got, err, want)
		}
	}
}

// Whatever is done to them, a machine on disk cannot be told from one in memory.
func TestOnDiskIsAsInMemory(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "machine")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		b := &both{dir: dir, memory: New()}
		b.disk, _, _ = openedDisk(t, dir)
		defer func() { _ = b.disk.Close() }()
		for range rapid.IntRange(1, 10).Draw(t, "steps") {
			switch rapid.IntRange(0, 11).Draw(t, "step") {
			case 0:
				b.reopen(t)
			case 1:
				b.exchange(t)
			case 2, 3, 4:
				b.read(t)
			default:
				b.apply(t)
			}
			b.agree(t)
		}
	})
}
