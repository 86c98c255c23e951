package remoting

import (
	"time"

	"github.com/asynkron/protoactor-go/remote"

	"castaway/messages"
)

// letter is an envelope in protoactor's queue for a peer, with the time by which
// it has to leave. The queue has no limit of its own and waits while the peer is
// slow; what has waited longer than Limits.MaxAge is of no use to Raft any more.
type letter struct {
	envelope *messages.Envelope
	deadline time.Time
}

var _ remote.RootSerializable = (*letter)(nil)

// Serialize implements remote.RootSerializable; it is called when the letter is
// about to leave. One that is too late becomes an empty envelope, of zero bytes,
// which outgoing takes out of the batch: an error would be logged each time.
func (l *letter) Serialize() (remote.RootSerialized, error) {
	if time.Now().After(l.deadline) {
		return late, nil
	}
	return sealed{l.envelope}, nil
}

// IgnoreDeadLetterLogging keeps protoactor from logging what it could not send.
func (*letter) IgnoreDeadLetterLogging() {}

// sealed is an envelope that protoactor takes for a message ready to marshal.
type sealed struct{ *messages.Envelope }

var late = sealed{&messages.Envelope{}}

// Deserialize is not called: what comes in goes past protoactor's reader.
func (s sealed) Deserialize() (remote.RootSerializable, error) {
	return &letter{envelope: s.Envelope}, nil
}
