package remoting

import (
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"castaway/messages"
)

// A node's second remoting has an actor system of its own, and the transport lives in
// another: it is reached all the same, also by the first thing that ever comes for it.
func TestATransportOfAnotherSystemIsReached(t *testing.T) {
	a, b := pair(t, nil)
	reached := make(chan *messages.Envelope, 1)
	home := quietSystem()
	t.Cleanup(home.Shutdown)
	pid := home.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		if e, ok := ctx.Message().(*messages.Envelope); ok && e.GetHeartbeat() != nil {
			reached <- e
		}
	}))
	b.remoting.Attach(home, actor.NewPID(pid.Address, pid.Id)) // nobody has used it yet
	a.send(b, 7)
	select {
	case e := <-reached:
		if e.GetHeartbeat().GetRound() != 7 {
			t.Errorf("got %v", e)
		}
	case <-time.After(patience):
		t.Fatal("what was sent reached nobody")
	}
}
