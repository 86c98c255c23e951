package kv

import (
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
)

// rangeOver answers a checked range read from a state, whose revision is given.
func rangeOver(items reader, r *pb.RangeRequest, revision int64) *pb.RangeResponse {
	iv := intervalOf(r.Key, r.RangeEnd)
	if iv.single {
		return singleOf(items.get(r.Key), r, revision)
	}
	response := &pb.RangeResponse{Header: &pb.ResponseHeader{Revision: revision}}
	keep := collector{request: r}
	if !r.CountOnly && inOrder(r) {
		keep.enough = r.Limit
	}
	items.ascend(iv.from, func(it *item) bool {
		if !iv.before(asKey(it.kv.Key)) {
			return false
		}
		keep.add(it)
		return true
	})
	response.Count = keep.count
	response.More = keep.more
	sortPairs(keep.pairs, r)
	if r.Limit > 0 && int64(len(keep.pairs)) > r.Limit {
		keep.pairs = keep.pairs[:r.Limit]
		response.More = true
	}
	response.Kvs = keep.pairs
	withoutValues(response.Kvs, r)
	return response
}

// collector gathers what a range read wants of the items it passes.
type collector struct {
	request *pb.RangeRequest
	enough  int64 // stop keeping at so many, if not zero; counting goes on
	pairs   []*mvccpb.KeyValue
	count   int64 // of all in the range, as etcd counts: filters and limit aside
	more    bool
}

func (c *collector) add(it *item) {
	c.count++
	if c.request.CountOnly || !wanted(c.request, &it.kv) {
		return
	}
	if c.enough > 0 && int64(len(c.pairs)) == c.enough {
		c.more = true
		return
	}
	c.pairs = append(c.pairs, &it.kv)
}

// wanted says whether a pair passes the filters, of which zero is none.
func wanted(r *pb.RangeRequest, kv *mvccpb.KeyValue) bool {
	return (r.MinModRevision == 0 || kv.ModRevision >= r.MinModRevision) &&
		(r.MaxModRevision == 0 || kv.ModRevision <= r.MaxModRevision) &&
		(r.MinCreateRevision == 0 || kv.CreateRevision >= r.MinCreateRevision) &&
		(r.MaxCreateRevision == 0 || kv.CreateRevision <= r.MaxCreateRevision)
}

// withoutValues leaves only what a keys-only read wants. The pairs are shared with
// the map, so that others take their place.
func withoutValues(pairs []*mvccpb.KeyValue, r *pb.RangeRequest) {
	if !r.KeysOnly {
		return
	}
	for i, kv := range pairs {
		pairs[i] = &mvccpb.KeyValue{
			Key: kv.Key, CreateRevision: kv.CreateRevision,
			ModRevision: kv.ModRevision, Version: kv.Version, Lease: kv.Lease,
		}
	}
}

// single is a whole response about one key, allocated at once.
type single struct {
	response pb.RangeResponse
	header   pb.ResponseHeader
	pairs    [1]*mvccpb.KeyValue
}

// singleOf answers a read of one key, whose item may be nil.
func singleOf(it *item, r *pb.RangeRequest, revision int64) *pb.RangeResponse {
	s := &single{}
	s.header.Revision = revision
	s.response.Header = &s.header
	if it == nil {
		return &s.response
	}
	s.response.Count = 1
	if r.CountOnly || !wanted(r, &it.kv) {
		return &s.response
	}
	s.pairs[0] = &it.kv
	s.response.Kvs = s.pairs[:]
	withoutValues(s.response.Kvs, r)
	return &s.response
}
