package main

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"castaway/cluster/client"
)

func TestATransactionReadsLikeEtcdctls(t *testing.T) {
	const text = `# only if nobody was here
version("lock") = "0"
val('owner') != "someone else"

put lock "held by me"
put :-) (-:
get fleet/ --prefix

del "a b"
`
	parsed, err := readTxn(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	got, err := parsed.txn()
	if err != nil {
		t.Fatal(err)
	}
	want := client.Txn{
		If: []client.Cond{client.Version("lock", client.Equal, 0), client.Value("owner", client.NotEqual, []byte("someone else"))},
		Then: []client.Op{
			client.OpPut("lock", []byte("held by me")),
			client.OpPut(":-)", []byte("(-:")),
			client.OpGet("fleet/", client.Prefix()),
		},
		Else: []client.Op{client.OpDelete("a b")},
	}
	if !reflect.DeepEqual(want, got) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestTransactionsThatMakeNoSenseSayWhatWould(t *testing.T) {
	for text, want := range map[string]string{
		"":                            "could do nothing",
		"version(k) = 0":              "could do nothing",
		"height(k) = 1\n\nput a b":    "unknown target",
		"mod(k) = soon\n\nput a b":    "whole number",
		"mod(k) ~ 1\n\nput a b":       "no operator",
		"mod(k = 1\n\nput a b":        "parenthesis",
		"mod k = 1\n\nput a b":        "no key in parentheses",
		"\nput a":                     "put KEY VALUE",
		"\nput a 'b":                  "does not end",
		"\nincr a":                    "is none that there is",
		"\nput a b\n\n\nput too late": "third block",
	} {
		parsed, err := readTxn(strings.NewReader(text))
		if err == nil {
			_, err = parsed.txn()
		}
		if !errors.Is(err, errTxnSyntax) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: want an error of syntax with %q, got %v", text, want, err)
		}
	}
}
