package client_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"castaway/cluster/client"
)

func keysOf(kvs []client.KeyValue) (keys []string) {
	for _, kv := range kvs {
		keys = append(keys, kv.Key)
	}
	return keys
}

func fill(t *testing.T, cl *client.Client, keys ...string) {
	t.Helper()
	for _, key := range keys {
		must(cl.Put(soon(t), key, []byte("value of "+key)))(t)
	}
}

// Options say which keys a get returns, in which order, and what of them.
func TestGets(t *testing.T) {
	cl := connect(t, start(t, 1).addresses())
	fill(t, cl, "a", "b/1", "b/2", "b/3", "c") // revisions 2 to 6
	cases := []struct {
		name string
		key  string
		opts []client.GetOption
		want []string
		more bool
		all  int64
	}{
		{"one", "a", nil, []string{"a"}, false, 1},
		{"none", "x", nil, nil, false, 0},
		{"a prefix", "b/", []client.GetOption{client.Prefix()}, []string{"b/1", "b/2", "b/3"}, false, 3},
		{"everything", "", []client.GetOption{client.Prefix()}, []string{"a", "b/1", "b/2", "b/3", "c"}, false, 5},
		{"from a key on", "b/3", []client.GetOption{client.FromKey()}, []string{"b/3", "c"}, false, 2},
		{"up to a key", "", []client.GetOption{client.Until("b/2")}, []string{"a", "b/1"}, false, 2},
		{"a few", "b/", []client.GetOption{client.Prefix(), client.Limit(2)}, []string{"b/1", "b/2"}, true, 3},
		{"backwards", "b/", []client.GetOption{client.Prefix(), client.Sort(client.ByKey, client.Descending), client.Limit(1)}, []string{"b/3"}, true, 3},
		{"newest first", "", []client.GetOption{client.Prefix(), client.Sort(client.ByModRevision, client.Descending), client.Limit(2)}, []string{"c", "b/3"}, true, 5},
		{"of some revisions", "", []client.GetOption{client.Prefix(), client.ModRevisions(3, 4)}, []string{"b/1", "b/2"}, false, 5},
		{"created since", "", []client.GetOption{client.Prefix(), client.CreateRevisions(6, 0)}, []string{"c"}, false, 5},
		{"only counted", "", []client.GetOption{client.Prefix(), client.CountOnly()}, nil, false, 5},
		{"stale", "a", []client.GetOption{client.Serializable()}, []string{"a"}, false, 1},
		{"now", "a", []client.GetOption{client.AtRevision(6)}, []string{"a"}, false, 1},
	}
	for _, c := range cases {
		r := must(cl.Get(soon(t), c.key, c.opts...))(t)
		if diff := cmp.Diff(c.want, keysOf(r.KVs)); diff != "" || r.More != c.more || r.Count != c.all {
			t.Errorf("%s: more %v, count %d (-want +got):\n%s", c.name, r.More, r.Count, diff)
		}
	}
	r := must(cl.Get(soon(t), "a", client.KeysOnly()))(t)
	want := []client.KeyValue{{Key: "a", CreateRevision: 2, ModRevision: 2, Version: 1}}
	if diff := cmp.Diff(want, r.KVs); diff != "" {
		t.Errorf("keys only (-want +got):\n%s", diff)
	}
}

func TestPutsAndDeletes(t *testing.T) {
	cl := connect(t, start(t, 1).addresses())
	fill(t, cl, "a", "b")
	p := must(cl.Put(soon(t), "a", []byte("new"), client.PrevKV()))(t)
	if p.Prev == nil || string(p.Prev.Value) != "value of a" || p.Header.Revision != 4 {
		t.Errorf("put: %+v", p)
	}
	must(cl.Put(soon(t), "a", nil, client.IgnoreValue()))(t)
	g := must(cl.Get(soon(t), "a"))(t)
	if string(g.KVs[0].Value) != "new" || g.KVs[0].Version != 3 {
		t.Errorf("after a put that keeps the value: %+v", g.KVs[0])
	}
	d := must(cl.Delete(soon(t), "", client.Prefix(), client.PrevKV()))(t)
	if d.Deleted != 2 || !cmp.Equal(keysOf(d.Prev), []string{"a", "b"}) {
		t.Errorf("delete: %+v", d)
	}
	if d = must(cl.Delete(soon(t), "a"))(t); d.Deleted != 0 {
		t.Errorf("delete of what is not there: %+v", d)
	}
}

// A lock is taken by whoever creates it; the other learns who has it.
func TestTransactions(t *testing.T) {
	cl := connect(t, start(t, 1).addresses())
	take := func(who string) *client.TxnResult {
		return must(cl.Txn(soon(t), client.Txn{
			If:   []client.Cond{client.CreateRevision("lock", client.Equal, 0)},
			Then: []client.Op{client.OpPut("lock", []byte(who))},
			Else: []client.Op{client.OpGet("lock")},
		}))(t)
	}
	if r := take("one"); !r.Succeeded || r.Results[0].Put == nil {
		t.Errorf("the first: %+v", r)
	}
	if r := take("other"); r.Succeeded || string(r.Results[0].Get.KVs[0].Value) != "one" {
		t.Errorf("the second: %+v", r)
	}
	fill(t, cl, "x/1", "x/2")
	r := must(cl.Txn(soon(t), client.Txn{
		If: []client.Cond{
			client.Value("lock", client.Equal, []byte("one")),
			client.Version("x/", client.Less, 2).Over(client.Prefix()),
			client.ModRevision("lock", client.Greater, 1),
			client.Value("lock", client.NotEqual, []byte("other")),
		},
		Then: []client.Op{client.OpDelete("x/", client.Prefix()), client.OpTxn(client.Txn{Then: []client.Op{client.OpGet("lock")}})},
	}))(t)
	if !r.Succeeded || r.Results[0].Delete.Deleted != 2 || r.Results[1].Txn.Results[0].Get.Count != 1 {
		t.Errorf("all kinds of comparisons: %+v", r)
	}
}

func TestMembersAndStatus(t *testing.T) {
	c := start(t, 2)
	cl := connect(t, c.addresses()[:1])
	members := must(cl.MemberList(soon(t)))(t)
	if len(members) != 2 || members[1].ID != 2 || members[1].ClientURLs[0] != "http://"+c.members[1].address {
		t.Errorf("members: %+v", members)
	}
	s := must(cl.Status(soon(t), members[1].ClientURLs[0]))(t)
	if s.Header.MemberID != 2 || s.Leader != 1 || s.Header.Revision != 1 {
		t.Errorf("status of member 2: %+v", s)
	}
	c.members[1].kill()
	if _, err := cl.Status(soon(t), c.members[1].address); outcomeOf(t, err) != client.ErrNotDone {
		t.Errorf("status of a member that is gone: %v", err)
	}
	var e *client.Error
	if _, err := cl.Status(soon(t), "nowhere"); !errors.As(err, &e) {
		t.Errorf("status of nothing: %v", err)
	}
}
