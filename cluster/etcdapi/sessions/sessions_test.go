package sessions_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"google.golang.org/grpc/metadata"

	"castaway/cluster/etcdapi/sessions"
)

// arrive makes what was sent with ctx what came in.
func arrive(ctx context.Context) context.Context {
	sent, _ := metadata.FromOutgoingContext(ctx)
	return metadata.NewIncomingContext(context.Background(), sent)
}

func TestWhatIsSentIsRead(t *testing.T) {
	ctx := context.Background()
	write := sessions.Write{Session: 1<<64 - 1, Sequence: 9, Acknowledged: 8, First: true}
	for _, x := range []struct {
		ctx  context.Context
		want sessions.Request
	}{
		{ctx, sessions.Request{}},
		{sessions.Open(ctx), sessions.Request{Open: true}},
		{sessions.Use(ctx, 7), sessions.Request{Write: sessions.Write{Session: 7}}},
		{sessions.End(ctx, 7), sessions.Request{End: true, Write: sessions.Write{Session: 7}}},
		{write.Attach(ctx), sessions.Request{Write: write}},
		{metadata.AppendToOutgoingContext(ctx, sessions.SessionHeader, "7", sessions.SequenceHeader, "3"),
			sessions.Request{Write: sessions.Write{Session: 7, Sequence: 3, Acknowledged: 1}}},
	} {
		if got, err := sessions.RequestOf(arrive(x.ctx)); err != nil || got != x.want || got.None() != (x.want == sessions.Request{}) {
			t.Errorf("%+v was read as %+v, %v", x.want, got, err)
		}
	}
	grant := sessions.Grant{Session: 7, Timeout: 90 * time.Second, Window: 12}
	if got, granted := sessions.GrantOf(grant.Header()); !granted || got != grant {
		t.Errorf("%+v was read as %+v", grant, got)
	}
	if _, granted := sessions.GrantOf(metadata.MD{}); granted {
		t.Error("a server that knows nothing of sessions granted one")
	}
}

func TestWhatMakesNoSenseIsRefused(t *testing.T) {
	for _, pairs := range [][]string{
		{sessions.SequenceHeader, "1"},
		{sessions.SessionHeader, "1", sessions.SessionHeader, "2"},
		{sessions.SessionHeader, "1", sessions.SequenceHeader, "1", sessions.SequenceHeader, "2"},
		{sessions.SessionHeader, ""},
		{sessions.SessionHeader, "0"},
		{sessions.SessionHeader, "old"},
		{sessions.SessionHeader, "1;over"},
		{sessions.SessionHeader, "new", sessions.SequenceHeader, "1"},
		{sessions.SessionHeader, "1;end", sessions.SequenceHeader, "1"},
		{sessions.SessionHeader, "1", sessions.SequenceHeader, ""},
		{sessions.SessionHeader, "1", sessions.SequenceHeader, "0"},
		{sessions.SessionHeader, "1", sessions.SequenceHeader, "3;ack=4"},
		{sessions.SessionHeader, "1", sessions.SequenceHeader, "3;ack=0"},
		{sessions.SessionHeader, "1", sessions.SequenceHeader, "3;ack=x;first"},
		{sessions.SessionHeader, "1", sessions.SequenceHeader, "x;ack=1"},
		{sessions.SessionHeader, "1", sessions.SequenceHeader, "3;last"},
	} {
		r, err := sessions.RequestOf(metadata.NewIncomingContext(context.Background(), metadata.Pairs(pairs...)))
		if !errors.Is(err, sessions.ErrMalformed) || !r.None() {
			t.Errorf("%q is read as %+v, %v", pairs, r, err)
		}
	}
}

func ExampleWrite_Attach() {
	ctx := sessions.Write{Session: 4711, Sequence: 7, Acknowledged: 5}.Attach(context.Background())

	sent, _ := metadata.FromOutgoingContext(ctx) // what a Put with ctx has
	fmt.Println(sent.Get("castaway-session"), sent.Get("castaway-sequence"))
	// Output: [4711] [7;ack=5]
}

// FuzzRequestOf reads any metadata. What is read is sent as something that reads alike.
func FuzzRequestOf(f *testing.F) {
	f.Add("new", "")
	f.Add("4711", "7;ack=5;first")
	f.Add("4711;end", "")
	f.Fuzz(func(t *testing.T, session, sequence string) {
		md := metadata.Pairs(sessions.SessionHeader, session)
		if sequence != "" {
			md.Append(sessions.SequenceHeader, sequence)
		}
		r, err := sessions.RequestOf(metadata.NewIncomingContext(context.Background(), md))
		if err != nil || r.Sequence == 0 {
			return
		}
		if r.Session == 0 || r.Open || r.End || r.Acknowledged == 0 || r.Acknowledged > r.Sequence {
			t.Fatalf("%q, %q are read as %+v", session, sequence, r)
		}
		if again, err := sessions.RequestOf(arrive(r.Attach(context.Background()))); err != nil || again != r {
			t.Fatalf("%+v is sent as %+v (%v)", r, again, err)
		}
	})
}
