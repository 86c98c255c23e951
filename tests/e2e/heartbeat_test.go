package e2e

import (
	"fmt"
	"math"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// A follower that was away for long gets the whole store as a snapshot. Heartbeats to it
// and to the others go on beside that, far within the shortest election timeout, and
// nobody campaigns.
func TestHeartbeatsBesideALargeSnapshot(t *testing.T) {
	const valueBytes, measured, trailing = 64 << 10, 50, 50
	count := *snapshotMiB << 20 / valueBytes
	c := startCluster(t, 3, newNetwork(t, 3), "--heartbeat-ticks", "1", "--snapshot-bytes", "2GiB",
		"--snapshot-entries", strconv.Itoa(max(count/4, 2*trailing)), "--trailing-entries", strconv.Itoa(trailing))
	leader := c.awaitLeader()
	away, other := c.servers[leader.id%3], c.servers[(leader.id+1)%3]
	atRest := c.heartbeats(leader)
	c.await("heartbeats at rest", func() bool { return since(c.heartbeats(leader)[away.id], atRest[away.id]).count() >= measured })
	rest := since(c.heartbeats(leader)[away.id], atRest[away.id])

	c.kill(away)
	c.servers = without(c.servers, away)
	fill(c, count, count, valueBytes, nil)
	c.servers = append(c.servers, away)
	leader = c.awaitLeader()
	term := c.term(leader)
	before := c.heartbeats(leader)
	began := time.Now()
	c.start(away)
	arrived := func() bool { return c.arrived(away) }
	for last := int64(-1); !arrived(); {
		c.await("the snapshot to get on", func() bool { return arrived() || c.partial(away) > last })
		last = c.partial(away)
	}
	took, during := time.Since(began), c.heartbeats(leader)
	c.awaitReady(away)
	c.awaitSameState()

	t.Logf("%s of snapshots came in %v; heartbeats and their replies took", mib(c.received(away)), took.Round(time.Millisecond))
	t.Logf("%-44s %8s %10s %10s", "", "count", "p50 below", "p99 below")
	toAway := since(during[away.id], before[away.id])
	for _, row := range []struct {
		what string
		h    histogram
	}{
		{"at rest", rest}, {"to the follower that gets the snapshot", toAway},
		{"to the other follower, meanwhile", since(during[other.id], before[other.id])},
	} {
		t.Logf("%-44s %8d %10v %10v", row.what, row.h.count(), row.h.quantile(0.5), row.h.quantile(0.99))
	}
	if shortest := maxElectionTimeout / 2; toAway.count() == 0 || toAway.quantile(0.99) >= shortest {
		t.Errorf("of %d heartbeats beside the snapshot, the p99 is %v; the shortest election timeout is %v", toAway.count(), toAway.quantile(0.99), shortest)
	}
	if now := c.term(c.awaitLeader()); now != term {
		t.Errorf("the term went from %d to %d", term, now)
	}
}

// arrived says whether a server has published a snapshot that came from another.
func (c *cluster) arrived(s *server) bool {
	published, err := filepath.Glob(filepath.Join(c.dataDir(s), "snapshots", "*", "*.snap"))
	st, statusErr := s.status()
	return err == nil && statusErr == nil && len(published) > 0 && c.partial(s) == 0 && st.Applied > 0
}

func (c *cluster) term(s *server) uint64 {
	c.t.Helper()
	st, err := s.status()
	if err != nil {
		c.t.Fatal(err)
	}
	return st.Term
}

// histogram is how many heartbeats took at most so long, by upper bound in seconds.
type histogram map[float64]uint64

// metrics is what a server tells about itself in numbers.
func (c *cluster) metrics(s *server) map[string]*dto.MetricFamily {
	c.t.Helper()
	resp, err := statusClient.Get("http://" + s.http + "/metrics")
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return families
}

// received is how many bytes of snapshots a server got from others.
func (c *cluster) received(s *server) int64 {
	for _, m := range c.metrics(s)["castaway_snapshot_transfer_bytes_total"].GetMetric() {
		if label(m, "direction") == "received" {
			return int64(m.GetCounter().GetValue())
		}
	}
	c.t.Error("no server tells how much of snapshots it received")
	return 0
}

// heartbeats asks a leader how long its heartbeats took, by follower.
func (c *cluster) heartbeats(leader *server) map[int]histogram {
	c.t.Helper()
	found := make(map[int]histogram)
	for _, m := range c.metrics(leader)["castaway_heartbeat_seconds"].GetMetric() {
		node, err := strconv.Atoi(label(m, "node"))
		if err != nil {
			c.t.Fatal(fmt.Errorf("a series of heartbeats has no node: %w", err))
		}
		h := histogram{math.Inf(1): m.GetHistogram().GetSampleCount()}
		for _, b := range m.GetHistogram().GetBucket() {
			h[b.GetUpperBound()] = b.GetCumulativeCount()
		}
		found[node] = h
	}
	return found
}

func label(m *dto.Metric, name string) string {
	for _, l := range m.GetLabel() {
		if l.GetName() == name {
			return l.GetValue()
		}
	}
	return ""
}

// since is what came after an earlier reading.
func since(now, before histogram) histogram {
	h := make(histogram, len(now))
	for bound, n := range now {
		h[bound] = n - before[bound]
	}
	return h
}

func (h histogram) count() uint64 { return h[math.Inf(1)] }

// quantile is the smallest bound that so much of it is within.
func (h histogram) quantile(q float64) time.Duration {
	best := math.Inf(1)
	for bound, n := range h {
		if float64(n) >= q*float64(h.count()) {
			best = min(best, bound)
		}
	}
	if math.IsInf(best, 1) {
		return math.MaxInt64
	}
	return time.Duration(best * float64(time.Second)).Round(time.Microsecond)
}
