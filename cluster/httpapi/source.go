package httpapi

import "context"

// Source is the node that is asked. Its methods return within their context.
type Source interface {
	// Live says why the node should be restarted, or nothing wrong.
	Live(ctx context.Context) []Check
	// Ready says whether the node can serve requests.
	Ready(ctx context.Context) []Check
	// Report gives all that there is to know. What could not be found out in time
	// is left out, and Problem says so.
	Report(ctx context.Context) Report
}

// Check is one thing that must be well.
type Check struct {
	Name string
	Err  error // nil: ok
}

// Report is a node's /status. Its JSON names are stable.
type Report struct {
	ID        uint64    `json:"id"`
	Name      string    `json:"name"`
	Cluster   string    `json:"cluster"`
	ClusterID string    `json:"cluster_id"`
	Version   Version   `json:"version"`
	Uptime    float64   `json:"uptime_seconds"`
	Addresses Addresses `json:"addresses"`
	DataDir   string    `json:"data_dir"`
	// Problem says why parts of this report are missing.
	Problem string `json:"problem,omitempty"`

	Role        string `json:"role"`
	Behavior    string `json:"behavior"`
	Incarnation uint64 `json:"incarnation"`
	Term        uint64 `json:"term"`
	Vote        uint64 `json:"vote"`
	Leader      uint64 `json:"leader"`
	First       uint64 `json:"first"`
	Last        uint64 `json:"last"`
	LastTerm    uint64 `json:"last_term"`
	Durable     uint64 `json:"durable"`
	Commit      uint64 `json:"commit"`
	Applied     uint64 `json:"applied"`
	// StateHash is the state's after HashApplied; equal on all nodes there.
	StateHash   string `json:"state_hash"`
	HashApplied uint64 `json:"hash_applied"`
	// Sessions counts clients' sessions, and SessionsHash is of all that is known of
	// them; equal on all nodes at the same Applied.
	Sessions     int    `json:"sessions"`
	SessionsHash string `json:"sessions_hash"`
	// WaitingFor says what keeps the group from committing, if anything.
	WaitingFor string `json:"waiting_for,omitempty"`
	Halted     string `json:"halted,omitempty"`

	Queues   map[string]int64  `json:"queues"`
	Restarts map[string]uint64 `json:"restarts"`
	Voters   []uint64          `json:"voters"`
	Progress []Progress        `json:"progress,omitempty"`
	Peers    []Peer            `json:"peers"`
	// Received and Dropped count envelopes from other nodes, the latter by reason.
	Received uint64            `json:"received"`
	Dropped  map[string]uint64 `json:"dropped"`
	Disk     Disk              `json:"disk"`
	// Snapshots is what the node has done with snapshots since it started.
	Snapshots Snapshots `json:"snapshots"`
}

// Version says what the node was built from.
type Version struct {
	Castaway string `json:"castaway"`
	Commit   string `json:"commit,omitempty"`
	Go       string `json:"go"`
}

// Addresses are those that the node really listens on.
type Addresses struct {
	Peer   string `json:"peer"`
	Client string `json:"client"`
	HTTP   string `json:"http"`
}

// Progress is what a leader knows of a follower's log.
type Progress struct {
	ID             uint64 `json:"id"`
	State          string `json:"state"`
	Match          uint64 `json:"match"`
	Next           uint64 `json:"next"`
	Inflight       int    `json:"inflight"`
	InflightBytes  int    `json:"inflight_bytes"`
	RecentlyActive bool   `json:"recently_active"`
}

// Peer is the transport's view of another member.
type Peer struct {
	ID      uint64 `json:"id"`
	Address string `json:"address"`
	Gate    string `json:"gate"` // up, probing or down
	Sent    uint64 `json:"sent"`
	Lost    uint64 `json:"lost"` // not sent, since the gate was not up
	Probes  uint64 `json:"probes"`
	Flaps   uint64 `json:"flaps"` // how often the connection was lost
	Resets  uint64 `json:"resets"`
	Arrived uint64 `json:"arrived"`

	Stale              uint64 `json:"stale"` // not sent, since it was too old when its turn came
	BytesOut           uint64 `json:"bytes_out"`
	BytesIn            uint64 `json:"bytes_in"`
	ConnectFailures    uint64 `json:"connect_failures"`
	LastConnectFailure string `json:"last_connect_failure,omitempty"`
}

// Disk is the room on the data directory's disk.
type Disk struct {
	Free    uint64 `json:"free_bytes"`
	Reserve uint64 `json:"reserve_bytes"`
}

// Snapshots counts snapshots of the state: those taken here, and those on their way from
// and to other nodes.
type Snapshots struct {
	Taken           uint64    `json:"taken"`
	TakeFailures    uint64    `json:"take_failures"`
	LastTakeSeconds float64   `json:"last_take_seconds"` // writing and syncing the newest one
	LastTakeBytes   int64     `json:"last_take_bytes"`
	Damaged         uint64    `json:"damaged"` // published, and found not to be what was written
	Sent            Transfers `json:"sent"`
	Received        Transfers `json:"received"`
}

// Transfers counts transfers in one direction: those begun are done, failed or under way.
type Transfers struct {
	Begun       uint64  `json:"begun"`
	Done        uint64  `json:"done"`
	Failed      uint64  `json:"failed"`
	Chunks      uint64  `json:"chunks"`
	Bytes       uint64  `json:"bytes"`
	LastSeconds float64 `json:"last_seconds"` // the last one that was done
}
