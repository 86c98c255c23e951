package persistence

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dgraph-io/badger/v4"
	"github.com/google/go-cmp/cmp"
)

// TestC41_EveryFlippedBitIsDetected flips every bit of the last five commits.
// Badger would drop what follows without a word.
func TestC41_EveryFlippedBitIsDetected(t *testing.T) {
	im := newImage(t)
	from := im.starts[imageCommits-5]
	for at := from; at < im.end; at++ {
		for bit := range 8 {
			im.patch(at, []byte{im.content[at] ^ 1<<bit})
			if _, err := im.verify(imageCommits); !errors.Is(err, ErrCorrupt) {
				n, err := im.opens()
				t.Fatalf("bit %d of byte %d (%d before the end) was not detected; %d of %d entries are left, error %v",
					bit, at, im.end-at, n, imageCommits, err)
			}
		}
		im.patch(at, im.content[at:at+1])
	}
	if n, err := im.opens(); err != nil || n != imageCommits {
		t.Fatalf("with every bit back in its place: %d entries, error %v", n, err)
	}
}

// TestC41_AFlipIsDetectedWithoutTheWitness is the same after a power cut that the
// witness, which is not synced, did not survive: the records behind the flip tell.
// The last commit alone then looks like one that was never finished.
func TestC41_AFlipIsDetectedWithoutTheWitness(t *testing.T) {
	im := newImage(t)
	for at := im.starts[imageCommits-5]; at < im.starts[imageCommits-1]; at++ {
		for bit := range 8 {
			im.patch(at, []byte{im.content[at] ^ 1<<bit})
			if _, err := im.verify(0); !errors.Is(err, ErrCorrupt) {
				t.Fatalf("bit %d of byte %d was not detected: %v", bit, at, err)
			}
		}
		im.patch(at, im.content[at:at+1])
	}
}

// TestC41_ADamagedHeaderIsDetected is a log that Badger would take for an encrypted
// one, and not open.
func TestC41_ADamagedHeaderIsDetected(t *testing.T) {
	im := newImage(t)
	im.patch(5, []byte{im.content[5] ^ 1})
	before := directoryContent(t, im.dir)
	if _, err := OpenBadger(im.options); !errors.Is(err, ErrCorrupt) {
		t.Fatalf("got %v, want ErrCorrupt", err)
	}
	if d := cmp.Diff(before, directoryContent(t, im.dir)); d != "" {
		t.Fatalf("the evidence has changed:\n%s", d)
	}
}

// TestC41_ATornTailIsCutOff cuts the last commit at every byte, before it was
// acknowledged: the file ends there, or is zero from there on.
func TestC41_ATornTailIsCutOff(t *testing.T) {
	im := newImage(t)
	im.witness(imageCommits - 1)
	last := im.starts[imageCommits-1]
	for at := last; at < im.end; at++ {
		im.patch(at, make([]byte, im.end-at))
		got, err := im.verify(imageCommits - 1)
		if err != nil || got != imageCommits-1 {
			t.Fatalf("zero from byte %d of the commit on: last commit %d, error %v", at-last, got, err)
		}
		if (at-last)%16 == 0 {
			if n, err := im.opens(); err != nil || n != imageCommits-1 {
				t.Fatalf("zero from byte %d of the commit on: %d entries, error %v", at-last, n, err)
			}
		}
		im.patch(at, im.content[at:im.end])
	}
	for at := im.end - 1; at >= last; at-- {
		if err := os.Truncate(im.mem, int64(at)); err != nil {
			t.Fatal(err)
		}
		got, err := im.verify(imageCommits - 1)
		if err != nil || got != imageCommits-1 {
			t.Fatalf("cut at byte %d of the commit: last commit %d, error %v", at-last, got, err)
		}
		if (at-last)%16 == 0 {
			if n, err := im.opens(); err != nil || n != imageCommits-1 {
				t.Fatalf("cut at byte %d of the commit: %d entries, error %v", at-last, n, err)
			}
		}
	}
}

// TestC41_AnAcknowledgedTailIsNotCutOff is a torn tail that the witness saw whole.
func TestC41_AnAcknowledgedTailIsNotCutOff(t *testing.T) {
	im := newImage(t)
	im.patch(im.starts[imageCommits-1], make([]byte, im.end-im.starts[imageCommits-1]))
	before := directoryContent(t, im.dir)
	for range 2 {
		_, err := OpenBadger(im.options)
		if !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), "never start this server's id on other data") {
			t.Fatalf("got %v, want ErrCorrupt and what to do", err)
		}
		if d := cmp.Diff(before, directoryContent(t, im.dir)); d != "" {
			t.Fatalf("the evidence has changed:\n%s", d)
		}
	}
}

// TestC41_CommitsFollowEachOther leaves nothing to the witness: after a power cut
// it may know of no commit at all.
func TestC41_CommitsFollowEachOther(t *testing.T) {
	im := newImage(t)
	next := filepath.Join(filepath.Dir(im.mem), memName(2))
	for name, c := range map[string]struct {
		commits []uint64
		want    uint64 // zero means refused
	}{
		"the next file":             {[]uint64{imageCommits + 1, imageCommits + 2}, imageCommits + 2},
		"a file that came too late": {[]uint64{imageCommits, imageCommits + 1}, imageCommits + 1},
		"a file is missing":         {[]uint64{imageCommits + 2, imageCommits + 3}, 0},
		"a commit is missing":       {[]uint64{imageCommits + 1, imageCommits + 3}, 0},
	} {
		if err := os.WriteFile(next, memFile(c.commits...), 0o600); err != nil {
			t.Fatal(err)
		}
		last, err := im.verify(0)
		if last != c.want || (c.want == 0) != errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: last commit %d, error %v; want %d", name, last, err, c.want)
		}
	}
	for _, path := range []string{next, filepath.Join(filepath.Dir(im.mem), badger.ManifestFilename)} {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := im.verify(0); !errors.Is(err, ErrCorrupt) {
		t.Errorf("without a manifest: %v", err)
	}
}
