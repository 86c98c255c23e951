package member_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"castaway/cluster/member"
)

// golden holds what is in the logs of clusters: it must read the same for ever.
var golden = []struct {
	info  member.Info
	bytes string
}{
	{member.Info{Peer: "10.0.0.1:2380"}, "01000d31302e302e302e313a323338300000"},
	{
		member.Info{Name: "node-4", Peer: "[fd00::4]:2380", Bulk: "10.0.0.4:2382", Clients: []string{"a.example:2379", "10.0.0.4:2379"}},
		"01066e6f64652d340e5b666430303a3a345d3a323338300d31302e302e302e343a32333832020e612e6578616d706c653a323337390d31302e302e302e343a32333739",
	},
}

func TestTheBytesAreTheSameForEver(t *testing.T) {
	for _, g := range golden {
		if got := hex.EncodeToString(g.info.Encode()); got != g.bytes {
			t.Errorf("%+v is encoded as %s, want %s", g.info, got, g.bytes)
		}
		b, err := hex.DecodeString(g.bytes)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := member.Decode(b); err != nil || !reflect.DeepEqual(got, g.info) {
			t.Errorf("%s reads as %+v (%v), want %+v", g.bytes, got, err, g.info)
		}
	}
}

func TestWhatIsNotAMemberIsRefusedByName(t *testing.T) {
	for _, c := range []struct {
		info member.Info
		says string
	}{
		{member.Info{}, "peer address"},
		{member.Info{Peer: "nowhere"}, "host:port"},
		{member.Info{Peer: "10.0.0.1:0"}, "1 to 65535"},
		{member.Info{Peer: "0.0.0.0:2380"}, "wildcard"},
		{member.Info{Peer: "a:1", Clients: []string{"b"}}, "client address"},
		{member.Info{Peer: "a:1", Name: strings.Repeat("x", 300)}, "name has 300 bytes"},
		{member.Info{Peer: "a:1", Clients: make([]string, 9)}, "9 client addresses"},
	} {
		if err := c.info.Validate(); !errors.Is(err, member.ErrInfo) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%+v: got %v, want it to say %q", c.info, err, c.says)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, g := range golden {
		f.Add(g.info.Encode())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		i, err := member.Decode(b)
		if err != nil {
			return
		}
		if again, err := member.Decode(i.Encode()); err != nil || !reflect.DeepEqual(again, i) {
			t.Errorf("%+v became %+v (%v)", i, again, err)
		}
	})
}

func ExampleInfo_Encode() {
	b := member.Info{Name: "node-4", Peer: "10.0.0.4:2380", Clients: []string{"10.0.0.4:2379"}}.Encode()
	info, err := member.Decode(b)
	fmt.Println(info.Name, info.Peer, info.Clients, err)
	// Output: node-4 10.0.0.4:2380 [10.0.0.4:2379] <nil>
}
