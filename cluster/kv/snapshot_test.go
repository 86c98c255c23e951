package kv

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"castaway/actors"
)

// filled is a machine with some keys, one of them deleted, some written twice.
func filled(t testing.TB, keys int) *Machine {
	t.Helper()
	m := New()
	for i := range keys {
		write(t, m, fmt.Sprintf("key/%05d", i), fmt.Sprint("value ", i))
	}
	for i := 0; i < keys; i += 3 {
		write(t, m, fmt.Sprintf("key/%05d", i), "again")
	}
	deletion, err := EncodeDeleteRange(&pb.DeleteRangeRequest{Key: []byte("key/00001")})
	if err != nil {
		t.Fatal(err)
	}
	m.Apply([]actors.Command{{Data: deletion}})
	return m
}

func write(t testing.TB, m *Machine, key, value string) {
	t.Helper()
	put, err := EncodePut(&pb.PutRequest{Key: []byte(key), Value: []byte(value)})
	if err != nil {
		t.Fatal(err)
	}
	m.Apply([]actors.Command{{Data: put}})
}

func written(t testing.TB, s actors.Snapshot) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := s.Write(&out); err != nil {
		t.Fatal(err)
	}
	s.Release()
	return out.Bytes()
}

// TestC26_ASnapshotStaysWhatItWas: it is written after the machine went on, and gives
// another machine the state as of when it was taken; both go on alike from equal states.
func TestC26_ASnapshotStaysWhatItWas(t *testing.T) {
	for _, keys := range []int{0, 1, 5000} {
		m := filled(t, keys)
		hash, stats := m.StateHash(), query(t, m)
		s, err := m.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		write(t, m, "key/00002", "after the snapshot")
		restored := filled(t, 3)
		if err := restored.Restore(bytes.NewReader(written(t, s))); err != nil {
			t.Fatal(err)
		}
		if restored.StateHash() != hash || query(t, restored) != stats {
			t.Errorf("%d keys: restored to %x %+v, want %x %+v", keys, restored.StateHash(), query(t, restored), hash, stats)
		}
		write(t, restored, "key/00002", "after the snapshot")
		if restored.StateHash() != m.StateHash() {
			t.Errorf("%d keys: the two machines do not go on alike", keys)
		}
	}
}

func query(t testing.TB, m *Machine) Stats {
	t.Helper()
	s, err := m.Query(StatsQuery{})
	if err != nil {
		t.Fatal(err)
	}
	return s.(Stats)
}

// Nothing but what was written is taken, and what is not leaves the machine alone.
func TestRestoreTakesNothingDamaged(t *testing.T) {
	s, err := filled(t, 4).Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	good := written(t, s)
	m := filled(t, 2)
	hash := m.StateHash()
	try := func(what string, payload []byte) {
		t.Helper()
		if err := m.Restore(bytes.NewReader(payload)); err == nil {
			t.Errorf("%s was taken", what)
		} else if !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", what, err)
		}
		if m.StateHash() != hash {
			t.Fatalf("%s changed the machine", what)
		}
	}
	for n := range good {
		try(fmt.Sprintf("a payload cut off at %d of %d", n, len(good)), good[:n])
	}
	for bit := range len(good) * 8 {
		bad := bytes.Clone(good)
		bad[bit/8] ^= 1 << (bit % 8)
		try(fmt.Sprintf("bit %d of %d flipped", bit, len(good)*8), bad)
	}
}
