package config

import "strings"

// EnvPrefix begins the name of every environment variable that is a key.
const EnvPrefix = "CASTAWAY_"

// Key is one thing that a node can be told.
type Key struct {
	Name    string // in the file, and --Name as a flag
	Section string // what it is about, for help and show
	Default string // as text; empty may mean "follows from others", see Doc
	Unit    string // what its value is
	Doc     string

	field func(*Config) any
}

// Env is the key's environment variable.
func (k Key) Env() string {
	return EnvPrefix + strings.ToUpper(strings.ReplaceAll(k.Name, "-", "_"))
}

// Keys lists every key, by section.
func Keys() []Key {
	var keys []Key
	for _, section := range [][]Key{identityKeys(), addressKeys(), securityKeys(), timeKeys(), limitKeys(), snapshotKeys(), sessionKeys(), logKeys()} {
		keys = append(keys, section...)
	}
	return keys
}

func identityKeys() []Key {
	const s = "identity"
	return []Key{
		{"id", s, "1", "number from 1", "this node's id; it must be one of peers, and never be given to another data directory", func(c *Config) any { return &c.ID }},
		{"name", s, "", "text", "this node's name for people; default node-<id>", func(c *Config) any { return &c.Name }},
		{"data-dir", s, "castaway-data", "path", "where the log, term and vote live; one directory a node", func(c *Config) any { return &c.DataDir }},
		{"cluster-name", s, "castaway", "text", "the cluster's name; together with the members it makes the cluster's id", func(c *Config) any { return &c.ClusterName }},
		{"peers", s, "", "id=host:port[/client-host:port],…", "the founding members, this one included, the same on every node; default this node alone", func(c *Config) any { return &c.Peers }},
		{"join", s, "", "host:port,…", "client addresses of a running cluster that this node was added to (castaway member add); instead of peers, and only looked at on the first start; default none", func(c *Config) any { return &c.Join }},
	}
}

func addressKeys() []Key {
	const s = "addresses"
	return []Key{
		{"listen-peer", s, "", "host:port", "where to listen for peers; default this id's address in peers, or 127.0.0.1:2380", func(c *Config) any { return &c.ListenPeer }},
		{"advertise-peer", s, "", "host:port", "where peers reach this node; default this id's address in peers, which it must equal", func(c *Config) any { return &c.AdvertisePeer }},
		{"listen-client", s, "", "host:port", "where to serve the etcd v3 API; default this id's client address in peers, or 127.0.0.1:2379", func(c *Config) any { return &c.ListenClient }},
		{"advertise-client", s, "", "host:port", "where clients reach this node; default this id's client address in peers, or listen-client", func(c *Config) any { return &c.AdvertiseClient }},
		{"listen-bulk", s, "", "host:port", "where to take snapshots from peers; default a free port of listen-peer's host, which the peers are told", func(c *Config) any { return &c.ListenBulk }},
		{"listen-http", s, "127.0.0.1:2381", "host:port", "where to serve health, status and metrics", func(c *Config) any { return &c.ListenHTTP }},
	}
}

func securityKeys() []Key {
	const s = "security"
	return []Key{
		{"peer-tls-cert", s, "", "path", "certificate that this node shows its peers, as PEM; it must hold the DNS name node-<id>; all three of peer-tls-… or none", func(c *Config) any { return &c.PeerTLSCert }},
		{"peer-tls-key", s, "", "path", "key of peer-tls-cert, as PEM", func(c *Config) any { return &c.PeerTLSKey }},
		{"peer-tls-ca", s, "", "path", "certificate of the authority that signs the certificates of all nodes, and of nobody else, as PEM", func(c *Config) any { return &c.PeerTLSCA }},
		{"insecure-network", s, "false", "true or false", "allow plaintext beyond loopback: whoever reaches the port can read and write everything, and vote", func(c *Config) any { return &c.InsecureNetwork }},
	}
}

func timeKeys() []Key {
	const s = "time"
	return []Key{
		{"tick-interval", s, "20ms", "duration", "the unit of the node's timers", func(c *Config) any { return &c.TickInterval }},
		{"election-ticks", s, "50", "ticks", "shortest time without a leader before an election; each one is drawn from one to two of it", func(c *Config) any { return &c.ElectionTicks }},
		{"heartbeat-ticks", s, "5", "ticks", "time between a leader's heartbeats; at most a third of election-ticks", func(c *Config) any { return &c.HeartbeatTicks }},
		{"stall-ticks", s, "0", "ticks", "how long no write of a leader's may end before it hands leadership over, since its disk hangs; twice election-ticks if 0", func(c *Config) any { return &c.StallTicks }},
		{"catch-up-ticks", s, "45000", "ticks", "a new member that has come no closer to the log for so long is removed again, and must be added anew", func(c *Config) any { return &c.CatchUpTicks }},
		{"pre-vote", s, "true", "true or false", "ask before campaigning, so that a node that was cut off disturbs nobody", func(c *Config) any { return &c.PreVote }},
		{"check-quorum", s, "true", "true or false", "a leader that hears from no majority steps down", func(c *Config) any { return &c.CheckQuorum }},
		{"lease-reads", s, "false", "true or false", "answer linearizable reads from the leader's lease, without asking the others, while clocks keep max-clock-drift-percent; right only if this, tick-interval, election-ticks and max-clock-drift-percent are the same on all nodes at any time, so stop all nodes to change one of them", func(c *Config) any { return &c.LeaseReads }},
		{"max-clock-drift-percent", s, "10", "percent", "by how much the clocks of two nodes may differ over an election timeout, with lease-reads", func(c *Config) any { return &c.MaxClockDriftPercent }},
		{"shutdown-timeout", s, "10s", "duration", "how long a stop may take before it is cut short", func(c *Config) any { return &c.ShutdownTimeout }},
	}
}

