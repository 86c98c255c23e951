package messages_test

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	"castaway/messages"
	"castaway/raft"
)

// A leader seals a batch of entries once; disks and followers get the same bytes.
func ExampleSeal() {
	entries := []raft.Entry{
		{Term: 3, Index: 41, Kind: raft.EntryNoOp},
		{Term: 3, Index: 42, Kind: raft.EntryCommand, Data: []byte("put a 1")},
	}
	messages.Seal(entries)
	fmt.Printf("%x\n%x\n", entries[0].Frame, entries[1].Frame)
	// Output:
	// fc0ce343020329
	// af97318b01032a70757420612031
}

func ExampleDecodeEntry() {
	entries := []raft.Entry{{Term: 3, Index: 42, Kind: raft.EntryCommand, Data: []byte("put a 1")}}
	messages.Seal(entries)

	entry, err := messages.DecodeEntry(entries[0].Frame)
	fmt.Printf("index %d of term %d: %s, %v\n", entry.Index, entry.Term, entry.Data, err)

	entries[0].Frame[10] ^= 1
	_, err = messages.DecodeEntry(entries[0].Frame)
	fmt.Println(errors.Is(err, messages.ErrCorruptFrame))
	// Output:
	// index 42 of term 3: put a 1, <nil>
	// true
}

// A message goes out in an envelope, and comes in from one.
func ExampleToEnvelope() {
	vote := &raft.RequestVote{
		Header: raft.Header{From: 1, To: 2, Term: 4},
		Last:   raft.Position{Term: 3, Index: 42},
	}
	wire, _ := proto.Marshal(messages.ToEnvelope(0xca57, 1, vote))

	var e messages.Envelope
	if err := proto.Unmarshal(wire, &e); err != nil {
		fmt.Println(err)
		return
	}
	m, err := messages.FromEnvelope(&e)
	if err != nil {
		fmt.Println(err) // drop it, count it, go on
		return
	}
	fmt.Printf("%s: %+v\n", messages.KindOf(&e), m)
	// Output:
	// request_vote: &{Header:{From:1 To:2 Term:4} Last:42@t3 Transfer:false}
}

// An envelope that this version does not understand says why.
func ExampleFromEnvelope() {
	_, err := messages.FromEnvelope(&messages.Envelope{From: 1, To: 2, Group: 1})
	fmt.Println(err)
	// Output:
	// messages: envelope of unknown kind: from node 1, without any kind
}
