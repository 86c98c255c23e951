package kv

import (
	"errors"
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"castaway/actors"
)

func put(key, value string) *pb.PutRequest {
	return &pb.PutRequest{Key: []byte(key), Value: []byte(value)}
}

func get(key string) *pb.RangeRequest { return &pb.RangeRequest{Key: []byte(key)} }

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// A key is created, changed, deleted and created again, and its revisions and
// version tell the story as etcd would.
func TestTheLifeOfAKey(t *testing.T) {
	m := New()
	if r := must[*pb.RangeResponse](t)(m.read(get("k"))); r.Header.Revision != 1 || r.Count != 0 {
		t.Fatalf("an empty machine is at revision %d with %d keys, want 1 and none", r.Header.Revision, r.Count)
	}
	steps := []struct {
		do                       func() error
		revision, create, mod, v int64
	}{
		{func() error { _, err := m.put(put("k", "1")); return err }, 2, 2, 2, 1},
		{func() error { _, err := m.put(put("other", "1")); return err }, 3, 2, 2, 1},
		{func() error { _, err := m.put(put("k", "2")); return err }, 4, 2, 4, 2},
		{func() error { _, err := m.delete(&pb.DeleteRangeRequest{Key: []byte("none")}); return err }, 4, 2, 4, 2},
		{func() error { _, err := m.delete(&pb.DeleteRangeRequest{Key: []byte("k")}); return err }, 5, 0, 0, 0},
		{func() error { _, err := m.put(put("k", "3")); return err }, 6, 6, 6, 1},
	}
	for i, step := range steps {
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		r := must[*pb.RangeResponse](t)(m.read(get("k")))
		var create, mod, version int64
		if len(r.Kvs) == 1 {
			create, mod, version = r.Kvs[0].CreateRevision, r.Kvs[0].ModRevision, r.Kvs[0].Version
		}
		if r.Header.Revision != step.revision || create != step.create || mod != step.mod || version != step.v {
			t.Errorf("after step %d: revision %d, create %d, mod %d, version %d; want %+v", i, r.Header.Revision, create, mod, version, step)
		}
	}
}

// Without history, the present is all there is: the past is compacted, and the
// future has not come.
func TestReadsAtARevision(t *testing.T) {
	m := New()
	for range 3 {
		must[*pb.PutResponse](t)(m.put(put("k", "v")))
	}
	for _, rangeEnd := range []string{"", "\x00"} {
		for revision, want := range map[int64]error{-1: nil, 0: nil, 3: ErrCompacted, 4: nil, 5: ErrFutureRevision} {
			r := &pb.RangeRequest{Key: []byte("k"), RangeEnd: []byte(rangeEnd), Revision: revision}
			if _, err := m.read(r); !errors.Is(err, want) {
				t.Errorf("read at revision %d of 4, range_end %q: error %v, want %v", revision, rangeEnd, err, want)
			}
		}
	}
}

// What a transaction reads at an explicit revision is the state before it, even
// after it has written; what it reads otherwise is the state in the middle.
func TestATransactionReadsBeforeAndAmid(t *testing.T) {
	m := New()
	must[*pb.PutResponse](t)(m.put(put("k", "before")))
	r := must[*pb.TxnResponse](t)(m.txn(&pb.TxnRequest{Success: []*pb.RequestOp{
		{Request: &pb.RequestOp_RequestPut{RequestPut: put("k", "amid")}},
		{Request: &pb.RequestOp_RequestRange{RequestRange: &pb.RangeRequest{Key: []byte("k"), Revision: 2}}},
		{Request: &pb.RequestOp_RequestRange{RequestRange: get("k")}},
	}}))
	if v := string(r.Responses[1].GetResponseRange().Kvs[0].Value); v != "before" {
		t.Errorf("at revision 2 the transaction read %q", v)
	}
	if v := string(r.Responses[2].GetResponseRange().Kvs[0].Value); v != "amid" {
		t.Errorf("in the middle the transaction read %q", v)
	}
	if r.Header.Revision != 3 {
		t.Errorf("the transaction made revision %d, want 3", r.Header.Revision)
	}
}

