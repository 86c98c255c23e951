package kv

import (
	"bytes"
	"cmp"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
)

// absent is what a key that does not exist compares as: all zero.
var absent = &mvccpb.KeyValue{}

// holds says whether every comparison is true of a state.
func holds(items reader, compares []*pb.Compare) bool {
	for _, c := range compares {
		if !holdsOne(items, c) {
			return false
		}
	}
	return true
}

// holdsOne says whether a comparison is true of every key that it is about. If
// there is none, a comparison of values is false, since an empty value and a
// missing key would look the same; others compare with zero.
func holdsOne(items reader, c *pb.Compare) bool {
	iv := intervalOf(c.Key, c.RangeEnd)
	found, ok := false, true
	if iv.single {
		if it := items.get(c.Key); it != nil {
			return compareTo(c, &it.kv)
		}
	} else {
		items.ascend(iv.from, func(it *item) bool {
			if !iv.before(asKey(it.kv.Key)) {
				return false
			}
			found = true
			ok = compareTo(c, &it.kv)
			return ok
		})
	}
	if !found {
		return c.Target != pb.Compare_VALUE && compareTo(c, absent)
	}
	return ok
}

func compareTo(c *pb.Compare, kv *mvccpb.KeyValue) bool {
	order := 0
	switch c.Target {
	case pb.Compare_VALUE:
		order = bytes.Compare(kv.Value, c.GetValue())
	case pb.Compare_VERSION:
		order = cmp.Compare(kv.Version, c.GetVersion())
	case pb.Compare_CREATE:
		order = cmp.Compare(kv.CreateRevision, c.GetCreateRevision())
	case pb.Compare_MOD:
		order = cmp.Compare(kv.ModRevision, c.GetModRevision())
	case pb.Compare_LEASE:
		order = cmp.Compare(kv.Lease, c.GetLease())
	}
	switch c.Result {
	case pb.Compare_EQUAL:
		return order == 0
	case pb.Compare_NOT_EQUAL:
		return order != 0
	case pb.Compare_GREATER:
		return order > 0
	case pb.Compare_LESS:
		return order < 0
	default:
		return true
	}
}
