package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// Of three servers two lose their disks. A new cluster is made of the third's: it has
// every write that the survivor had acknowledged with the others, etcdctl works on it,
// and an old server that comes back is refused.
func TestRecoveryFromOneSurvivor(t *testing.T) {
	c := startCluster(t, 3, nil)
	w := startWorkload(c, 8)
	c.await("some writes to be acknowledged", func() bool { return w.acknowledged() >= 100 })
	w.stop()
	c.awaitSameState() // so the survivor has all of them
	for _, s := range c.servers {
		c.kill(s)
	}
	survivor, old := c.servers[0], c.servers[2]
	for _, lost := range c.servers[1:2] {
		if err := os.RemoveAll(c.dataDir(lost)); err != nil {
			t.Fatal(err)
		}
	}

	before := c.castaway("inspect", "verify", c.dataDir(survivor))
	made := c.newServer(4)
	made.peer, made.client, made.alone = survivor.peer, survivor.client, true
	out := c.castaway("recover", "--data-dir", c.dataDir(survivor), "--to", c.dataDir(made), "--id", "4",
		"--peer-address", made.peer, "--client-address", made.client, "--i-accept-data-loss")
	if !strings.Contains(out, "LOST") || !strings.Contains(out, "a new") && !strings.Contains(out, "MADE") {
		t.Errorf("recover says:\n%s", out)
	}
	if after := c.castaway("inspect", "verify", c.dataDir(survivor)); after != before {
		t.Errorf("the survivor's directory was\n%s\nand is\n%s", before, after)
	}
	c.start(made)
	c.servers = []*server{made}
	c.awaitReady(made)
	w.verifyAcked(t, c, made)
	t.Logf("%d acknowledged additions are in the new cluster", len(w.acked))

	if got := etcdctl(t, c.endpoints(), "put", "after", "the disaster"); got != "OK" {
		t.Errorf("etcdctl put: %s", got)
	}
	if got := etcdctl(t, c.endpoints(), "get", "after", "--print-value-only"); got != "the disaster" {
		t.Errorf("etcdctl get: %s", got)
	}
	if got := etcdctl(t, c.endpoints(), "member", "list"); len(strings.Split(got, "\n")) != 1 || !strings.HasPrefix(got, "4, ") {
		t.Errorf("etcdctl member list: %s", got)
	}

	term, err := made.status()
	if err != nil {
		t.Fatal(err)
	}
	c.start(old)
	c.await("the old server to be refused", func() bool {
		log, err := os.ReadFile(c.logFile(old))
		return err == nil && strings.Contains(string(log), fmt.Sprintf("node %d at", made.id))
	})
	now, err := made.status()
	if err != nil || now.Term != term.Term || now.Role != "leader" {
		t.Errorf("the new server is %s in term %d (%v), it was leader in term %d", now.Role, now.Term, err, term.Term)
	}
}
