package kv

import (
	"bytes"
	"cmp"
	"slices"
	"sort"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
)

// The model is the store as one would explain it: a Go map, copied before every
// command, and every read a walk over all of it. It shares no code with the machine.

type pair struct {
	value                     string
	create, modified, version int64
}

type model struct {
	pairs    map[string]pair
	revision int64
}

func newModel() *model { return &model{pairs: map[string]pair{}, revision: 1} }

func (m *model) copied() *model {
	c := &model{pairs: make(map[string]pair, len(m.pairs)), revision: m.revision}
	for k, p := range m.pairs {
		c.pairs[k] = p
	}
	return c
}

// in lists the keys that key and rangeEnd are about, in order.
func (m *model) in(key, rangeEnd []byte) (keys []string) {
	for k := range m.pairs {
		if modelContains(string(key), string(rangeEnd), k) {
			keys = append(keys, k)
		}
	}
	sort.Strings(keys)
	return keys
}

func modelContains(key, rangeEnd, k string) bool {
	switch rangeEnd {
	case "":
		return k == key
	case "\x00":
		return k >= key
	default:
		return k >= key && k < rangeEnd
	}
}

func (m *model) pair(k string) *mvccpb.KeyValue {
	p := m.pairs[k]
	return &mvccpb.KeyValue{
		Key: []byte(k), Value: []byte(p.value), CreateRevision: p.create, ModRevision: p.modified, Version: p.version,
	}
}

// modelTxn is a command under way.
type modelTxn struct {
	*model
	before  *model
	changed bool
}

func (m *model) begin() *modelTxn { return &modelTxn{model: m, before: m.copied()} }

func (t *modelTxn) header() *pb.ResponseHeader {
	if t.changed {
		return &pb.ResponseHeader{Revision: t.revision + 1}
	}
	return &pb.ResponseHeader{Revision: t.revision}
}

func (t *modelTxn) commit() {
	if t.changed {
		t.revision++
	}
}

func (t *modelTxn) put(r *pb.PutRequest) *pb.PutResponse {
	response := &pb.PutResponse{}
	p, exists := t.pairs[string(r.Key)]
	if exists && r.PrevKv {
		response.PrevKv = t.pair(string(r.Key))
	}
	if !exists {
		p.create = t.revision + 1
	}
	if !r.IgnoreValue {
		p.value = string(r.Value)
	}
	p.modified = t.revision + 1
	p.version++
	t.pairs[string(r.Key)] = p
	t.changed = true
	response.Header = t.header()
	return response
}

func (t *modelTxn) delete(r *pb.DeleteRangeRequest) *pb.DeleteRangeResponse {
	response := &pb.DeleteRangeResponse{}
	for _, k := range t.in(r.Key, r.RangeEnd) {
		if r.PrevKv {
			response.PrevKvs = append(response.PrevKvs, t.pair(k))
		}
		delete(t.pairs, k)
		response.Deleted++
		t.changed = true
	}
	response.Header = t.header()
	return response
}

func (t *modelTxn) read(r *pb.RangeRequest) *pb.RangeResponse {
	from := t.model
	if r.Revision != 0 {
		from = t.before
	}
	response := from.read(r)
	response.Header = t.header()
	return response
}

func (m *model) read(r *pb.RangeRequest) *pb.RangeResponse {
	response := &pb.RangeResponse{Header: &pb.ResponseHeader{Revision: m.revision}}
	keys := m.in(r.Key, r.RangeEnd)
	response.Count = int64(len(keys))
	if r.CountOnly {
		return response
	}
	var kvs []*mvccpb.KeyValue
	for _, k := range keys {
		kv := m.pair(k)
		outside := r.MinModRevision != 0 && kv.ModRevision < r.MinModRevision ||
			r.MaxModRevision != 0 && kv.ModRevision > r.MaxModRevision ||
			r.MinCreateRevision != 0 && kv.CreateRevision < r.MinCreateRevision ||
			r.MaxCreateRevision != 0 && kv.CreateRevision > r.MaxCreateRevision
		if !outside {
			kvs = append(kvs, kv)
		}
	}
	modelSort(kvs, r)
	if r.Limit > 0 && int64(len(kvs)) > r.Limit {
		kvs, response.More = kvs[:r.Limit], true
	}
	for _, kv := range kvs {
		if r.KeysOnly {
			kv.Value = nil
		}
	}
	response.Kvs = kvs
	return response
}

