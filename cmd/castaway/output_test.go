package main

import (
	"bytes"
	"encoding/json"
	"testing"

	"castaway/cluster/client"
)

// JSON has no strings but UTF-8. So that no two keys look the same, every command
// gives the bytes of another key beside it.
func TestJSONLosesNoByteOfAKey(t *testing.T) {
	const odd = "a\x01\xff"
	kv := client.KeyValue{Key: odd, Value: []byte("\xfe")}
	get := show(&client.GetResult{KVs: []client.KeyValue{kv}})
	for what, v := range map[string]any{
		"get, ls, txn": get.Keys[0], "put": written{keyName: nameOf(odd)}, "del": deleted{keyName: nameOf(odd)},
	} {
		var out bytes.Buffer
		if err := printJSON(&out, v); err != nil {
			t.Fatal(err)
		}
		var back struct {
			Key  string `json:"key"`
			Full []byte `json:"key_base64"`
		}
		if err := json.Unmarshal(out.Bytes(), &back); err != nil || string(back.Full) != odd || back.Key == "" {
			t.Errorf("%s prints %s (%v)", what, out.String(), err)
		}
	}
	if n := nameOf("plain"); n.Key != "plain" || n.KeyBytes != nil {
		t.Errorf("a key that is text: %+v", n)
	}
}
