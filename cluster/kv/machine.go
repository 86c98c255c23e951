package kv

import (
	"fmt"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/protobuf/proto"

	"castaway/actors"
)

// Machine is the key-value store as a state machine of a group. It is used by one
// goroutine at a time; what Query returns may be read by any.
type Machine struct {
	store *store
}

var (
	_ actors.StateMachine = (*Machine)(nil)
	_ actors.Hasher       = (*Machine)(nil)
)

// New gives an empty machine, at revision 1.
func New() *Machine {
	return &Machine{store: newStore(newMapped())}
}

// Stats is what a StatsQuery answers.
type Stats struct {
	Revision int64
	Keys     int
	Bytes    int64 // of keys, values and what holds them in memory, by estimate
}

// StatsQuery asks Query for Stats.
type StatsQuery struct{}

// resultGuess is the size of the result of a put, the most common.
const resultGuess = 12

// Apply carries out commands in order and returns a result for each, to be read by
// DecodePut, DecodeDeleteRange or DecodeTxn. It never fails: see the package.
func (m *Machine) Apply(commands []actors.Command) [][]byte {
	results := make([][]byte, len(commands))
	// One buffer serves the whole batch. When it grows, what was cut from it before
	// stays where it is.
	buf := make([]byte, 0, resultGuess*len(commands))
	for i := range commands {
		start := len(buf)
		buf = m.apply(buf, commands[i].Data)
		results[i] = buf[start:len(buf):len(buf)]
	}
	return results
}

// apply carries out a command and appends its result to buf.
func (m *Machine) apply(buf, command []byte) []byte {
	if len(command) < commandHeader || command[0] != commandVersion {
		return appendResult(buf, m.store.revision, nil, ErrMalformed)
	}
	var response proto.Message
	var err error
	switch data := command[commandHeader:]; command[1] {
	case kindPut:
		response, err = m.applyPut(data)
	case kindDeleteRange:
		response, err = m.applyDeleteRange(data)
	case kindTxn:
		response, err = m.applyTxn(data)
	default:
		err = ErrMalformed
	}
	return appendResult(buf, m.store.revision, response, err)
}

func (m *Machine) applyPut(data []byte) (proto.Message, error) {
	p, err := readPut(data)
	if err != nil {
		return nil, err
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	if p.keepsOld() && m.store.get(p.key) == nil {
		return nil, ErrKeyNotFound
	}
	e := m.store.execution()
	old := e.put(&p)
	e.end()
	if old != nil && p.prevKV {
		return &pb.PutResponse{PrevKv: &old.kv}, nil
	}
	return nil, nil
}

func (m *Machine) applyDeleteRange(data []byte) (proto.Message, error) {
	r, err := decode(&pb.DeleteRangeRequest{}, data)
	if err != nil {
		return nil, err
	}
	if err := CheckDeleteRange(r); err != nil {
		return nil, err
	}
	e := m.store.execution()
	response := e.deleteRange(r)
	e.end()
	return response, nil
}

func (m *Machine) applyTxn(data []byte) (proto.Message, error) {
	r, err := decode(&pb.TxnRequest{}, data)
	if err != nil {
		return nil, err
	}
	if err := CheckTxn(r, MaxTxnOperations); err != nil {
		return nil, err
	}
	p := planOf(m.store.items, r)
	if err := p.check(m.store.items, m.store.revision); err != nil {
		return nil, err
	}
	e := m.store.execution()
	if p.readsBefore() {
		e.before = m.store.view()
	}
	response := e.run(p)
	e.end()
	response.Header = nil
	return response, nil
}

// Query answers a read. A *pb.RangeRequest of one key gives a *pb.RangeResponse; of
// several, and a *pb.TxnRequest, gives a *View to read elsewhere; AnswerRange and
// AnswerTxn do. A StatsQuery gives Stats.
func (m *Machine) Query(query any) (any, error) {
	switch q := query.(type) {
	case *pb.RangeRequest:
		return m.queryRange(q)
	case *pb.TxnRequest:
		return m.store.view(), nil
	case StatsQuery:
		return Stats{Revision: m.store.revision, Keys: int(m.store.keys), Bytes: m.store.bytes}, nil
	default:
		return nil, fmt.Errorf("%w: query of type %T; ask with *etcdserverpb.RangeRequest, *etcdserverpb.TxnRequest or kv.StatsQuery", ErrMalformed, query)
	}
}

// queryRange answers at once what costs a lookup, and leaves the rest to the asker.
func (m *Machine) queryRange(r *pb.RangeRequest) (any, error) {
	if len(r.RangeEnd) > 0 {
		return m.store.view(), nil
	}
	if err := CheckRange(r); err != nil {
		return nil, err
	}
	if r.Revision > 0 {
		if err := atRevision(r.Revision, m.store.revision); err != nil {
			return nil, err
		}
	}
	it := m.store.get(r.Key)
	return singleOf(it, r, m.store.revision), m.store.items.err()
}

// AnswerRange makes the response to a range read out of what Query answered to it.
func AnswerRange(r *pb.RangeRequest, answer any) (*pb.RangeResponse, error) {
	switch a := answer.(type) {
	case *pb.RangeResponse:
		return a, nil
	case *View:
		return a.Range(r)
	default:
		return nil, fmt.Errorf("%w: answer of type %T to a range read", ErrMalformed, answer)
	}
}

// AnswerTxn makes the response to a read-only transaction out of what Query
// answered to it.
func AnswerTxn(r *pb.TxnRequest, answer any) (*pb.TxnResponse, error) {
	v, ok := answer.(*View)
	if !ok {
		return nil, fmt.Errorf("%w: answer of type %T to a transaction", ErrMalformed, answer)
	}
	return v.Txn(r)
}

// StateHash names the state: equal logs give equal hashes.
func (m *Machine) StateHash() uint64 { return m.store.hash() }
