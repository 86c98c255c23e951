package e2e

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
)

// The real etcdctl works unchanged, whichever server it talks to.
func TestEtcdctlWorksUnchanged(t *testing.T) {
	c := startCluster(t, 5, nil)
	c.awaitLeader()
	ctl := func(stdin string, args ...string) string {
		t.Helper()
		_, etcdctl := build(t)
		cmd := exec.Command(etcdctl, append([]string{"--endpoints", strings.Join(c.endpoints(), ",")}, args...)...)
		cmd.Stdin = strings.NewReader(stdin)
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("etcdctl %v: %v\n%s%s", args, err, out, &stderr)
		}
		return strings.TrimSpace(string(out))
	}
	expect := func(want, got string) {
		t.Helper()
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}

	expect("OK", ctl("", "put", "island/name", "Robinson"))
	expect("OK", ctl("", "put", "island/day", "28"))
	expect("OK", ctl("", "put", "sea", "deep"))
	expect("island/name\nRobinson", ctl("", "get", "island/name"))
	expect("island/day\n28\nisland/name\nRobinson", ctl("", "get", "--prefix", "island/"))
	expect("28", ctl("", "get", "island/day", "--print-value-only", "--consistency", "s"))
	expect("SUCCESS\n\nOK", ctl("value(\"sea\") = \"deep\"\n\nput sea calm\n\nget sea\n\n", "txn"))
	expect("FAILURE\n\nsea\ncalm", ctl("value(\"sea\") = \"deep\"\n\nput sea rough\n\nget sea\n\n", "txn"))
	expect("2", ctl("", "del", "--prefix", "island/"))
	expect("", ctl("", "get", "--prefix", "island/"))

	var statuses []struct {
		Status struct {
			Leader    uint64 `json:"leader"`
			RaftIndex uint64 `json:"raftIndex"`
		}
	}
	if err := json.Unmarshal([]byte(ctl("", "endpoint", "status", "-w", "json")), &statuses); err != nil {
		t.Fatal(err)
	}
	if len(statuses) != 5 {
		t.Fatalf("%d endpoints answered, want 5", len(statuses))
	}
	for _, s := range statuses {
		if s.Status.Leader != statuses[0].Status.Leader || s.Status.Leader == 0 || s.Status.RaftIndex == 0 {
			t.Errorf("endpoint status: %+v", s)
		}
	}
	members := strings.Split(ctl("", "member", "list"), "\n")
	if len(members) != 5 {
		t.Errorf("member list: %q", members)
	}
}