// A transaction that fails in its second operation has not done its first.
func TestATransactionIsWholeOrNothing(t *testing.T) {
	m := New()
	before := m.StateHash()
	_, err := m.txn(&pb.TxnRequest{Success: []*pb.RequestOp{
		{Request: &pb.RequestOp_RequestPut{RequestPut: put("a", "1")}},
		{Request: &pb.RequestOp_RequestPut{RequestPut: &pb.PutRequest{Key: []byte("b"), IgnoreValue: true}}},
	}})
	if !errors.Is(err, ErrKeyNotFound) || m.StateHash() != before {
		t.Fatalf("error %v, state changed: %v", err, m.StateHash() != before)
	}
}

// Equal logs give equal hashes, however they are cut into batches; unequal states
// give unequal ones.
func TestStateHashNamesTheState(t *testing.T) {
	one, other := New(), New()
	var commands []actors.Command
	for i, key := range []string{"a", "b", "a", "c"} {
		data, err := EncodePut(put(key, string(rune('0'+i))))
		if err != nil {
			t.Fatal(err)
		}
		commands = append(commands, actors.Command{Data: data})
	}
	one.Apply(commands)
	other.Apply(commands[:1])
	if one.StateHash() == other.StateHash() {
		t.Fatal("different states have one hash")
	}
	other.Apply(commands[1:])
	if one.StateHash() != other.StateHash() {
		t.Fatal("one log has made two hashes")
	}
	for name, change := range map[string]func(m *Machine) error{
		"the same value again": func(m *Machine) error { _, err := m.put(put("c", "3")); return err },
		"a deletion": func(m *Machine) error {
			_, err := m.delete(&pb.DeleteRangeRequest{Key: []byte("a")})
			return err
		},
	} {
		before := other.StateHash()
		if err := change(other); err != nil {
			t.Fatal(err)
		}
		if other.StateHash() == before {
			t.Errorf("%s left the hash as it was", name)
		}
	}
}

// The machine keeps copies: whoever owned the bytes of a command may use them again.
func TestCommandsAreNotKept(t *testing.T) {
	m := New()
	command, err := EncodePut(put("key", "value"))
	if err != nil {
		t.Fatal(err)
	}
	m.Apply([]actors.Command{{Data: command}})
	clear(command)
	if r := must[*pb.RangeResponse](t)(m.read(get("key"))); string(r.Kvs[0].Value) != "value" {
		t.Fatalf("the value became %q", r.Kvs[0].Value)
	}
}

// What a machine cannot understand has an error as its result, the same each time,
// and changes nothing.
func TestMalformedCommandsAreAnswered(t *testing.T) {
	good, err := EncodePut(put("k", "v"))
	if err != nil {
		t.Fatal(err)
	}
	m := New()
	for name, data := range map[string][]byte{
		"empty":            nil,
		"only a version":   {commandVersion},
		"unknown version":  append([]byte{99}, good[1:]...),
		"unknown kind":     append([]byte{commandVersion, 99}, good[2:]...),
		"cut short":        good[:len(good)-1],
		"not protobuf":     {commandVersion, kindTxn, 0xff, 0xff, 0xff},
		"an empty put":     {commandVersion, kindPut},
		"an empty delete":  {commandVersion, kindDeleteRange},
		"a put cut in tag": {commandVersion, kindPut, 0x80},
	} {
		before := m.StateHash()
		result := m.Apply([]actors.Command{{Data: data}})[0]
		_, err := DecodePut(result)
		if !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrEmptyKey) {
			t.Errorf("%s: result error %v", name, err)
		}
		if m.StateHash() != before {
			t.Errorf("%s changed the state", name)
		}
	}
}
