package remoting

import (
	"context"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"castaway/messages"
)

// hostile is a raw gRPC client: it says what it likes, and never what a node
// would.
type hostile struct {
	t      testing.TB
	conn   *grpc.ClientConn
	stream remote.Remoting_ReceiveClient
	cancel context.CancelFunc
}

// raw sends bytes as they are.
type raw struct{ encoding.CodecV2 }

func (c raw) Marshal(v any) (mem.BufferSlice, error) {
	if b, ok := v.([]byte); ok {
		return mem.BufferSlice{mem.SliceBuffer(b)}, nil
	}
	return c.CodecV2.Marshal(v)
}

func newHostile(t testing.TB, address string, options ...grpc.DialOption) *hostile {
	t.Helper()
	if len(options) == 0 {
		options = append(options, grpc.WithTransportCredentials(insecure.NewCredentials()))
	}
	conn, err := grpc.NewClient("passthrough:///"+address, options...)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	h := &hostile{t: t, conn: conn, cancel: cancel}
	h.stream, err = remote.NewRemotingClient(conn).Receive(ctx, grpc.ForceCodecV2(raw{encoding.GetCodecV2("proto")}), grpc.MaxCallSendMsgSize(1<<30))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.close)
	return h
}

func (h *hostile) close() {
	h.cancel()
	h.conn.Close()
}

func (h *hostile) send(m *remote.RemoteMessage) { _ = h.stream.Send(m) } // the node may have hung up

func (h *hostile) sendBytes(b []byte) { _ = h.stream.SendMsg(b) }

func (h *hostile) batch(b *remote.MessageBatch) {
	h.send(&remote.RemoteMessage{MessageType: &remote.RemoteMessage_MessageBatch{MessageBatch: b}})
}

func connectRequest(address string) *remote.RemoteMessage {
	return &remote.RemoteMessage{MessageType: &remote.RemoteMessage_ConnectRequest{ConnectRequest: &remote.ConnectRequest{
		ConnectionType: &remote.ConnectRequest_ServerConnection{ServerConnection: &remote.ServerConnection{SystemId: "h", Address: address}}}}}
}

// connect claims to be the node of an address.
func (h *hostile) connect(address string) {
	h.t.Helper()
	h.send(connectRequest(address))
	if m, err := h.stream.Recv(); err != nil || m.GetConnectResponse() == nil {
		h.t.Fatalf("connecting as %s: %v, %v", address, m, err)
	}
}

// good is a batch as node 1 makes it for node 2; tests spoil it.
func good(self string) *remote.MessageBatch {
	data, err := proto.Marshal(heartbeat(1, 2, 1))
	if err != nil {
		panic(err)
	}
	return &remote.MessageBatch{
		TypeNames: []string{envelopeType},
		Targets:   []*actor.PID{{Address: self, Id: wireTarget}},
		Envelopes: []*remote.MessageEnvelope{{MessageData: data}},
	}
}

