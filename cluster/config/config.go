package config

import (
	"strings"
	"time"
)

// Config is everything a node is told. Zero values are not valid; start from
// [Default].
type Config struct {
	ID          uint64
	Name        string
	DataDir     string
	ClusterName string
	Peers       []Peer
	Join        string

	ListenPeer      string
	AdvertisePeer   string
	ListenClient    string
	AdvertiseClient string
	ListenHTTP      string
	ListenBulk      string

	PeerTLSCert     string
	PeerTLSKey      string
	PeerTLSCA       string
	InsecureNetwork bool

	TickInterval   time.Duration
	ElectionTicks  int
	HeartbeatTicks int
	StallTicks     int
	CatchUpTicks   int
	PreVote        bool
	CheckQuorum    bool

	LeaseReads           bool
	MaxClockDriftPercent int

	MaxEntryBytes       Bytes
	MaxMessageBytes     Bytes
	MaxInflightMessages int
	MaxInflightBytes    Bytes
	MaxUncommittedBytes Bytes
	MaxQueuedCommands   int
	MaxQueuedBytes      Bytes
	MaxQueuedReads      int
	MaxQueueWait        time.Duration
	MaxRequests         int
	MaxRequestsBytes    Bytes
	MaxAnswersBytes     Bytes
	CacheBytes          Bytes
	DiskReserveBytes    Bytes
	DiskFloorBytes      Bytes

	Sessions Sessions

	// Machine is where the keys and values are: "memory" or "disk".
	Machine string

	SnapshotEntries        int
	SnapshotBytes          Bytes
	TrailingEntries        int
	SnapshotBytesPerSecond Bytes
	SnapshotChunkBytes     Bytes
	SnapshotWindowBytes    Bytes
	MaxConcurrentSnapshots int
	SnapshotPublishTicks   int

	ShutdownTimeout time.Duration
	LogLevel        string
	LogFormat       string
}

// Peer is one member of the cluster, as the others reach it.
type Peer struct {
	ID uint64 `json:"id" yaml:"id"`
	// Address is where its peers reach it; the same string everywhere.
	Address string `json:"address" yaml:"address"`
	// Client is where its clients reach it; empty when not told.
	Client string `json:"client,omitempty" yaml:"client,omitempty"`
}

// Default is the configuration of a node that was told nothing: the only member
// of its cluster, on loopback.
func Default() Config {
	var c Config
	for _, k := range Keys() {
		// The defaults are constants of this package; a test reads every one.
		if err := assign(k.field(&c), k.Default); err != nil {
			panic("config: default of " + k.Name + ": " + err.Error())
		}
	}
	origins := map[string]Origin{}
	derive(&c, origins)
	return c
}

// ElectionTimeout is the shortest time without a leader after which a node
// campaigns; each timeout is drawn from [ElectionTimeout, 2*ElectionTimeout).
func (c *Config) ElectionTimeout() time.Duration {
	return c.TickInterval * time.Duration(c.ElectionTicks)
}

// JoinEndpoints are the addresses in Join.
func (c *Config) JoinEndpoints() []string {
	var list []string
	for e := range strings.SplitSeq(c.Join, ",") {
		if e = strings.TrimSpace(e); e != "" {
			list = append(list, e)
		}
	}
	return list
}

// PeerTLS says whether connections between peers are encrypted.
func (c *Config) PeerTLS() bool {
	return c.PeerTLSCert != "" && c.PeerTLSKey != "" && c.PeerTLSCA != ""
}

// Peer finds a member by its id.
func (c *Config) Peer(id uint64) (Peer, bool) {
	for _, p := range c.Peers {
		if p.ID == id {
			return p, true
		}
	}
	return Peer{}, false
}
