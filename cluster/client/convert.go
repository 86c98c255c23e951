package client

import (
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
)

func headerOf(h *pb.ResponseHeader) Header {
	return Header{
		ClusterID: h.GetClusterId(), MemberID: h.GetMemberId(),
		Revision: h.GetRevision(), RaftTerm: h.GetRaftTerm(),
	}
}

func keyValueOf(kv *mvccpb.KeyValue) KeyValue {
	return KeyValue{
		Key: string(kv.Key), Value: kv.Value, CreateRevision: kv.CreateRevision,
		ModRevision: kv.ModRevision, Version: kv.Version,
	}
}

func keyValuesOf(kvs []*mvccpb.KeyValue) []KeyValue {
	if len(kvs) == 0 {
		return nil
	}
	list := make([]KeyValue, len(kvs))
	for i, kv := range kvs {
		list[i] = keyValueOf(kv)
	}
	return list
}

func putResultOf(r *pb.PutResponse) *PutResult {
	result := &PutResult{Header: headerOf(r.Header)}
	if r.PrevKv != nil {
		prev := keyValueOf(r.PrevKv)
		result.Prev = &prev
	}
	return result
}

func getResultOf(r *pb.RangeResponse) *GetResult {
	return &GetResult{Header: headerOf(r.Header), KVs: keyValuesOf(r.Kvs), Count: r.Count, More: r.More}
}

func deleteResultOf(r *pb.DeleteRangeResponse) *DeleteResult {
	return &DeleteResult{Header: headerOf(r.Header), Deleted: r.Deleted, Prev: keyValuesOf(r.PrevKvs)}
}

func txnResultOf(r *pb.TxnResponse) *TxnResult {
	result := &TxnResult{Header: headerOf(r.Header), Succeeded: r.Succeeded}
	for _, op := range r.Responses {
		var one OpResult
		switch o := op.Response.(type) {
		case *pb.ResponseOp_ResponsePut:
			one.Put = putResultOf(o.ResponsePut)
		case *pb.ResponseOp_ResponseRange:
			one.Get = getResultOf(o.ResponseRange)
		case *pb.ResponseOp_ResponseDeleteRange:
			one.Delete = deleteResultOf(o.ResponseDeleteRange)
		case *pb.ResponseOp_ResponseTxn:
			one.Txn = txnResultOf(o.ResponseTxn)
		}
		result.Results = append(result.Results, one)
	}
	return result
}
