package actors

import (
	"testing"
	"testing/synctest"

	"github.com/asynkron/protoactor-go/actor"
)

// Whoever sends to an actor's name in the middle of its spawning waits for the rest of it,
// and the message arrives.
func TestAMailboxTakesNothingBeforeItIsComplete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMailbox()
		sent, scheduled := false, false
		go func() {
			m.PostUserMessage("early")
			sent = true
		}()
		synctest.Wait()
		if sent {
			t.Error("a mailbox took a message that it could not schedule")
		}
		m.RegisterHandlers(nil, scheduler(func(func()) { scheduled = true }))
		synctest.Wait()
		if n := m.UserMessageCount(); !sent || !scheduled || n != 1 {
			t.Errorf("sent: %t, scheduled: %t, and it holds %d messages", sent, scheduled, n)
		}
	})
}

type scheduler func(func())

func (s scheduler) Schedule(fn func()) { s(fn) }
func (s scheduler) Throughput() int    { return 1 }

var _ actor.Dispatcher = scheduler(nil)
