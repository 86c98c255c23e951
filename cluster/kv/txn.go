package kv

import (
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
)

// A plan is a transaction with its comparisons decided. All of them, nested ones
// too, are decided by the state before the transaction, as in etcd.
type plan struct {
	operations []*pb.RequestOp // of the side to carry out
	succeeded  bool
	nested     []*plan // of the transactions in operations, in their order
}

func planOf(items reader, r *pb.TxnRequest) *plan {
	p := &plan{succeeded: holds(items, r.GetCompare()), operations: r.GetFailure()}
	if p.succeeded {
		p.operations = r.GetSuccess()
	}
	for _, op := range p.operations {
		if nested := op.GetRequestTxn(); nested != nil {
			p.nested = append(p.nested, planOf(items, nested))
		}
	}
	return p
}

// check finds what would fail in a plan, before any of it is carried out: what
// passes is carried out whole.
func (p *plan) check(items reader, revision int64) error {
	for _, op := range p.operations {
		switch o := op.Request.(type) {
		case *pb.RequestOp_RequestRange:
			if wanted := o.RequestRange.Revision; wanted != 0 {
				if err := atRevision(wanted, revision); err != nil {
					return err
				}
			}
		case *pb.RequestOp_RequestPut:
			if put := putOf(o.RequestPut); put.keepsOld() {
				if items.get(put.key) == nil {
					return ErrKeyNotFound
				}
			}
		}
	}
	for _, nested := range p.nested {
		if err := nested.check(items, revision); err != nil {
			return err
		}
	}
	return nil
}

// readsBefore says that a plan reads at an explicit revision, which is the one
// before it, whatever it writes first.
func (p *plan) readsBefore() bool {
	for _, op := range p.operations {
		if op.GetRequestRange().GetRevision() != 0 {
			return true
		}
	}
	for _, nested := range p.nested {
		if nested.readsBefore() {
			return true
		}
	}
	return false
}

// execution carries out one command. Everything it changes gets the revision after
// the store's, which moves when the execution ends.
type execution struct {
	store   *store
	now     reader // the state as the command has changed it so far
	before  *View  // the state before the command, if its plan reads that
	changed bool
}

// execution begins one of a command.
func (s *store) execution() execution { return execution{store: s, now: s.items} }

func (e *execution) next() int64 { return e.store.revision + 1 }

// reached is the revision that a response in the middle of the command names.
func (e *execution) reached() int64 {
	if e.changed {
		return e.next()
	}
	return e.store.revision
}

// end moves the revision, if anything changed.
func (e *execution) end() { e.store.revision = e.reached() }

// run carries out a plan. Its response's header has the revision so far.
func (e *execution) run(p *plan) *pb.TxnResponse {
	response := &pb.TxnResponse{
		Succeeded: p.succeeded,
		Responses: make([]*pb.ResponseOp, len(p.operations)),
	}
	nested := p.nested
	for i, op := range p.operations {
		if op.GetRequestTxn() != nil {
			response.Responses[i] = &pb.ResponseOp{Response: &pb.ResponseOp_ResponseTxn{ResponseTxn: e.run(nested[0])}}
			nested = nested[1:]
			continue
		}
		response.Responses[i] = e.operate(op)
	}
	response.Header = &pb.ResponseHeader{Revision: e.reached()}
	return response
}

func (e *execution) operate(op *pb.RequestOp) *pb.ResponseOp {
	switch o := op.Request.(type) {
	case *pb.RequestOp_RequestRange:
		return &pb.ResponseOp{Response: &pb.ResponseOp_ResponseRange{ResponseRange: e.read(o.RequestRange)}}
	case *pb.RequestOp_RequestPut:
		put := putOf(o.RequestPut)
		response := &pb.PutResponse{}
		if old := e.put(&put); old != nil && put.prevKV {
			response.PrevKv = &old.kv
		}
		response.Header = &pb.ResponseHeader{Revision: e.reached()}
		return &pb.ResponseOp{Response: &pb.ResponseOp_ResponsePut{ResponsePut: response}}
	case *pb.RequestOp_RequestDeleteRange:
		response := e.deleteRange(o.RequestDeleteRange)
		response.Header = &pb.ResponseHeader{Revision: e.reached()}
		return &pb.ResponseOp{Response: &pb.ResponseOp_ResponseDeleteRange{ResponseDeleteRange: response}}
	default:
		return &pb.ResponseOp{}
	}
}

func (e *execution) read(r *pb.RangeRequest) *pb.RangeResponse {
	if r.Revision != 0 && e.before != nil {
		return rangeOver(e.before.items, r, e.reached())
	}
	return rangeOver(e.now, r, e.reached())
}
