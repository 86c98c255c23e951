package kv

import (
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
)

// DefaultMaxTxnOperations is etcd's limit for the compares, the success operations
// and the failure operations of a transaction, each; nesting counts against it.
const DefaultMaxTxnOperations = 128

// Limits of the machine itself, the same on every server. They keep the check for
// duplicate keys, which looks at all pairs, within a fraction of a millisecond.
const (
	// MaxTxnOperations bounds the compares and operations of a transaction and all
	// that are nested in it, together.
	MaxTxnOperations = 4096
	// MaxTxnDepth bounds how deep transactions nest; one that nests none has depth 1.
	MaxTxnDepth = 64
	// MaxKeyBytes bounds a key that is put; on disk, none may be longer than about twice
	// as much.
	MaxKeyBytes = 32 << 10
)

// CheckRange says whether a range read can be answered at all.
func CheckRange(r *pb.RangeRequest) error {
	if len(r.GetKey()) == 0 {
		return ErrEmptyKey
	}
	if _, known := pb.RangeRequest_SortOrder_name[int32(r.SortOrder)]; !known {
		return ErrInvalidSort
	}
	if _, known := pb.RangeRequest_SortTarget_name[int32(r.SortTarget)]; !known {
		return ErrInvalidSort
	}
	return nil
}

// CheckPut says whether a put can be carried out at all.
func CheckPut(r *pb.PutRequest) error {
	if r == nil {
		return ErrEmptyKey
	}
	p := putOf(r)
	return p.check()
}

func (p *putRequest) check() error {
	switch {
	case len(p.key) == 0:
		return ErrEmptyKey
	case len(p.key) > MaxKeyBytes:
		return ErrKeyTooLarge
	case p.ignoreValue && len(p.value) != 0:
		return ErrValueProvided
	case p.ignoreLease && p.lease != 0:
		return ErrLeaseProvided
	case p.lease != 0:
		return ErrLeaseUnsupported
	default:
		return nil
	}
}

// CheckDeleteRange says whether a deletion can be carried out at all.
func CheckDeleteRange(r *pb.DeleteRangeRequest) error {
	if len(r.GetKey()) == 0 {
		return ErrEmptyKey
	}
	return nil
}

// CheckTxn says whether a transaction can be carried out at all, by a door that
// allows maxOperations at most. The machine checks all of it again, but for that
// limit: what doors allow may differ between servers, what a command does may not.
func CheckTxn(r *pb.TxnRequest, maxOperations int) error {
	c := txnCheck{budget: MaxTxnOperations}
	if err := c.txn(r, maxOperations, MaxTxnDepth); err != nil {
		return err
	}
	return checkIntervals(r)
}

// txnCheck checks every part of a transaction by itself.
type txnCheck struct {
	budget int // of MaxTxnOperations, what is left
}

// txn checks a transaction on one level. As in etcd, what a level uses up of the
// door's limit is not there for the transactions nested in it.
func (c *txnCheck) txn(r *pb.TxnRequest, maxOperations, depth int) error {
	used := max(len(r.GetCompare()), len(r.GetSuccess()), len(r.GetFailure()))
	c.budget -= len(r.GetCompare()) + len(r.GetSuccess()) + len(r.GetFailure())
	if used > maxOperations || c.budget < 0 || depth == 0 {
		return ErrTooManyOperations
	}
	for _, compare := range r.GetCompare() {
		if len(compare.GetKey()) == 0 {
			return ErrEmptyKey
		}
	}
	for _, operations := range sides(r) {
		for _, op := range operations {
			if err := c.operation(op, maxOperations-used, depth-1); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *txnCheck) operation(op *pb.RequestOp, maxOperations, depth int) error {
	switch o := op.GetRequest().(type) {
	case *pb.RequestOp_RequestRange:
		return CheckRange(o.RequestRange)
	case *pb.RequestOp_RequestPut:
		return CheckPut(o.RequestPut)
	case *pb.RequestOp_RequestDeleteRange:
		return CheckDeleteRange(o.RequestDeleteRange)
	case *pb.RequestOp_RequestTxn:
		return c.txn(o.RequestTxn, maxOperations, depth)
	default:
		return ErrEmptyOperation
	}
}

// sides lists what a transaction does if it succeeds, and if not.
func sides(r *pb.TxnRequest) [2][]*pb.RequestOp {
	return [2][]*pb.RequestOp{r.GetSuccess(), r.GetFailure()}
}

// ReadOnly says that a transaction consists of range reads alone, so that it can be
// answered without a place in the log. Nested ones count as writes, as in etcd.
func ReadOnly(r *pb.TxnRequest) bool {
	for _, operations := range sides(r) {
		for _, op := range operations {
			if op.GetRequestRange() == nil {
				return false
			}
		}
	}
	return true
}

// Serializable says that every read of a read-only transaction may be stale. One
// that only compares may not, since it says nothing of the sort.
func Serializable(r *pb.TxnRequest) bool {
	reads := 0
	for _, operations := range sides(r) {
		for _, op := range operations {
			if !op.GetRequestRange().GetSerializable() {
				return false
			}
			reads++
		}
	}
	return reads > 0
}
