package messages

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
)

var update = flag.Bool("update", false, "write the golden files anew; do so only for kinds that no release has sent")

// The golden files are what other versions wrote and will write: a change of one
// is a node that does not understand another.
func TestGoldenEnvelopes(t *testing.T) {
	for kind, e := range envelopeSamples() {
		t.Run(string(kind), func(t *testing.T) {
			got, err := proto.MarshalOptions{Deterministic: true}.Marshal(e)
			if err != nil {
				t.Fatal(err)
			}
			want := golden(t, "envelope_"+string(kind), got)
			if !bytes.Equal(got, want) {
				t.Fatalf("the wire of %s changed:\n got %x\nwant %x", kind, got, want)
			}
			var back Envelope
			if err := proto.Unmarshal(want, &back); err != nil {
				t.Fatal(err)
			}
			if !proto.Equal(e, &back) {
				t.Fatalf("an older version's %s reads differently:\n got %v\nwant %v", kind, &back, e)
			}
		})
	}
}

func TestGoldenFrames(t *testing.T) {
	entries := frameSamples()
	Seal(entries)
	var got []byte
	for _, e := range entries {
		got = append(got, e.Frame...)
	}
	want := golden(t, "frames", got)
	if !bytes.Equal(got, want) {
		t.Fatalf("the frame of an entry changed:\n got %x\nwant %x", got, want)
	}
}

// No kind is without its golden file, and no golden file without its kind.
func TestGoldenFilesCoverTheSchema(t *testing.T) {
	fields := (&Envelope{}).ProtoReflect().Descriptor().Oneofs().ByName("kind").Fields()
	var want []string
	for i := range fields.Len() {
		want = append(want, "envelope_"+string(fields.Get(i).Name())+".hex")
	}
	files, err := filepath.Glob("testdata/envelope_*.hex")
	if err != nil {
		t.Fatal(err)
	}
	for i := range files {
		files[i] = filepath.Base(files[i])
	}
	slices.Sort(want)
	if !slices.Equal(files, want) {
		t.Fatalf("golden files and schema differ:\n files %v\nschema %v", files, want)
	}
	kinds := slices.Sorted(maps.Keys(envelopeSamples()))
	if len(kinds) != len(want) {
		t.Fatalf("samples lack a kind: %v", kinds)
	}
	for kind, e := range envelopeSamples() {
		if KindOf(e) != kind {
			t.Errorf("KindOf(%s) = %s", kind, KindOf(e))
		}
	}
}

// golden reads testdata/name.hex, and writes it first under -update.
func golden(t *testing.T, name string, got []byte) []byte {
	t.Helper()
	path := filepath.Join("testdata", name+".hex")
	if *update {
		if err := os.WriteFile(path, hexLines(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (go test ./messages -update writes it)", err)
	}
	want, err := hex.DecodeString(strings.Join(strings.Fields(string(text)), ""))
	if err != nil {
		t.Fatal(err)
	}
	return want
}

// hexLines writes sixteen bytes a line, so that a change shows where it is.
func hexLines(b []byte) []byte {
	var out bytes.Buffer
	for chunk := range slices.Chunk(b, 16) {
		fmt.Fprintf(&out, "%x\n", chunk)
	}
	return out.Bytes()
}
