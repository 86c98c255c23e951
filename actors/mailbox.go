package actors

import (
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"
)

// mailbox is protoactor's, which nobody can put anything in before it is complete.
// protoactor makes an actor's name known and then gives its mailbox what it needs to
// schedule the actor; in between, whoever sends to the name would find nothing there. Our
// actors are sent to by name, by anyone, from the start. So a sender waits for what the
// spawning goroutine does next.
type mailbox struct {
	actor.Mailbox
	complete   atomic.Bool
	registered chan struct{}
}

func newMailbox() actor.Mailbox {
	return &mailbox{Mailbox: actor.Unbounded()(), registered: make(chan struct{})}
}

// RegisterHandlers implements actor.Mailbox.
func (m *mailbox) RegisterHandlers(invoker actor.MessageInvoker, dispatcher actor.Dispatcher) {
	m.Mailbox.RegisterHandlers(invoker, dispatcher)
	m.complete.Store(true)
	close(m.registered)
}

// PostUserMessage implements actor.Mailbox.
func (m *mailbox) PostUserMessage(message any) {
	m.await()
	m.Mailbox.PostUserMessage(message)
}

// PostSystemMessage implements actor.Mailbox.
func (m *mailbox) PostSystemMessage(message any) {
	m.await()
	m.Mailbox.PostSystemMessage(message)
}

func (m *mailbox) await() {
	if !m.complete.Load() {
		<-m.registered
	}
}
