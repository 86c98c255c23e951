package messages

import (
	"bytes"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"castaway/raft"
)

// overTheWire marshals and unmarshals, as the remoting does.
func overTheWire(t testing.TB, e *Envelope) *Envelope {
	t.Helper()
	b, err := proto.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	var back Envelope
	if err := proto.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	return &back
}

func TestEveryRaftMessageCrossesTheWireUnchanged(t *testing.T) {
	for kind, want := range raftSamples() {
		e := overTheWire(t, ToEnvelope(sampleCluster, 3, want))
		if e.GetClusterId() != sampleCluster || e.GetGroup() != 3 || KindOf(e) != kind {
			t.Errorf("%s arrived as %s of cluster %x, group %d", kind, KindOf(e), e.GetClusterId(), e.GetGroup())
		}
		got, err := FromEnvelope(e)
		if err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %+v\nwant %+v", kind, got, want)
		}
	}
}

// A message type that package raft gains needs its variant on the wire; this
// reads raft's own source to find out.
func TestTheWireKnowsEveryMessageOfRaft(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../raft/message.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	known := make(map[string]bool)
	for _, m := range raftSamples() {
		known[reflect.TypeOf(m).Elem().Name()] = true
	}
	found := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok || !embedsHeader(spec) {
			return true
		}
		found++
		if !known[spec.Name.Name] {
			t.Errorf("raft.%s has no sample, and perhaps no variant in castaway.proto", spec.Name.Name)
		}
		return true
	})
	if found < len(known) {
		t.Errorf("found %d messages in ../raft/message.go, and there are at least %d", found, len(known))
	}
}

func embedsHeader(spec *ast.TypeSpec) bool {
	s, ok := spec.Type.(*ast.StructType)
	if !ok {
		return false
	}
	for _, field := range s.Fields.List {
		if id, ok := field.Type.(*ast.Ident); ok && len(field.Names) == 0 && id.Name == "Header" {
			return true
		}
	}
	return false
}

func TestKindsThatAreNotRaftsGiveNoMessageAndNoError(t *testing.T) {
	ofRaft := raftSamples()
	for kind, e := range envelopeSamples() {
		if _, is := ofRaft[kind]; is {
			continue
		}
		if m, err := FromEnvelope(e); m != nil || err != nil {
			t.Errorf("%s: %v, %v", kind, m, err)
		}
	}
}

// A newer node sends a kind that we do not know: the envelope arrives, says so in
// an error that names the field, and passes on unharmed.
func TestAKindOfANewerVersionIsNamedAndSurvives(t *testing.T) {
	wire, err := proto.Marshal(&Envelope{ClusterId: sampleCluster, Group: 3, From: 1, To: 2, Term: 7})
	if err != nil {
		t.Fatal(err)
	}
	wire = protowire.AppendTag(wire, 15, protowire.BytesType)
	wire = protowire.AppendBytes(wire, []byte("from the future"))
	var e Envelope
	if err := proto.Unmarshal(wire, &e); err != nil {
		t.Fatal(err)
	}
	if _, err := FromEnvelope(&e); !errors.Is(err, ErrUnknownKind) || !strings.Contains(err.Error(), "[15]") {
		t.Errorf("the error does not name field 15: %v", err)
	}
	again, err := proto.Marshal(&e)
	if err != nil || !bytes.Equal(again, wire) {
		t.Errorf("passing it on changed it (%v):\n got %x\nwant %x", err, again, wire)
	}
}

// A newer node adds a field to a kind that we know: we read the rest.
func TestAFieldOfANewerVersionIsPassedOver(t *testing.T) {
	e := ToEnvelope(sampleCluster, 3, raftSamples()[KindHeartbeat])
	e.GetHeartbeat().ProtoReflect().SetUnknown(protowire.AppendVarint(protowire.AppendTag(nil, 99, protowire.VarintType), 1))
	e = overTheWire(t, e)
	if m, err := FromEnvelope(e); err != nil || !reflect.DeepEqual(m, raftSamples()[KindHeartbeat]) {
		t.Errorf("got %+v, %v", m, err)
	}
	if len(e.GetHeartbeat().ProtoReflect().GetUnknown()) == 0 {
		t.Error("the unknown field is lost")
	}
}

// Entries that a core made without Config.Seal get their frames here, and the
// message itself stays as it was.
func TestEntriesWithoutFramesAreSealedInACopy(t *testing.T) {
	m := &raft.AppendEntries{Header: raft.Header{From: 1, To: 2, Term: 1}, Entries: []raft.Entry{
		{Term: 1, Index: 1, Kind: raft.EntryNoOp},
		{Term: 1, Index: 2, Kind: raft.EntryCommand, Data: []byte("put a 1")},
	}}
	got, err := FromEnvelope(overTheWire(t, ToEnvelope(sampleCluster, 3, m)))
	if err != nil {
		t.Fatal(err)
	}
	if entries := got.(*raft.AppendEntries).Entries; len(entries) != 2 || string(entries[1].Data) != "put a 1" {
		t.Errorf("got %+v", entries)
	}
	if m.Entries[0].Frame != nil || m.Entries[1].Frame != nil {
		t.Error("ToEnvelope changed the message")
	}
}

func TestEnvelopeAndMessageShareNothing(t *testing.T) {
	m := raftSamples()[KindAppendEntries].(*raft.AppendEntries)
	e := ToEnvelope(sampleCluster, 3, m)
	for i := range m.Entries {
		clear(m.Entries[i].Frame)
	}
	if _, err := FromEnvelope(e); err != nil {
		t.Errorf("changing the message reached the envelope: %v", err)
	}
}
