package kv

import (
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
)

// View is the state as of one revision. It never changes and may be read from
// anywhere, while the machine goes on applying.
type View struct {
	items reader
	figures
}

// Revision is the revision of the state.
func (v *View) Revision() int64 { return v.revision }

// Range answers a range read. The response's header has the revision; the rest of
// it is the door's to fill.
func (v *View) Range(r *pb.RangeRequest) (*pb.RangeResponse, error) {
	if err := CheckRange(r); err != nil {
		return nil, err
	}
	if r.Revision > 0 {
		if err := atRevision(r.Revision, v.revision); err != nil {
			return nil, err
		}
	}
	response := rangeOver(v.items, r, v.revision)
	return response, v.items.err()
}

// Txn answers a transaction that only reads.
func (v *View) Txn(r *pb.TxnRequest) (*pb.TxnResponse, error) {
	if !ReadOnly(r) {
		return nil, ErrMalformed
	}
	if err := CheckTxn(r, MaxTxnOperations); err != nil {
		return nil, err
	}
	p := planOf(v.items, r)
	if err := p.check(v.items, v.revision); err != nil {
		return nil, err
	}
	e := execution{now: v.items, store: &store{figures: v.figures}}
	return e.run(p), v.items.err()
}

// atRevision says whether a state at revision current answers for the wanted one.
func atRevision(wanted, current int64) error {
	switch {
	case wanted > current:
		return ErrFutureRevision
	case wanted < current:
		return ErrCompacted
	default:
		return nil
	}
}
