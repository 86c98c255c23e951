package messages

import (
	"bytes"
	"reflect"
	"runtime"
	"testing"

	"google.golang.org/protobuf/proto"

	"castaway/raft"
)

// What DecodeEntry accepts, Seal makes, byte for byte; all else is an error.
func FuzzDecodeEntry(f *testing.F) {
	entries := frameSamples()
	Seal(entries)
	for _, e := range entries {
		f.Add(e.Frame)
		f.Add(e.Frame[:len(e.Frame)-1])
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		decodeAndReseal(t, frame)
		decodeAndReseal(t, withChecksum(frame)) // or else the checksum hides the rest
	})
}

func decodeAndReseal(t *testing.T, frame []byte) {
	e, err := DecodeEntry(frame)
	if err != nil {
		return
	}
	again := []raft.Entry{e}
	Seal(again)
	if !bytes.Equal(again[0].Frame, frame) {
		t.Fatalf("two frames for one entry:\n%x\n%x", frame, again[0].Frame)
	}
}

// Any bytes that a peer may send: no panic, and no more memory than they deserve.
func FuzzFromEnvelope(f *testing.F) {
	for _, e := range envelopeSamples() {
		wire, err := proto.Marshal(e)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(wire)
	}
	f.Fuzz(func(t *testing.T, wire []byte) {
		var e Envelope
		if proto.Unmarshal(wire, &e) != nil {
			return
		}
		repairFrames(e.GetAppendEntries())
		before := allocated()
		m, err := FromEnvelope(&e)
		beats, urgent, bad := Unbundle(&e)
		if spent := allocated() - before; spent > allocationBound(len(wire)) {
			t.Fatalf("%d bytes on the wire made the decoder allocate %d", len(wire), spent)
		}
		if bad == nil && len(beats) > 1 {
			again, _, err := Unbundle(Bundle(e.GetClusterId(), beats, urgent)[0])
			if err != nil || !reflect.DeepEqual(again, beats) {
				t.Fatalf("a bundle reads differently again: %+v, %v, want %+v", again, err, beats)
			}
		}
		if m == nil || err != nil {
			return
		}
		again, err := FromEnvelope(ToEnvelope(e.GetClusterId(), raft.GroupID(e.GetGroup()), m))
		if err != nil || !reflect.DeepEqual(again, m) {
			t.Fatalf("what was accepted once reads differently again: %+v, %v, want %+v", again, err, m)
		}
	})
}

// allocationBound: a raft.Entry has 72 bytes, and the smallest frame eight with
// its length; the rest is for the message, an error's text and the runtime.
func allocationBound(wire int) uint64 { return 16*uint64(wire) + 64<<10 }

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// repairFrames makes the checksums right where the lengths are, so that fuzzing
// gets behind them.
func repairFrames(m *AppendEntries) {
	packed := m.GetEntries()
	if _, err := countFrames(packed); err != nil {
		return
	}
	for len(packed) > 0 {
		size, n := minimalUvarint(packed)
		end := n + int(size)
		copy(packed[n:end], withChecksum(packed[n:end]))
		packed = packed[end:]
	}
}

// withChecksum is a copy of the frame with the checksum that it ought to have.
func withChecksum(frame []byte) []byte {
	if len(frame) < frameChecksumBytes {
		return frame
	}
	fixed := bytes.Clone(frame)
	putChecksum(fixed)
	return fixed
}
