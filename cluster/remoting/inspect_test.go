package remoting

import (
	"testing"

	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/protobuf/proto"

	"castaway/messages"
)

// Whatever the bytes, looking at them neither panics nor lets anything pass that
// a node would not have sent.
func FuzzInspect(f *testing.F) {
	const self = "127.0.0.1:2380"
	for _, c := range spoiled {
		b := good(self)
		c.spoil(b)
		if data, err := proto.Marshal(b); err == nil && len(data) < 1<<16 {
			f.Add(data)
		}
	}
	valid, _ := proto.Marshal(good(self))
	f.Add(valid)
	f.Fuzz(func(t *testing.T, data []byte) {
		_ = boundedCodec{batch: 64}.bounded(data)
		batch := &remote.MessageBatch{}
		if proto.Unmarshal(data, batch) != nil {
			return
		}
		passed, dropped := 0, 0
		inspect(batch, self, 1, 64, func(e *messages.Envelope, _ int) {
			passed++
			if e.GetFrom() != 1 {
				t.Errorf("passed in the name of node %d", e.GetFrom())
			}
		}, func(reason, any) { dropped++ })
		if n := len(batch.GetEnvelopes()); n > 0 && n <= 64 && passed+dropped != n {
			t.Errorf("of %d messages %d passed and %d were dropped", n, passed, dropped)
		}
		if passed > 0 && (batch.GetTypeNames() == nil || batch.GetTargets() == nil) {
			t.Error("passed without a type or a target")
		}
	})
}

func TestAMessageThatIsNilIsDropped(t *testing.T) {
	b := good("x:1")
	b.Envelopes = append(b.Envelopes, nil)
	b.Targets = append(b.Targets, nil)
	passed, dropped := 0, 0
	inspect(b, "x:1", 1, 64, func(*messages.Envelope, int) { passed++ }, func(why reason, _ any) {
		dropped++
		if why != dropGarbage {
			t.Errorf("a message that is nil was dropped as %q", why)
		}
	})
	inspect(nil, "x:1", 1, 64, func(*messages.Envelope, int) { passed++ }, func(reason, any) { dropped++ })
	if passed != 1 || dropped != 2 {
		t.Errorf("%d passed and %d were dropped, want 1 and 2", passed, dropped)
	}
}
