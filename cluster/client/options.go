package client

import (
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
)

// Options of requests. Each is accepted by the requests that it means something to,
// and by no others.
type (
	// PutOption changes a put.
	PutOption interface {
		put(*pb.PutRequest, *request)
	}
	// GetOption changes a get.
	GetOption interface {
		get(*pb.RangeRequest, *request)
	}
	// DeleteOption changes a delete.
	DeleteOption interface {
		delete(*pb.DeleteRangeRequest, *request)
	}
	// TxnOption changes a transaction.
	TxnOption interface{ txn(*request) }
)

// KeysOption says which keys a get or a delete is about, from the given one on.
type KeysOption func(key []byte) (from, end []byte)

func (o KeysOption) get(r *pb.RangeRequest, _ *request) { r.Key, r.RangeEnd = o(r.Key) }

func (o KeysOption) delete(r *pb.DeleteRangeRequest, _ *request) { r.Key, r.RangeEnd = o(r.Key) }

// noEnd is how etcd writes a range without an end.
var noEnd = []byte{0}

// Prefix is for all keys that begin with the given one; an empty one is all keys.
func Prefix() KeysOption {
	return func(key []byte) (from, end []byte) {
		if len(key) == 0 {
			return noEnd, noEnd
		}
		return key, prefixEnd(key)
	}
}

// prefixEnd is the first key behind those with a prefix: the prefix with its last
// byte that can be, raised by one.
func prefixEnd(prefix []byte) []byte {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] < 0xff {
			end := append(make([]byte, 0, i+1), prefix[:i+1]...)
			end[i]++
			return end
		}
	}
	return noEnd
}

// Until is for all keys from the given one up to, but without, end.
func Until(end string) KeysOption {
	return func(key []byte) ([]byte, []byte) { return orFirst(key), []byte(end) }
}

// FromKey is for all keys from the given one on.
func FromKey() KeysOption {
	return func(key []byte) ([]byte, []byte) { return orFirst(key), noEnd }
}

// orFirst is the key, or the first possible one in place of none.
func orFirst(key []byte) []byte {
	if len(key) == 0 {
		return noEnd
	}
	return key
}

// getOption is an option of a get alone.
type getOption func(*pb.RangeRequest)

func (o getOption) get(r *pb.RangeRequest, _ *request) { o(r) }

// Limit bounds the keys returned. Zero is no bound.
func Limit(n int64) GetOption { return getOption(func(r *pb.RangeRequest) { r.Limit = n }) }

// SortTarget is what a get sorts by.
type SortTarget = pb.RangeRequest_SortTarget

// What a get can sort by.
const (
	ByKey            = pb.RangeRequest_KEY
	ByVersion        = pb.RangeRequest_VERSION
	ByCreateRevision = pb.RangeRequest_CREATE
	ByModRevision    = pb.RangeRequest_MOD
	ByValue          = pb.RangeRequest_VALUE
)

// SortOrder is how a get sorts.
type SortOrder = pb.RangeRequest_SortOrder

// How a get can sort.
const (
	Ascending  = pb.RangeRequest_ASCEND
	Descending = pb.RangeRequest_DESCEND
)

// Sort sorts what is returned, before Limit cuts it.
func Sort(by SortTarget, order SortOrder) GetOption {
	return getOption(func(r *pb.RangeRequest) { r.SortTarget, r.SortOrder = by, order })
}

// AtRevision reads the state as of a revision, of which only the current one is kept.
func AtRevision(revision int64) GetOption {
	return getOption(func(r *pb.RangeRequest) { r.Revision = revision })
}

// Serializable reads what one server has, which may be stale, without asking others.
func Serializable() GetOption {
	return getOption(func(r *pb.RangeRequest) { r.Serializable = true })
}

// maxLag is the option of MaxLag.
type maxLag time.Duration

func (o maxLag) get(r *pb.RangeRequest, q *request) {
	r.Serializable, q.maxLag = true, time.Duration(o)
}

// MaxLag is Serializable with a bound: the read sees all that was acknowledged longer ago
// than d. A server that can't say so by itself asks the others.
func MaxLag(d time.Duration) GetOption { return maxLag(d) }

// KeysOnly leaves values out.
func KeysOnly() GetOption { return getOption(func(r *pb.RangeRequest) { r.KeysOnly = true }) }

// CountOnly leaves everything out but the count.
func CountOnly() GetOption { return getOption(func(r *pb.RangeRequest) { r.CountOnly = true }) }

// ModRevisions leaves out what was last written before revision from or after
// revision to. Zero is no bound.
func ModRevisions(from, to int64) GetOption {
	return getOption(func(r *pb.RangeRequest) { r.MinModRevision, r.MaxModRevision = from, to })
}

// CreateRevisions leaves out what was created before revision from or after revision
// to. Zero is no bound.
func CreateRevisions(from, to int64) GetOption {
	return getOption(func(r *pb.RangeRequest) { r.MinCreateRevision, r.MaxCreateRevision = from, to })
}

// prevKV is the option of PrevKV.
type prevKV struct{}

func (prevKV) put(r *pb.PutRequest, _ *request) { r.PrevKv = true }

func (prevKV) delete(r *pb.DeleteRangeRequest, _ *request) { r.PrevKv = true }

// PrevKV returns what a put replaces, or a delete removes.
func PrevKV() interface {
	PutOption
	DeleteOption
} {
	return prevKV{}
}

// ignoreValue is the option of IgnoreValue.
type ignoreValue struct{}

func (ignoreValue) put(r *pb.PutRequest, _ *request) { r.IgnoreValue = true }

// IgnoreValue makes a put keep the value of its key, which must exist.
func IgnoreValue() PutOption { return ignoreValue{} }

// retryIndeterminate is the option of RetryIndeterminate.
type retryIndeterminate struct{}

func (retryIndeterminate) put(_ *pb.PutRequest, r *request) { r.repeat = true }

func (retryIndeterminate) delete(_ *pb.DeleteRangeRequest, r *request) { r.repeat = true }

func (retryIndeterminate) txn(r *request) { r.repeat = true }

// RetryIndeterminate repeats a write even if it may have been done already, so that
// it may be done more than once. It is of use only without a session, or when that has
// ended; in a session retries are safe by themselves. It has no effect on an operation
// of a transaction.
func RetryIndeterminate() interface {
	PutOption
	DeleteOption
	TxnOption
} {
	return retryIndeterminate{}
}
