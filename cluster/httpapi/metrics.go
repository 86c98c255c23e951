package httpapi

import (
	"context"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
)

// collector turns a Report into metrics at every scrape, so that nothing has to be
// counted twice.
type collector struct{ source Source }

// Describe sends nothing: which metrics there are depends on the node's role.
func (c *collector) Describe(chan<- *prometheus.Desc) {}

// Collect asks the node once. The registry turns a panic into a failed scrape.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), AnswerTimeout)
	defer cancel()
	r := c.source.Report(ctx)
	e := emitter{out: out}
	e.gauge("info", "What this node is; always 1.", 1, "name", r.Name, "cluster", r.Cluster, "cluster_id", r.ClusterID, "version", r.Version.Castaway)
	e.gauge("up_complete", "1 when the node answered in full, 0 when parts are missing from this scrape.", truth(r.Problem == ""))
	e.gauge("uptime_seconds", "How long the node has run.", r.Uptime)
	for _, role := range []string{"recovering", "follower", "precandidate", "candidate", "leader", "halted"} {
		e.gauge("role", "1 for the role that the node has.", truth(r.Behavior == role), "role", role)
	}
	e.raft(&r)
	e.peers(&r)
	e.rest(&r)
	e.snapshots(&r.Snapshots)
}

func (e emitter) raft(r *Report) {
	e.gauge("term", "Raft's current term.", float64(r.Term))
	e.gauge("leader", "The id of the leader, 0 when unknown.", float64(r.Leader))
	e.gauge("has_leader", "1 when a leader is known.", truth(r.Leader != 0))
	e.gauge("log_first_index", "The first index that the log holds.", float64(r.First))
	e.gauge("log_last_index", "The last index of the log.", float64(r.Last))
	e.gauge("durable_index", "The last index known to be on this node's disk.", float64(r.Durable))
	e.gauge("commit_index", "The last index known to be committed.", float64(r.Commit))
	e.gauge("applied_index", "The last index applied to the state machine.", float64(r.Applied))
	e.gauge("incarnation", "How many lives the server actor has had in this process.", float64(r.Incarnation))
	e.gauge("waiting", "1 when something keeps the group from committing; /status says what.", truth(r.WaitingFor != ""))
	e.gauge("sessions", "Clients' sessions, by which their retries are recognized.", float64(r.Sessions))
	e.gauge("voters", "Members that vote.", float64(len(r.Voters)))
}

func (e emitter) peers(r *Report) {
	for _, p := range r.Peers {
		e.gauge("peer_up", "1 when the connection to the peer carries messages.", truth(p.Gate == "up"), "peer", number(p.ID))
		e.counter("peer_sent_messages_total", "Messages given to the network for the peer.", float64(p.Sent), "peer", number(p.ID))
		e.counter("peer_lost_messages_total", "Messages not sent, since the peer was not connected.", float64(p.Lost), "peer", number(p.ID))
		e.counter("peer_flaps_total", "How often the connection to the peer was lost.", float64(p.Flaps), "peer", number(p.ID))
		e.counter("peer_stale_messages_total", "Messages not sent, since they were too old when their turn came.", float64(p.Stale), "peer", number(p.ID))
		e.counter("peer_sent_bytes_total", "Bytes sent to the peer.", float64(p.BytesOut), "peer", number(p.ID))
		e.counter("peer_received_bytes_total", "Bytes that came from the peer.", float64(p.BytesIn), "peer", number(p.ID))
		e.counter("peer_connect_failures_total", "Attempts to connect to the peer that failed.", float64(p.ConnectFailures), "peer", number(p.ID))
		e.counter("peer_arrived_messages_total", "Messages that came from the peer.", float64(p.Arrived), "peer", number(p.ID))
	}
	for _, p := range r.Progress {
		e.gauge("peer_match_index", "Up to where the follower's log is known to equal the leader's.", float64(p.Match), "peer", number(p.ID))
		e.gauge("peer_inflight_messages", "Messages on their way to the follower.", float64(p.Inflight), "peer", number(p.ID))
		e.gauge("peer_inflight_bytes", "Bytes on their way to the follower.", float64(p.InflightBytes), "peer", number(p.ID))
	}
}

func (e emitter) rest(r *Report) {
	for _, queue := range sorted(r.Queues) {
		e.gauge("queue_length", "How much waits, by queue.", float64(r.Queues[queue]), "queue", queue)
	}
	for _, actor := range sorted(r.Restarts) {
		e.counter("actor_restarts_total", "Panics after which an actor was made anew.", float64(r.Restarts[actor]), "actor", actor)
	}
	for _, reason := range sorted(r.Dropped) {
		e.counter("dropped_messages_total", "Messages between nodes that were dropped, by reason.", float64(r.Dropped[reason]), "reason", reason)
	}
	e.counter("received_messages_total", "Messages between nodes that reached the group.", float64(r.Received))
	e.gauge("disk_free_bytes", "Free space on the data directory's disk.", float64(r.Disk.Free))
	e.gauge("disk_reserve_bytes", "Free space below which writes are refused.", float64(r.Disk.Reserve))
}

func (e emitter) snapshots(s *Snapshots) {
	e.counter("snapshots_taken_total", "Snapshots of the state that were written.", float64(s.Taken))
	e.counter("snapshot_take_failures_total", "Snapshots of the state that could not be written; the log stays meanwhile.", float64(s.TakeFailures))
	e.counter("snapshots_damaged_total", "Snapshot files that were found damaged.", float64(s.Damaged))
	e.gauge("snapshot_last_take_seconds", "How long writing the newest snapshot took.", s.LastTakeSeconds)
	e.gauge("snapshot_last_take_bytes", "Bytes in the newest snapshot that was written here.", float64(s.LastTakeBytes))
	e.transfers("sent", &s.Sent)
	e.transfers("received", &s.Received)
}

func (e emitter) transfers(direction string, t *Transfers) {
	e.counter("snapshot_transfers_begun_total", "Transfers of snapshots that began, by direction.", float64(t.Begun), "direction", direction)
	e.counter("snapshot_transfers_done_total", "Transfers of snapshots that ended well, by direction.", float64(t.Done), "direction", direction)
	e.counter("snapshot_transfers_failed_total", "Transfers of snapshots that ended otherwise, by direction.", float64(t.Failed), "direction", direction)
	e.counter("snapshot_transfer_chunks_total", "Chunks of snapshots, by direction.", float64(t.Chunks), "direction", direction)
	e.counter("snapshot_transfer_bytes_total", "Bytes of snapshots in chunks, by direction.", float64(t.Bytes), "direction", direction)
	e.gauge("snapshot_last_transfer_seconds", "How long the last transfer took that ended well, by direction.", t.LastSeconds, "direction", direction)
}

// emitter makes one metric of each number; labels are name, value, name, value.
type emitter struct{ out chan<- prometheus.Metric }

func (e emitter) gauge(name, help string, value float64, labels ...string) {
	e.emit(prometheus.GaugeValue, name, help, value, labels)
}

func (e emitter) counter(name, help string, value float64, labels ...string) {
	e.emit(prometheus.CounterValue, name, help, value, labels)
}

func (e emitter) emit(kind prometheus.ValueType, name, help string, value float64, labels []string) {
	var names, values []string
	for pair := range slices.Chunk(labels, 2) {
		names, values = append(names, pair[0]), append(values, pair[1])
	}
	desc := prometheus.NewDesc("castaway_"+name, help, names, nil)
	e.out <- prometheus.MustNewConstMetric(desc, kind, value, values...)
}