func modelSort(kvs []*mvccpb.KeyValue, r *pb.RangeRequest) {
	slices.SortStableFunc(kvs, func(a, b *mvccpb.KeyValue) int {
		order := map[pb.RangeRequest_SortTarget]int{
			pb.RangeRequest_KEY:     bytes.Compare(a.Key, b.Key),
			pb.RangeRequest_VERSION: cmp.Compare(a.Version, b.Version),
			pb.RangeRequest_CREATE:  cmp.Compare(a.CreateRevision, b.CreateRevision),
			pb.RangeRequest_MOD:     cmp.Compare(a.ModRevision, b.ModRevision),
			pb.RangeRequest_VALUE:   bytes.Compare(a.Value, b.Value),
		}[r.SortTarget]
		if r.SortOrder == pb.RangeRequest_DESCEND {
			return -order
		}
		return order
	})
}

// txn carries out a transaction. decide is the state by which to compare.
func (t *modelTxn) txn(r *pb.TxnRequest) *pb.TxnResponse {
	response := &pb.TxnResponse{Succeeded: t.before.holds(r)}
	ops := r.Failure
	if response.Succeeded {
		ops = r.Success
	}
	for _, op := range ops {
		out := &pb.ResponseOp{}
		switch o := op.Request.(type) {
		case *pb.RequestOp_RequestPut:
			out.Response = &pb.ResponseOp_ResponsePut{ResponsePut: t.put(o.RequestPut)}
		case *pb.RequestOp_RequestRange:
			out.Response = &pb.ResponseOp_ResponseRange{ResponseRange: t.read(o.RequestRange)}
		case *pb.RequestOp_RequestDeleteRange:
			out.Response = &pb.ResponseOp_ResponseDeleteRange{ResponseDeleteRange: t.delete(o.RequestDeleteRange)}
		case *pb.RequestOp_RequestTxn:
			out.Response = &pb.ResponseOp_ResponseTxn{ResponseTxn: t.txn(o.RequestTxn)}
		}
		response.Responses = append(response.Responses, out)
	}
	response.Header = t.header()
	return response
}

func (m *model) holds(r *pb.TxnRequest) bool {
	for _, c := range r.Compare {
		keys := m.in(c.Key, c.RangeEnd)
		if len(keys) == 0 && (c.Target == pb.Compare_VALUE || !modelCompare(c, &mvccpb.KeyValue{})) {
			return false
		}
		for _, k := range keys {
			if !modelCompare(c, m.pair(k)) {
				return false
			}
		}
	}
	return true
}

func modelCompare(c *pb.Compare, kv *mvccpb.KeyValue) bool {
	order := map[pb.Compare_CompareTarget]int{
		pb.Compare_VERSION: cmp.Compare(kv.Version, c.GetVersion()),
		pb.Compare_CREATE:  cmp.Compare(kv.CreateRevision, c.GetCreateRevision()),
		pb.Compare_MOD:     cmp.Compare(kv.ModRevision, c.GetModRevision()),
		pb.Compare_VALUE:   cmp.Compare(string(kv.Value), string(c.GetValue())),
		pb.Compare_LEASE:   cmp.Compare(kv.Lease, c.GetLease()),
	}[c.Target]
	return map[pb.Compare_CompareResult]bool{
		pb.Compare_EQUAL: order == 0, pb.Compare_NOT_EQUAL: order != 0,
		pb.Compare_GREATER: order > 0, pb.Compare_LESS: order < 0,
	}[c.Result]
}
