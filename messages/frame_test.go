package messages

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"reflect"
	"testing"

	"castaway/raft"
)

func TestSealedEntriesDecodeToThemselves(t *testing.T) {
	entries := frameSamples()
	Seal(entries)
	for _, want := range entries {
		got, err := DecodeEntry(want.Frame)
		if err != nil {
			t.Fatalf("entry %d: %v", want.Index, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("entry %d: got %+v, want %+v", want.Index, got, want)
		}
	}
}

// The caller's buffer is free after Seal: a client's command may lie in a buffer
// that is used again for the next one.
func TestSealCopiesTheData(t *testing.T) {
	command := []byte("put a 1")
	entries := []raft.Entry{{Term: 1, Index: 1, Kind: raft.EntryCommand, Data: command}}
	Seal(entries)
	copy(command, "XXXXXXX")
	if string(entries[0].Data) != "put a 1" {
		t.Errorf("Data changed with the caller's buffer: %q", entries[0].Data)
	}
	if _, err := DecodeEntry(entries[0].Frame); err != nil {
		t.Error(err)
	}
}

// Frames of one Seal are neighbours in memory; an append to one must not reach
// the next.
func TestAnAppendToOneFrameLeavesTheNextAlone(t *testing.T) {
	entries := sealed(raft.Position{}, 1, "one", "two")
	_ = append(entries[0].Frame, "overrun"...)
	_ = append(entries[0].Data, "overrun"...)
	if e, err := DecodeEntry(entries[1].Frame); err != nil || string(e.Data) != "two" {
		t.Errorf("the second entry is %q, %v", e.Data, err)
	}
}

// Every damaged bit shows, wherever it is.
func TestEveryFlippedBitOfAFrameIsDetected(t *testing.T) {
	entries := frameSamples()
	Seal(entries)
	for _, e := range entries {
		for bit := range len(e.Frame) * 8 {
			damaged := bytes.Clone(e.Frame)
			damaged[bit/8] ^= 1 << (bit % 8)
			if _, err := DecodeEntry(damaged); !errors.Is(err, ErrCorruptFrame) {
				t.Fatalf("entry %d with bit %d flipped: %v", e.Index, bit, err)
			}
		}
	}
}

func TestEveryCutOffFrameIsDetected(t *testing.T) {
	entries := frameSamples()
	Seal(entries)
	for _, e := range entries {
		for size := range len(e.Frame) {
			if _, err := DecodeEntry(e.Frame[:size:size]); !errors.Is(err, ErrCorruptFrame) {
				t.Fatalf("entry %d cut at %d: %v", e.Index, size, err)
			}
		}
	}
}

// Frames whose checksum is right and whose content is not: nobody made them by
// accident, so the decoder has to look.
func TestFramesThatSealNeverMakesAreRefused(t *testing.T) {
	for _, c := range []struct {
		name string
		body []byte
		want error
	}{
		{"entry kind zero", []byte{0, 1, 1, 'x'}, ErrUnknownEntry},
		{"entry kind of a newer version", []byte{5, 1, 1, 'x'}, ErrUnknownEntry},
		{"term zero", []byte{1, 0, 1, 'x'}, ErrCorruptFrame},
		{"index zero", []byte{1, 1, 0, 'x'}, ErrCorruptFrame},
		{"term in two bytes where one does", []byte{1, 0x81, 0x00, 1, 'x'}, ErrCorruptFrame},
		{"index without an end", []byte{1, 1, 0xff, 0xff}, ErrCorruptFrame},
		{"term over 64 bits", append(append([]byte{1}, bytes.Repeat([]byte{0xff}, 10)...), 1, 1), ErrCorruptFrame},
	} {
		frame := binary.LittleEndian.AppendUint32(nil, crc32.Checksum(c.body, crc32.MakeTable(crc32.Castagnoli)))
		if _, err := DecodeEntry(append(frame, c.body...)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

func TestOneSealIsOneAllocation(t *testing.T) {
	entries := sealed(raft.Position{}, 1, "one", "two", "three", "four")
	if n := testing.AllocsPerRun(100, func() { Seal(entries) }); n > 1 {
		t.Errorf("Seal of 4 entries: %v allocations", n)
	}
}