// spoiled names what may be wrong with a batch, and why it is refused.
var spoiled = []struct {
	name  string
	spoil func(*remote.MessageBatch)
	why   reason
}{
	{"unknown type name", func(b *remote.MessageBatch) { b.TypeNames[0] = "castaway.v9.Envelope" }, dropType},
	{"type index out of range", func(b *remote.MessageBatch) { b.Envelopes[0].TypeId = 7 }, dropTypeIndex},
	{"negative type index", func(b *remote.MessageBatch) { b.Envelopes[0].TypeId = -1 }, dropTypeIndex},
	{"no type names", func(b *remote.MessageBatch) { b.TypeNames = nil }, dropTypeIndex},
	{"serializer out of range", func(b *remote.MessageBatch) { b.Envelopes[0].SerializerId = 99 }, dropSerializer},
	{"negative serializer", func(b *remote.MessageBatch) { b.Envelopes[0].SerializerId = -1 }, dropSerializer},
	{"JSON serializer", func(b *remote.MessageBatch) { b.Envelopes[0].SerializerId = 1 }, dropSerializer},
	{"Stop to the transport", func(b *remote.MessageBatch) { b.TypeNames[0] = "actor.Stop"; b.Envelopes[0].MessageData = nil }, dropControl},
	{"PoisonPill", func(b *remote.MessageBatch) { b.TypeNames[0] = "actor.PoisonPill" }, dropControl},
	{"Watch", func(b *remote.MessageBatch) { b.TypeNames[0] = "actor.Watch" }, dropControl},
	{"Terminated", func(b *remote.MessageBatch) { b.TypeNames[0] = "actor.Terminated" }, dropControl},
	{"spawn request", func(b *remote.MessageBatch) {
		b.TypeNames[0], b.Targets[0].Id = "remote.ActorPidRequest", "activator"
	}, dropControl},
	{"another actor", func(b *remote.MessageBatch) { b.Targets[0].Id = "bystander" }, dropTarget},
	{"another name of ours", func(b *remote.MessageBatch) { b.Targets[0].Address = "localhost:1" }, dropTarget},
	{"target index out of range", func(b *remote.MessageBatch) { b.Envelopes[0].Target = 5 }, dropTarget},
	{"no targets", func(b *remote.MessageBatch) { b.Targets = nil }, dropTarget},
	{"a request id", func(b *remote.MessageBatch) { b.Envelopes[0].TargetRequestId = 5 }, dropTarget},
	{"sender index out of range", func(b *remote.MessageBatch) { b.Envelopes[0].Sender = 9 }, dropSender},
	{"sender of another", func(b *remote.MessageBatch) {
		b.Senders, b.Envelopes[0].Sender = []*actor.PID{{Address: "127.0.0.1:9", Id: "x"}}, 1
	}, dropSender},
	{"a header", func(b *remote.MessageBatch) { b.Envelopes[0].MessageHeader = &remote.MessageHeader{} }, dropHeader},
	{"garbage for an envelope", func(b *remote.MessageBatch) { b.Envelopes[0].MessageData = []byte("\xff\xff\xffgarbage") }, dropGarbage},
	{"an envelope in another's name", func(b *remote.MessageBatch) {
		b.Envelopes[0].MessageData, _ = proto.Marshal(heartbeat(3, 2, 1))
	}, dropImpostor},
	{"an envelope of zero bytes", func(b *remote.MessageBatch) { b.Envelopes[0].MessageData = nil }, dropImpostor},
	{"an envelope that is too large", func(b *remote.MessageBatch) {
		b.Envelopes[0].MessageData = make([]byte, messages.MaxEnvelopeBytes+1)
	}, dropOversized},
	{"an empty batch", func(b *remote.MessageBatch) { b.Envelopes = nil }, dropEmpty},
	{"everything empty", func(b *remote.MessageBatch) { proto.Reset(b) }, dropEmpty},
	{"a message of nothing", func(b *remote.MessageBatch) {
		*b = remote.MessageBatch{Envelopes: []*remote.MessageEnvelope{{}}}
	}, dropTypeIndex},
}

// A node drops what is spoiled, counts each, logs once, and goes on to serve:
// the same stream, and the honest peer.
func TestSpoiledBatchesAreDroppedAndTheStreamGoesOn(t *testing.T) {
	a, b := pair(t, nil)
	self := b.remoting.Address()
	bystander := b.system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		switch ctx.Message().(type) {
		case *actor.Started, *actor.Stopping, *actor.Stopped:
		default:
			t.Errorf("a bystander got %T", ctx.Message())
		}
	}))
	defer func() { _ = b.system.Root.StopFuture(bystander).Wait() }()
	for _, c := range spoiled {
		t.Run(c.name, func(t *testing.T) {
			h := newHostile(t, self)
			h.connect(a.remoting.Address())
			before := b.dropped(c.why)
			for range 3 {
				bad := good(self)
				c.spoil(bad)
				if len(bad.Targets) > 0 && bad.Targets[0].Id == "bystander" {
					bad.Targets[0].Id = bystander.Id
				}
				h.batch(bad)
			}
			h.batch(good(self)) // in order, so what was spoiled has been seen
			if got := b.next(); got.GetHeartbeat() == nil || got.GetFrom() != 1 {
				t.Fatalf("after it, %v arrived", got)
			}
			if n := b.dropped(c.why) - before; n != 3 {
				t.Errorf("%d were counted as %q, want 3", n, c.why)
			}
			if n := b.log.count(c.why.String()); n != 1 {
				t.Errorf("%q was logged %d times, want once", c.why, n)
			}
			servesStill(t, a, b)
		})
	}
}

// servesStill shows that an honest peer's message comes through.
func servesStill(t *testing.T, a, b *node) {
	t.Helper()
	a.send(b, 4711)
	if got := b.next().GetHeartbeat().GetRound(); got != 4711 {
		t.Fatalf("from the honest peer came round %d", got)
	}
	if b.dropped(dropPanic) != 0 {
		t.Error("something panicked on the way")
	}
}

