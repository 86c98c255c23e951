package roster_test

import (
	"context"
	"reflect"
	"testing"

	"google.golang.org/grpc/metadata"

	"castaway/cluster/etcdapi/roster"
)

func TestWhatAResponseSaysIsReadAsItWas(t *testing.T) {
	want := roster.Roster{Index: 57, Joint: true, Leader: 2, Promoting: []uint64{4}, Last: 99,
		Progress: []roster.Progress{{ID: 4, Match: 98, State: "replicate", Active: true}}}
	if got, ok := roster.Of(want.Metadata()); !ok || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
	for _, md := range []metadata.MD{nil, metadata.Pairs("castaway-roster", "{")} {
		if _, ok := roster.Of(md); ok {
			t.Errorf("%v was taken for a roster", md)
		}
	}
}

func TestWhatARequestWishesIsReadAsItWas(t *testing.T) {
	want := roster.Wish{Name: "node-4", Clients: []string{"a:1", "b:2"}, If: 57}
	md, _ := metadata.FromOutgoingContext(roster.Attach(t.Context(), want))
	got, ok := roster.Wished(metadata.NewIncomingContext(context.Background(), md))
	if !ok || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
	if _, ok := roster.Wished(metadata.NewIncomingContext(t.Context(), metadata.Pairs("castaway-if", "x"))); ok {
		t.Error("an If that is no number was accepted")
	}
}
