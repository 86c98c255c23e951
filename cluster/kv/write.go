package kv

import (
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
)

// keepsOld says that the put needs the key to exist.
func (p *putRequest) keepsOld() bool { return p.ignoreValue || p.ignoreLease }

// put writes a checked put and returns what was there, or nil.
func (e *execution) put(p *putRequest) (old *item) {
	value := p.value
	switch {
	case p.ignoreValue:
		value = nil
		if old := e.store.get(p.key); old != nil {
			value = old.kv.Value
		}
	case !p.owned:
		value = append(make([]byte, 0, len(p.value)), p.value...)
	}
	e.changed = true
	return e.store.put(p.key, value, e.next())
}

// deleteRange deletes what a checked deletion is about.
func (e *execution) deleteRange(r *pb.DeleteRangeRequest) *pb.DeleteRangeResponse {
	response := &pb.DeleteRangeResponse{}
	doomed := e.store.find(intervalOf(r.Key, r.RangeEnd))
	for _, it := range doomed {
		e.store.remove(it)
	}
	e.changed = e.changed || len(doomed) > 0
	response.Deleted = int64(len(doomed))
	if r.PrevKv && len(doomed) > 0 {
		response.PrevKvs = make([]*mvccpb.KeyValue, len(doomed))
		for i, it := range doomed {
			response.PrevKvs[i] = &it.kv
		}
	}
	return response
}

// find lists the items in an interval, in the order of their keys.
func (s *store) find(iv interval) (items []*item) {
	if iv.single {
		if it := s.get(iv.from); it != nil {
			items = append(items, it)
		}
		return items
	}
	s.items.ascend(iv.from, func(it *item) bool {
		if !iv.before(asKey(it.kv.Key)) {
			return false
		}
		items = append(items, it)
		return true
	})
	return items
}