// What gRPC or protoactor can't go on with ends the stream, and nothing else.
func TestWhatEndsAStream(t *testing.T) {
	a, b := pair(t, func(c *Config) { c.Limits.ConnectTimeout = 500 * time.Millisecond })
	self, other := b.remoting.Address(), a.remoting.Address()
	flood := good(self)
	for len(flood.Envelopes) < 1<<16 {
		flood.Envelopes = append(flood.Envelopes, &remote.MessageEnvelope{})
	}
	flooding, _ := proto.Marshal(&remote.RemoteMessage{MessageType: &remote.RemoteMessage_MessageBatch{MessageBatch: flood}})
	for _, c := range []struct {
		name string
		do   func(*hostile)
		why  reason
		code codes.Code
	}{
		{"garbage bytes", func(h *hostile) { h.connect(other); h.sendBytes([]byte("\xff\xfe\xfd not protobuf")) }, dropGarbage, codes.Internal},
		{"garbage at once", func(h *hostile) { h.sendBytes([]byte{0x0a, 0xff}) }, dropGarbage, codes.Internal},
		{"oversized", func(h *hostile) { h.connect(other); h.sendBytes(make([]byte, 16<<20)) }, dropOversized, codes.ResourceExhausted},
		{"a flood of tiny parts", func(h *hostile) { h.connect(other); h.sendBytes(flooding) }, dropGarbage, codes.Internal},
		{"an unknown address", func(h *hostile) { h.send(connectRequest("10.9.8.7:1")) }, dropStranger, codes.PermissionDenied},
		{"our own address", func(h *hostile) { h.send(connectRequest(self)) }, dropStranger, codes.PermissionDenied},
		{"a client's request", func(h *hostile) {
			h.send(&remote.RemoteMessage{MessageType: &remote.RemoteMessage_ConnectRequest{ConnectRequest: &remote.ConnectRequest{
				ConnectionType: &remote.ConnectRequest_ClientConnection{}}}})
		}, dropStranger, codes.PermissionDenied},
		{"a request of nothing", func(h *hostile) {
			h.send(&remote.RemoteMessage{MessageType: &remote.RemoteMessage_ConnectRequest{}})
		}, dropStranger, codes.PermissionDenied},
		{"silence", func(*hostile) {}, dropUnconnected, codes.DeadlineExceeded},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := b.dropped(c.why)
			h := newHostile(t, self)
			c.do(h)
			if _, err := h.stream.Recv(); status.Code(err) != c.code {
				t.Errorf("the stream ended with %v, want %v", err, c.code)
			}
			servesStill(t, a, b)
			b.counts(c.why, before+1)
		})
	}
}

func TestControlMessagesOfTheStreamAreIgnored(t *testing.T) {
	a, b := pair(t, nil)
	h := newHostile(t, b.remoting.Address())
	h.batch(good(b.remoting.Address())) // before it said who it is
	h.connect(a.remoting.Address())
	for _, m := range []*remote.RemoteMessage{
		{},
		{MessageType: &remote.RemoteMessage_ConnectResponse{}},
		{MessageType: &remote.RemoteMessage_DisconnectRequest{}},
	} {
		h.send(m)
	}
	h.batch(good(b.remoting.Address()))
	b.next()
	if n := b.dropped(dropControl); n != 3 {
		t.Errorf("%d control messages were counted, want 3", n)
	}
	if n := b.dropped(dropUnconnected); n != 1 {
		t.Errorf("%d batches were counted as not connected, want 1", n)
	}
	servesStill(t, a, b)
}

func TestUnaryCallsAreRefused(t *testing.T) {
	a, b := pair(t, nil)
	h := newHostile(t, b.remoting.Address())
	client := remote.NewRemotingClient(h.conn)
	for range 2 {
		if _, err := client.ListProcesses(context.Background(), &remote.ListProcessesRequest{}); status.Code(err) != codes.Unimplemented {
			t.Errorf("ListProcesses: %v", err)
		}
		if _, err := client.GetProcessDiagnostics(context.Background(), &remote.GetProcessDiagnosticsRequest{}); status.Code(err) != codes.Unimplemented {
			t.Errorf("GetProcessDiagnostics: %v", err)
		}
	}
	if n := b.dropped(dropCall); n != 4 {
		t.Errorf("%d calls were counted, want 4", n)
	}
	if n := b.log.count(dropCall.String()); n != 1 {
		t.Errorf("calls were logged %d times, want once", n)
	}
	servesStill(t, a, b)
}

func TestStreamsAreLimited(t *testing.T) {
	a, b := pair(t, func(c *Config) { c.Limits.MaxStreams = 3 })
	refused := 0
	for range 4 {
		h := newHostile(t, b.remoting.Address())
		h.send(connectRequest(a.remoting.Address()))
		if _, err := h.stream.Recv(); status.Code(err) == codes.ResourceExhausted {
			refused++
		}
	}
	if refused != 2 {
		t.Errorf("%d of 4 streams beside the peer's were refused, want 2", refused)
	}
	servesStill(t, a, b)
}
