package kv

import (
	"bytes"
	"math"
	"testing"

	"github.com/dgraph-io/badger/v4"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/protobuf/proto"

	"castaway/raft"
)

// A view that is held is read as on the first day, whatever was compacted meanwhile.
func TestAViewOnDiskOutlivesCompaction(t *testing.T) {
	m, _, _ := openedDisk(t, t.TempDir())
	defer shut(t, m)
	value := bytes.Repeat([]byte("x"), 64<<10)
	index := raft.Index(0)
	overwrite := func(times int) {
		for range times {
			for _, key := range []string{"a", "b", "c", "d"} {
				value[0]++
				if _, err := m.put(&pb.PutRequest{Key: []byte(key), Value: value}); err != nil {
					t.Fatal(err)
				}
				index++
				commit(t, m, index)
			}
		}
	}
	overwrite(1)
	answer, err := m.Query(all)
	if err != nil {
		t.Fatal(err)
	}
	view := answer.(*View)
	first, err := view.Range(all)
	if err != nil {
		t.Fatal(err)
	}
	first = proto.Clone(first).(*pb.RangeResponse)
	overwrite(400)
	if err := m.disk.db.Flatten(1); err != nil {
		t.Fatal(err)
	}
	if again, err := view.Range(all); err != nil || !proto.Equal(first, again) {
		t.Errorf("the view has changed (%v)", err)
	}
}

// A long value that becomes short, or goes, leaves nothing behind.
func TestLongValuesLeaveNothingBehind(t *testing.T) {
	m, _, _ := openedDisk(t, t.TempDir())
	defer shut(t, m)
	long := bytes.Repeat([]byte("x"), 2*partBytes+1)
	for i, step := range []struct {
		do    func()
		parts int
	}{
		{func() { write(t, &m.Machine, "a", string(long)); write(t, &m.Machine, "b", string(long)) }, 4},
		{func() { write(t, &m.Machine, "a", string(long[:partBytes+1])) }, 3},
		{func() { write(t, &m.Machine, "a", "short") }, 2},
		{func() {
			if r, err := m.delete(&pb.DeleteRangeRequest{Key: []byte("b")}); err != nil || r.Deleted != 1 {
				t.Fatal(r, err)
			}
		}, 0},
	} {
		step.do()
		commit(t, m, raft.Index(i+1))
		if got := partsOnDisk(t, m); got != step.parts {
			t.Errorf("after step %d there are %d parts, want %d", i, got, step.parts)
		}
	}
}

func partsOnDisk(t *testing.T, m *Disk) (parts int) {
	t.Helper()
	err := m.disk.read(math.MaxUint64, func(txn *badger.Txn) error {
		o := badger.DefaultIteratorOptions
		o.Prefix = []byte{recordPart}
		records := txn.NewIterator(o)
		defer records.Close()
		for records.Rewind(); records.Valid(); records.Next() {
			parts++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return parts
}
