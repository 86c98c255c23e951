package kv

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"pgregory.net/rapid"

	"castaway/actors"
)

// all asks for everything.
var all = &pb.RangeRequest{Key: []byte{0}, RangeEnd: []byte{0}}

// apply carries out one command.
func apply(m *Machine, command []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return m.Apply([]actors.Command{{Index: 1, Term: 1, Data: command}})[0]
}

func (m *Machine) put(r *pb.PutRequest) (*pb.PutResponse, error) {
	command, err := EncodePut(r)
	return DecodePut(apply(m, command, err))
}

func (m *Machine) delete(r *pb.DeleteRangeRequest) (*pb.DeleteRangeResponse, error) {
	command, err := EncodeDeleteRange(r)
	return DecodeDeleteRange(apply(m, command, err))
}

func (m *Machine) txn(r *pb.TxnRequest) (*pb.TxnResponse, error) {
	command, err := EncodeTxn(r)
	return DecodeTxn(apply(m, command, err))
}

func (m *Machine) read(r *pb.RangeRequest) (*pb.RangeResponse, error) {
	answer, err := m.Query(r)
	if err != nil {
		return nil, err
	}
	return AnswerRange(r, answer)
}

// differ compares protobuf messages, for which empty and missing bytes are equal.
func differ(want, got proto.Message) string {
	return cmp.Diff(want, got, protocmp.Transform(), protocmp.IgnoreEmptyMessages())
}

// pairing is a machine beside its model.
type pairing struct {
	machine *Machine
	model   *model
}

// outcome checks that both refuse, or neither does and they answer alike.
func (p *pairing) outcome(t *rapid.T, refuse bool, want, got proto.Message, err error) {
	if refuse != (err != nil) {
		t.Fatalf("refused by the model: %v; the machine's error: %v", refuse, err)
	}
	if err != nil {
		return
	}
	if diff := differ(want, got); diff != "" {
		t.Fatalf("the machine's answer is not the model's (-model +machine):\n%s", diff)
	}
}

func (p *pairing) put(t *rapid.T) {
	r := drawPut(t)
	refuse := p.model.refusesPut(r)
	var want *pb.PutResponse
	if !refuse {
		txn := p.model.begin()
		want = txn.put(r)
		txn.commit()
	}
	got, err := p.machine.put(r)
	p.outcome(t, refuse, want, got, err)
}

func (p *pairing) delete(t *rapid.T) {
	r := drawDelete(t)
	txn := p.model.begin()
	want := txn.delete(r)
	txn.commit()
	got, err := p.machine.delete(r)
	p.outcome(t, false, want, got, err)
}

func (p *pairing) txn(t *rapid.T) {
	r := drawTxn(t, p.model.revision, 2)
	refuse := p.model.refusesTxn(r)
	var want *pb.TxnResponse
	readOnly := p.model.copied()
	if !refuse {
		txn := p.model.begin()
		want = txn.txn(r)
		txn.commit()
	}
	if ReadOnly(r) && !refuse {
		view, _ := p.machine.Query(r)
		got, err := AnswerTxn(r, view)
		p.outcome(t, false, readOnly.begin().txn(r), got, err)
	}
	got, err := p.machine.txn(r)
	p.outcome(t, refuse, want, got, err)
}

func (p *pairing) read(t *rapid.T) {
	r := drawRange(t, p.model.revision)
	got, err := p.machine.read(r)
	p.outcome(t, false, p.model.read(r), got, err)
}

// agree checks the whole state.
func (p *pairing) agree(t *rapid.T) {
	got, err := p.machine.read(all)
	p.outcome(t, false, p.model.read(all), got, err)
	if want := rehash(p.machine); p.machine.StateHash() != want {
		t.Fatalf("the hash that was kept up is %x, but hashing the state gives %x", p.machine.StateHash(), want)
	}
}

// rehash computes the state hash from the state alone.
func rehash(m *Machine) uint64 {
	fresh := figures{revision: m.store.revision}
	m.store.items.ascend(nil, func(it *item) bool {
		again := &item{hash: 0}
		proto.Merge(&again.kv, &it.kv)
		again.seal()
		fresh.add(again)
		return true
	})
	return fresh.hash()
}

func TestMachineAgreesWithTheModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := &pairing{machine: New(), model: newModel()}
		t.Repeat(map[string]func(*rapid.T){
			"put": p.put, "delete": p.delete, "txn": p.txn, "read": p.read, "": p.agree,
		})
	})
}

// A view shares the tree with the machine: whatever is written after it was taken,
// splitting and joining nodes, it answers as on the first day.
func TestAViewNeverChanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := New()
		type kept struct {
			view *View
			want *pb.RangeResponse
		}
		var views []kept
		for range rapid.IntRange(1, 12).Draw(t, "rounds") {
			from := rapid.IntRange(0, 2000).Draw(t, "from")
			count := rapid.IntRange(1, 800).Draw(t, "count")
			if rapid.Bool().Draw(t, "delete") {
				if _, err := m.delete(&pb.DeleteRangeRequest{Key: manyKeys(from), RangeEnd: manyKeys(from + count)}); err != nil {
					t.Fatal(err)
				}
			} else {
				for i := range count {
					if _, err := m.put(&pb.PutRequest{Key: manyKeys(from + i), Value: []byte{byte(i)}}); err != nil {
						t.Fatal(err)
					}
				}
			}
			answer, _ := m.Query(all)
			want, err := AnswerRange(all, answer)
			if err != nil {
				t.Fatal(err)
			}
			views = append(views, kept{view: answer.(*View), want: proto.Clone(want).(*pb.RangeResponse)})
		}
		for i, v := range views {
			got, err := v.view.Range(all)
			if err != nil || !proto.Equal(v.want, got) {
				t.Fatalf("view %d of %d has changed (error %v)", i, len(views), err)
			}
		}
	})
}
