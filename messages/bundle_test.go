package messages

import (
	"errors"
	"fmt"
	"reflect"
	"testing"

	"castaway/raft"
)

// beatsOf makes n heartbeats from node 1 to node 2, each with a reply.
func beatsOf(n int) (beats []Beat) {
	for i := range n {
		h := raft.Header{From: 1, To: 2, Term: raft.Term(i)}
		beats = append(beats,
			Beat{Group: raft.GroupID(i + 1), Message: &raft.Heartbeat{Header: h, Commit: raft.Index(2 * i), Round: uint64(3 * i)}},
			Beat{Group: raft.GroupID(i + 1), Message: &raft.HeartbeatReply{Header: h, Round: uint64(4 * i)}})
	}
	return beats
}

// Whatever is bundled comes out as it went in, kind by kind, in few envelopes.
func TestABundleCarriesTheBeatsOfManyGroups(t *testing.T) {
	for n, envelopes := range map[int]int{2: 2, 256: 2, MaxBundle: 2, MaxBundle + 1: 4} {
		beats := beatsOf(n)
		got := map[Kind][]Beat{}
		out := Bundle(sampleCluster, beats, true)
		if len(out) != envelopes {
			t.Errorf("%d heartbeats and %d replies took %d envelopes; want %d", n, n, len(out), envelopes)
		}
		for _, e := range out {
			unbundled, urgent, err := Unbundle(e)
			if err != nil || urgent != (KindOf(e) == KindHeartbeatBundle) {
				t.Fatalf("%s: urgent %v, %v", KindOf(e), urgent, err)
			}
			got[KindOf(e)] = append(got[KindOf(e)], unbundled...)
		}
		want := map[Kind][]Beat{}
		for i, b := range beats {
			kind := []Kind{KindHeartbeatBundle, KindHeartbeatReplyBundle}[i%2]
			want[kind] = append(want[kind], b)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%d beats came out differently", n)
		}
	}
}

// A lone heartbeat is the envelope that it always was, so that a node that knows no
// bundles understands it.
func TestALoneBeatIsNoBundle(t *testing.T) {
	for _, b := range beatsOf(1) {
		out := Bundle(sampleCluster, []Beat{b}, false)
		m, err := FromEnvelope(out[0])
		if len(out) != 1 || err != nil || !reflect.DeepEqual(m, b.Message) {
			t.Errorf("got %v, %v; want %v", m, err, b.Message)
		}
		if beats, _, err := Unbundle(out[0]); beats != nil || err != nil {
			t.Errorf("it counts as a bundle: %v, %v", beats, err)
		}
	}
}

func TestMalformedBundlesAreRefused(t *testing.T) {
	for name, change := range map[string]func(*HeartbeatBundle){
		"lists of two lengths": func(b *HeartbeatBundle) { b.Rounds = b.Rounds[1:] },
		"no terms":             func(b *HeartbeatBundle) { b.Terms = nil },
		"no group":             func(b *HeartbeatBundle) { b.Groups[1] = 0 },
		"too many": func(b *HeartbeatBundle) {
			long := make([]uint64, MaxBundle+1)
			b.Groups, b.Terms, b.Commits, b.Rounds = long, long, long, long
		},
	} {
		e := envelopeSamples()[KindHeartbeatBundle]
		change(e.GetHeartbeatBundle())
		if beats, _, err := Unbundle(e); beats != nil || !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: got %v, %v", name, beats, err)
		}
	}
	e := envelopeSamples()[KindHeartbeatReplyBundle]
	e.To = e.From
	if _, _, err := Unbundle(e); !errors.Is(err, ErrMalformed) {
		t.Errorf("from a node to itself: %v", err)
	}
}

// Heartbeats of two groups to the same node travel in one envelope.
func ExampleBundle() {
	h := raft.Header{From: 1, To: 2, Term: 5}
	out := Bundle(1, []Beat{
		{Group: 1, Message: &raft.Heartbeat{Header: h, Commit: 10, Round: 3}},
		{Group: 2, Message: &raft.Heartbeat{Header: h, Commit: 20, Round: 8}},
	}, false)
	beats, _, err := Unbundle(out[0])
	fmt.Println(len(out), KindOf(out[0]), len(beats), err)
	// Output: 1 heartbeat_bundle 2 <nil>
}
