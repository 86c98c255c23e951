package e2e

import (
	"testing"
	"time"
)

// A rolling restart: every server is asked to stop, and started again, under load. No
// acknowledged write is lost, and writes go on.
func TestRollingRestart(t *testing.T) {
	chooseSeed(t)
	c := startCluster(t, 5, nil)
	c.awaitLeader()
	w := startWorkload(c, 16)
	writer := startWriter(c, "rolling")
	var gaps []time.Duration
	for _, s := range c.servers {
		role, _ := s.status()
		began := time.Now()
		c.terminate(s)
		c.start(s)
		c.awaitReady(s)
		c.awaitLeader()
		gap := writer.gap(began, time.Now())
		t.Logf("server %d, a %s, was restarted; the longest wait for a write was %v", s.id, role.Role, gap.Round(time.Millisecond))
		gaps = append(gaps, gap)
	}
	writer.stop()
	w.stop()
	if _, _, worst := report(t, "restarts", gaps); worst > maxElectionTimeout {
		t.Errorf("no write for %v, longer than the largest election timeout", worst)
	}
	c.awaitSameState()
	for _, s := range c.servers {
		w.verifyAcked(t, c, s)
	}
	w.history.verify(t)
}