func limitKeys() []Key {
	const s = "limits"
	return []Key{
		{"max-entry-bytes", s, "1536KiB", "bytes", "largest command; a larger one is refused", func(c *Config) any { return &c.MaxEntryBytes }},
		{"max-message-bytes", s, "64KiB", "bytes", "entries in one message between peers; a single larger one travels alone", func(c *Config) any { return &c.MaxMessageBytes }},
		{"max-inflight-messages", s, "64", "messages", "messages on their way to one peer, unanswered", func(c *Config) any { return &c.MaxInflightMessages }},
		{"max-inflight-bytes", s, "1MiB", "bytes", "bytes on their way to one peer, unanswered; heartbeats wait behind them", func(c *Config) any { return &c.MaxInflightBytes }},
		{"max-uncommitted-bytes", s, "64MiB", "bytes", "what a leader takes on beyond what is committed; more is refused as overload", func(c *Config) any { return &c.MaxUncommittedBytes }},
		{"max-queued-commands", s, "65536", "commands", "commands that wait for their turn on this node; more are refused as overload", func(c *Config) any { return &c.MaxQueuedCommands }},
		{"max-queued-bytes", s, "64MiB", "bytes", "bytes of the commands that wait for their turn; more are refused as overload", func(c *Config) any { return &c.MaxQueuedBytes }},
		{"max-queued-reads", s, "65536", "reads", "reads that wait on this node; more are refused as overload", func(c *Config) any { return &c.MaxQueuedReads }},
		{"max-queue-wait", s, "1s", "duration", "how long a request may wait for its turn while there is a leader; who would wait longer is refused as overload; below the clients' deadlines", func(c *Config) any { return &c.MaxQueueWait }},
		{"max-requests", s, "4096", "requests", "clients' reads and writes under way on this node; more are refused as overload", func(c *Config) any { return &c.MaxRequests }},
		{"max-requests-bytes", s, "128MiB", "bytes", "bytes of the clients' reads and writes under way; more are refused as overload", func(c *Config) any { return &c.MaxRequestsBytes }},
		{"max-answers-bytes", s, "256MiB", "bytes", "answers that clients have not taken yet, one client at most a quarter; reads beyond are refused as overload", func(c *Config) any { return &c.MaxAnswersBytes }},
		{"cache-bytes", s, "16MiB", "bytes", "newest entries kept in memory for peers that lag", func(c *Config) any { return &c.CacheBytes }},
		{"disk-reserve-bytes", s, "512MiB", "bytes", "free space on the data directory's disk below which clients' writes are refused", func(c *Config) any { return &c.DiskReserveBytes }},
		{"disk-floor-bytes", s, "256MiB", "bytes", "free space below which nothing at all is written; at most disk-reserve-bytes", func(c *Config) any { return &c.DiskFloorBytes }},
	}
}

func snapshotKeys() []Key {
	const s = "snapshots"
	return []Key{
		{"machine", s, "memory", "memory or disk", "where the keys and values are: in memory, made again from a snapshot and the log at each start; or on disk, for what is larger than memory, and a start that reads little", func(c *Config) any { return &c.Machine }},
		{"snapshot-entries", s, "100000", "entries", "how many are applied before a snapshot is taken, and the log before it goes", func(c *Config) any { return &c.SnapshotEntries }},
		{"snapshot-bytes", s, "64MiB", "bytes", "how much of the log is applied before a snapshot is taken, if that comes first", func(c *Config) any { return &c.SnapshotBytes }},
		{"trailing-entries", s, "5000", "entries", "what of the log stays behind a snapshot, for members that are a little behind", func(c *Config) any { return &c.TrailingEntries }},
		{"snapshot-bytes-per-second", s, "0B", "bytes", "what this node sends of snapshots to peers in a second, at most; 0 is no limit", func(c *Config) any { return &c.SnapshotBytesPerSecond }},
		{"snapshot-chunk-bytes", s, "64KiB", "bytes", "how much of a snapshot goes in one message", func(c *Config) any { return &c.SnapshotChunkBytes }},
		{"snapshot-window-bytes", s, "1MiB", "bytes", "how much of a snapshot is on its way, unanswered", func(c *Config) any { return &c.SnapshotWindowBytes }},
		{"max-concurrent-snapshots", s, "2", "snapshots", "how many are sent at once", func(c *Config) any { return &c.MaxConcurrentSnapshots }},
		{"snapshot-publish-ticks", s, "6000", "ticks", "how long a peer may take to verify a snapshot of which it has everything, and to make it durable, before it is offered anew", func(c *Config) any { return &c.SnapshotPublishTicks }},
	}
}

func logKeys() []Key {
	const s = "logs"
	return []Key{
		{"log-level", s, "info", "debug, info, warn or error", "the least that is logged", func(c *Config) any { return &c.LogLevel }},
		{"log-format", s, "text", "text or json", "how it is logged, on stderr", func(c *Config) any { return &c.LogFormat }},
	}
}
