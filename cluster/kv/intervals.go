package kv

import (
	"bytes"
	"slices"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
)

// An interval is the keys that a request is about: one of them, or [from, to), or
// everything from from on.
type interval struct {
	from, to []byte
	single   bool
	endless  bool
}

// intervalOf reads the way in which etcd's requests name keys: no range_end is one
// key, and "\0" is no end.
func intervalOf(key, rangeEnd []byte) interval {
	switch {
	case len(rangeEnd) == 0:
		return interval{from: key, single: true}
	case len(rangeEnd) == 1 && rangeEnd[0] == 0:
		return interval{from: key, endless: true}
	default:
		return interval{from: key, to: rangeEnd}
	}
}

func (iv interval) contains(key []byte) bool {
	if iv.single {
		return bytes.Equal(iv.from, key)
	}
	return bytes.Compare(iv.from, key) <= 0 && iv.before(asKey(key))
}

// before says whether a key, which is not before from, is before the end.
func (iv interval) before(key string) bool {
	return iv.endless || key < asKey(iv.to)
}

// writes are what a list of operations would modify, nested ones included. Only one
// side of a nested transaction is carried out, but both are in here.
type writes struct {
	puts    map[string]struct{}
	deletes deletions
}

// deletions are intervals that are deleted.
type deletions []interval

func (d deletions) contain(key []byte) bool {
	return slices.ContainsFunc(d, func(iv interval) bool { return iv.contains(key) })
}

// checkIntervals refuses a transaction that would put a key twice, or put what it
// deletes: a key has one modification in a revision.
func checkIntervals(r *pb.TxnRequest) error {
	if _, err := writesOf(r.GetSuccess()); err != nil {
		return err
	}
	_, err := writesOf(r.GetFailure())
	return err
}

func writesOf(operations []*pb.RequestOp) (writes, error) {
	w := writes{puts: make(map[string]struct{}, len(operations))}
	for _, op := range operations {
		if d := op.GetRequestDeleteRange(); d != nil {
			w.deletes = append(w.deletes, intervalOf(d.Key, d.RangeEnd))
		}
	}
	for _, op := range operations {
		if t := op.GetRequestTxn(); t != nil {
			if err := w.nest(t); err != nil {
				return w, err
			}
		}
	}
	for _, op := range operations {
		if p := op.GetRequestPut(); p != nil {
			if w.modifies(p.Key) {
				return w, ErrDuplicateKey
			}
			w.puts[asKey(p.Key)] = struct{}{}
		}
	}
	return w, nil
}

// nest takes in both sides of a nested transaction. They exclude each other, so
// both may put the same key.
func (w *writes) nest(t *pb.TxnRequest) error {
	success, err := writesOf(t.Success)
	if err != nil {
		return err
	}
	failure, err := writesOf(t.Failure)
	if err != nil {
		return err
	}
	for _, side := range []writes{success, failure} {
		for key := range side.puts {
			if w.modifies([]byte(key)) {
				return ErrDuplicateKey
			}
		}
	}
	for _, side := range []writes{success, failure} {
		for key := range side.puts {
			w.puts[key] = struct{}{}
		}
		w.deletes = append(w.deletes, side.deletes...)
	}
	return nil
}

func (w *writes) modifies(key []byte) bool {
	if _, put := w.puts[asKey(key)]; put {
		return true
	}
	return w.deletes.contain(key)
}
