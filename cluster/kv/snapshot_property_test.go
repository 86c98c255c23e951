package kv

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"

	"pgregory.net/rapid"
)

// TestC26_ASnapshotIsTheStateAtItsIndex, whatever is applied while it is being
// written: what is restored from it agrees with the model as of then, and goes on as
// the machine that it was taken from.
func TestC26_ASnapshotIsTheStateAtItsIndex(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := &pairing{machine: New(), model: newModel()}
		step := func(label string) {
			for range rapid.IntRange(0, 12).Draw(t, label) {
				switch rapid.IntRange(0, 2).Draw(t, "kind") {
				case 0:
					p.delete(t)
				case 1:
					p.txn(t)
				default:
					p.put(t)
				}
			}
		}
		step("before")
		taken, err := p.machine.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		then := &pairing{machine: New(), model: p.model.copied()}
		bytesThen := p.machine.store.bytes
		step("meanwhile")

		payload := &appliesWhileWritten{apply: func() { p.put(t) }}
		if err := taken.Write(payload); err != nil {
			t.Fatal(err)
		}
		taken.Release()
		if err := then.machine.Restore(&payload.Buffer); err != nil {
			t.Fatal(err)
		}
		then.agree(t)
		if got := then.machine.store; got.revision != then.model.revision || got.bytes != bytesThen {
			t.Fatalf("restored at revision %d with %d bytes, want %d and %d", got.revision, got.bytes, then.model.revision, bytesThen)
		}
		then.txn(t)
		then.agree(t)
	})
}

// appliesWhileWritten is a file that is slow enough for a command at every write.
type appliesWhileWritten struct {
	bytes.Buffer
	apply func()
}

func (w *appliesWhileWritten) Write(b []byte) (int, error) {
	w.apply()
	return w.Buffer.Write(b)
}

// Snapshots are in files that later versions read: these bytes stay.
func TestGoldenSnapshot(t *testing.T) {
	m := New()
	write(t, m, "k", "v")
	write(t, m, "k", "w")
	s, err := m.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	const want = "01" + "03" + "01" + // version, revision, keys
		"0c" + "0a016b" + "1002" + "1803" + "2002" + "2a0177" + // key, create, mod, version, value
		"f52e33caf284d40b" // hash
	if got := hex.EncodeToString(written(t, s)); got != want {
		t.Errorf("a snapshot is %s, want %s", got, want)
	}
}

// Whatever is in a file, it is read or refused, and what was refused changed nothing.
func FuzzRestore(f *testing.F) {
	for _, keys := range []int{0, 1, 3} {
		s, err := filled(f, keys).Snapshot()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(written(f, s))
	}
	f.Add([]byte{snapshotVersion, 2, 1, 0xff, 0xff, 0xff, 0xff, 0x0f})                               // a key of 4 GiB
	f.Add([]byte{snapshotVersion, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0}) // a revision below zero
	f.Fuzz(func(t *testing.T, payload []byte) {
		m := filled(t, 2)
		before := m.StateHash()
		if err := m.Restore(bytes.NewReader(payload)); err != nil {
			if !errors.Is(err, ErrMalformed) || m.StateHash() != before {
				t.Fatalf("refused with %v; the hash was %x and is %x", err, before, m.StateHash())
			}
			return
		}
		if rehash(m) != m.StateHash() {
			t.Fatal("what was restored does not have its hash")
		}
		write(t, m, "k", "v")
	})
}
