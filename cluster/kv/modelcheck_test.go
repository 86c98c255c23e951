package kv

import (
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
)

// What the model refuses.

// place is where in a transaction an operation stands: at each level its index, and
// the side of the transaction that it then descends into.
type place []struct {
	index   int
	failure bool
}

type modelWrite struct {
	at       place
	put      bool
	key, end string
}

// duplicates says by brute force whether two operations that may both be carried
// out modify one key, in the way that etcd forbids.
func duplicates(r *pb.TxnRequest) bool {
	for _, side := range [][]*pb.RequestOp{r.Success, r.Failure} {
		writes := modelWrites(side, nil)
		for i, a := range writes {
			for j, b := range writes {
				if i != j && a.put && clash(a, b) {
					return true
				}
			}
		}
	}
	return false
}

func modelWrites(ops []*pb.RequestOp, at place) (writes []modelWrite) {
	for i, op := range ops {
		here := append(append(place{}, at...), struct {
			index   int
			failure bool
		}{index: i})
		switch o := op.Request.(type) {
		case *pb.RequestOp_RequestPut:
			writes = append(writes, modelWrite{at: here, put: true, key: string(o.RequestPut.Key)})
		case *pb.RequestOp_RequestDeleteRange:
			d := o.RequestDeleteRange
			writes = append(writes, modelWrite{at: here, key: string(d.Key), end: string(d.RangeEnd)})
		case *pb.RequestOp_RequestTxn:
			writes = append(writes, modelWrites(o.RequestTxn.Success, here)...)
			other := append(place{}, here...)
			other[len(other)-1].failure = true
			writes = append(writes, modelWrites(o.RequestTxn.Failure, other)...)
		}
	}
	return writes
}

// clash says whether a put and another write may not be in one transaction.
func clash(put, other modelWrite) bool {
	if !modelContains(other.key, other.end, put.key) {
		return false
	}
	level := 0
	for put.at[level] == other.at[level] {
		level++
	}
	p, o := put.at[level], other.at[level]
	if p.index == o.index {
		return false // two sides of one transaction: only one of them is carried out
	}
	bothNested := len(put.at) > level+1 && len(other.at) > level+1
	if !other.put && bothNested && p.index < o.index {
		return false // etcd lets a later transaction delete what an earlier one put
	}
	return true
}

// refusesTxn says whether a transaction fails when it is carried out.
func (m *model) refusesTxn(r *pb.TxnRequest) bool {
	return duplicates(r) || m.refusesSide(r)
}

func (m *model) refusesSide(r *pb.TxnRequest) bool {
	ops := r.Failure
	if m.holds(r) {
		ops = r.Success
	}
	for _, op := range ops {
		switch o := op.Request.(type) {
		case *pb.RequestOp_RequestRange:
			if wanted := o.RequestRange.Revision; wanted != 0 && wanted != m.revision {
				return true
			}
		case *pb.RequestOp_RequestPut:
			if m.refusesPut(o.RequestPut) {
				return true
			}
		case *pb.RequestOp_RequestTxn:
			if m.refusesSide(o.RequestTxn) {
				return true
			}
		}
	}
	return false
}

func (m *model) refusesPut(r *pb.PutRequest) bool {
	_, exists := m.pairs[string(r.Key)]
	return (r.IgnoreValue || r.IgnoreLease) && !exists
}
