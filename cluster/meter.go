package cluster

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"castaway/actors"
	"castaway/persistence"
	"castaway/raft"
)

// meters are the numbers that cannot be read off a status: how long, how large,
// how often.
type meters struct {
	syncs         prometheus.Histogram
	batchEntries  prometheus.Histogram
	batchBytes    prometheus.Histogram
	storeFailures prometheus.Counter
	requests      *prometheus.HistogramVec
	leaderChanges prometheus.Counter
	elections     prometheus.Counter
	events        *prometheus.CounterVec
	heartbeats    *prometheus.HistogramVec
}

func newMeters() *meters {
	histogram := func(name, help string, buckets []float64) prometheus.Histogram {
		return prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: "castaway", Name: name, Help: help, Buckets: buckets})
	}
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "castaway", Name: name, Help: help})
	}
	return &meters{
		syncs:         histogram("store_sync_seconds", "How long a sync of the log took.", prometheus.ExponentialBuckets(0.0001, 2, 16)),
		batchEntries:  histogram("store_append_entries", "Entries in one write to the log.", prometheus.ExponentialBuckets(1, 2, 13)),
		batchBytes:    histogram("store_append_bytes", "Bytes of entries in one write to the log.", prometheus.ExponentialBuckets(64, 4, 11)),
		storeFailures: counter("store_failures_total", "Writes and syncs of the log that failed."),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "castaway", Name: "request_seconds", Help: "How long clients' requests took in the group, by operation and outcome.",
			Buckets: prometheus.ExponentialBuckets(0.0002, 2, 16),
		}, []string{"operation", "outcome"}),
		heartbeats: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "castaway", Name: "heartbeat_seconds", Help: "How long a heartbeat to a member and its reply took, while this node led.",
			Buckets: prometheus.ExponentialBuckets(0.0001, 1.5, 25),
		}, []string{"node"}),
		leaderChanges: counter("leader_changes_total", "How often this node learned of another leader."),
		elections:     counter("campaigns_total", "How often this node asked for votes."),
		events:        prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "castaway", Name: "events_total", Help: "What happened in the group on this node, by kind."}, []string{"kind"}),
	}
}

func (m *meters) collectors() []prometheus.Collector {
	return []prometheus.Collector{m.syncs, m.batchEntries, m.batchBytes, m.storeFailures, m.requests, m.leaderChanges, m.elections, m.events, m.heartbeats}
}

// roundTrip measures a heartbeat of one of the node's groups.
func (m *meters) roundTrip(_ raft.GroupID, node raft.NodeID, took time.Duration) {
	m.heartbeats.WithLabelValues(strconv.FormatUint(uint64(node), 10)).Observe(took.Seconds())
}

// watch counts what a group tells; it is called from one actor.
func (m *meters) watch() func(actors.Event) {
	var leader raft.NodeID
	return func(e actors.Event) {
		m.events.WithLabelValues(string(e.Kind)).Inc()
		if e.Kind != actors.EventRole {
			return
		}
		if e.Role == raft.Candidate {
			m.elections.Inc()
		}
		if e.Leader != raft.None && e.Leader != leader {
			leader = e.Leader
			m.leaderChanges.Inc()
		}
	}
}

// meteredGroup measures what the client door asks of the group.
type meteredGroup struct {
	*actors.Group
	meters *meters
}

func (g meteredGroup) Propose(ctx context.Context, command []byte) (actors.Result, error) {
	start := time.Now()
	result, err := g.Group.Propose(ctx, command)
	g.meters.observe("propose", err, start)
	return result, err
}

func (g meteredGroup) ProposeInSession(ctx context.Context, ref actors.SessionRef, command []byte) (actors.Result, error) {
	start := time.Now()
	result, err := g.Group.ProposeInSession(ctx, ref, command)
	g.meters.observe("propose", err, start)
	return result, err
}

func (g meteredGroup) ReadWith(ctx context.Context, query any, o actors.ReadOptions) (any, error) {
	start := time.Now()
	value, err := g.Group.ReadWith(ctx, query, o)
	operation := "read_linearizable"
	if o.Consistency == actors.Serializable {
		operation = "read_serializable"
	}
	g.meters.observe(operation, err, start)
	return value, err
}

func (m *meters) observe(operation string, err error, start time.Time) {
	outcome := "done"
	switch {
	case errors.Is(err, actors.ErrIndeterminate):
		outcome = "indeterminate"
	case err != nil && !errors.Is(err, actors.ErrDone):
		outcome = "not_done"
	}
	m.requests.WithLabelValues(operation, outcome).Observe(time.Since(start).Seconds())
}

// meteredStore measures a store's writes.
type meteredStore struct {
	persistence.Store
	meters *meters
}

func (s meteredStore) Append(group raft.GroupID, p *raft.Persist) error {
	err := s.Store.Append(group, p)
	if err != nil {
		s.meters.storeFailures.Inc()
		return err
	}
	if len(p.Entries) > 0 {
		size := 0
		for i := range p.Entries {
			size += p.Entries[i].Size()
		}
		s.meters.batchEntries.Observe(float64(len(p.Entries)))
		s.meters.batchBytes.Observe(float64(size))
	}
	return nil
}

func (s meteredStore) Sync() error {
	start := time.Now()
	err := s.Store.Sync()
	if err != nil {
		s.meters.storeFailures.Inc()
		return err
	}
	s.meters.syncs.Observe(time.Since(start).Seconds())
	return nil
}
