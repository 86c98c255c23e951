package remoting

import (
	"fmt"
	"strings"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/protobuf/proto"

	"castaway/messages"
	"castaway/raft"
)

// envelopeType is the one type that crosses the wire.
var envelopeType = string(proto.MessageName(&messages.Envelope{}))

// protoSerializer is the number of protoactor's protobuf serializer.
const protoSerializer = 0

// inspect looks at every message of a batch as if an enemy had made it. It hands
// those that a node could have sent to pass, and the others' faults to drop; it
// changes nothing, and reaches nobody.
func inspect(batch *remote.MessageBatch, self string, from raft.NodeID, most int, pass func(e *messages.Envelope, size int), drop func(why reason, detail any)) {
	if len(batch.GetEnvelopes()) == 0 {
		drop(dropEmpty, "a batch without messages")
		return
	}
	for i, m := range batch.GetEnvelopes() {
		if i >= most {
			drop(dropOversized, fmt.Sprintf("%d messages in a batch, and %d are allowed", len(batch.GetEnvelopes()), most))
			return
		}
		if why, detail, ok := check(batch, m, self); !ok {
			drop(why, detail)
			continue
		}
		e := &messages.Envelope{}
		if err := proto.Unmarshal(m.GetMessageData(), e); err != nil {
			drop(dropGarbage, err)
			continue
		}
		if raft.NodeID(e.GetFrom()) != from {
			drop(dropImpostor, fmt.Sprintf("node %d sends in the name of node %d", from, e.GetFrom()))
			continue
		}
		pass(e, len(m.GetMessageData()))
	}
}

// check says what is wrong with a message's address label, before its content is
// looked at.
func check(batch *remote.MessageBatch, m *remote.MessageEnvelope, self string) (reason, any, bool) {
	name, named := at(batch.GetTypeNames(), m.GetTypeId())
	target, _ := at(batch.GetTargets(), m.GetTarget())
	switch {
	case m == nil:
		return dropGarbage, "a message that is nil", false
	case m.GetSerializerId() != protoSerializer:
		return dropSerializer, m.GetSerializerId(), false
	case !named:
		return dropTypeIndex, m.GetTypeId(), false
	case name != envelopeType && (strings.HasPrefix(name, "actor.") || strings.HasPrefix(name, "remote.")):
		return dropControl, shortened(name), false
	case name != envelopeType:
		return dropType, shortened(name), false
	case !ours(target, self) || m.GetTargetRequestId() != 0:
		return dropTarget, shortened(target.GetAddress() + "/" + target.GetId()), false
	case m.GetSender() != 0 || m.GetSenderRequestId() != 0:
		return dropSender, m.GetSender(), false
	case m.GetMessageHeader() != nil:
		return dropHeader, "a message header", false
	case len(m.GetMessageData()) > messages.MaxEnvelopeBytes:
		return dropOversized, fmt.Sprintf("%d bytes, and %d are allowed", len(m.GetMessageData()), messages.MaxEnvelopeBytes), false
	}
	return 0, nil, true
}

// at is list[index], if there is such a place.
func at[T any](list []T, index int32) (T, bool) {
	if index < 0 || int(index) >= len(list) {
		var none T
		return none, false
	}
	return list[index], true
}

func ours(target *actor.PID, self string) bool {
	return target != nil && target.GetAddress() == self && target.GetId() == wireTarget && target.GetRequestId() == 0
}

// shortened bounds what a stranger can write into our log.
func shortened(s string) string {
	const most = 80
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}

func typeOf(kind any) string {
	if kind == nil {
		return "none"
	}
	return strings.TrimPrefix(fmt.Sprintf("%T", kind), "*remote.RemoteMessage_")
}
