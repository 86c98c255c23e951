package kv

import (
	"bytes"
	"cmp"
	"slices"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
)

// inOrder says that a range read wants the order of the map: by key, ascending.
func inOrder(r *pb.RangeRequest) bool {
	return r.SortTarget == pb.RangeRequest_KEY && r.SortOrder != pb.RangeRequest_DESCEND
}

// sortPairs puts pairs, which come in the order of their keys, into the order that
// is asked for: ascending unless descending is said. Among equals the key decides.
func sortPairs(pairs []*mvccpb.KeyValue, r *pb.RangeRequest) {
	if inOrder(r) {
		return
	}
	descending := r.SortOrder == pb.RangeRequest_DESCEND
	if r.SortTarget == pb.RangeRequest_KEY {
		slices.Reverse(pairs)
		return
	}
	slices.SortStableFunc(pairs, func(a, b *mvccpb.KeyValue) int {
		order := comparePairs(r.SortTarget, a, b)
		if descending {
			return -order
		}
		return order
	})
}

func comparePairs(target pb.RangeRequest_SortTarget, a, b *mvccpb.KeyValue) int {
	switch target {
	case pb.RangeRequest_VERSION:
		return cmp.Compare(a.Version, b.Version)
	case pb.RangeRequest_CREATE:
		return cmp.Compare(a.CreateRevision, b.CreateRevision)
	case pb.RangeRequest_MOD:
		return cmp.Compare(a.ModRevision, b.ModRevision)
	case pb.RangeRequest_VALUE:
		return bytes.Compare(a.Value, b.Value)
	default:
		return bytes.Compare(a.Key, b.Key)
	}
}
