package persistence

import (
	"errors"
	"fmt"
	"log/slog"

	"castaway/raft"
)

// Options says where and how a Badger store keeps its data. DefaultOptions fills
// in everything but the identity.
type Options struct {
	// Dir is the data directory; it is made if it is not there.
	Dir string
	// ClusterID and ServerID are stamped on a new directory and must match an old
	// one's.
	ClusterID uint64
	ServerID  raft.NodeID

	// MaxEntryBytes bounds one entry's frame.
	MaxEntryBytes int
	// MemTableBytes is the size of one of Badger's memtables. A transaction holds
	// at most 15 % of it. Small ones cost more compaction, large ones memory, and
	// give space back later.
	MemTableBytes int64
	// MemTables is how many full memtables may wait to be written out before
	// writers do.
	MemTables int

	// ReserveBytes is what must be free for proposals to be taken (see Space).
	ReserveBytes uint64
	// HardFloorBytes is what must be free for anything to be written: Badger maps
	// its files, and dies of SIGBUS on a disk that is full. It has to hold what
	// Badger writes on its own account, flushes and compactions.
	HardFloorBytes uint64
	// FreeBytes says how much is free on the disk that dir is on; nil asks the
	// kernel.
	FreeBytes func(dir string) (uint64, error)

	// ScratchDir is where Badger's value log goes, which it insists on syncing
	// with every commit, though it is always empty here. It holds nothing that has
	// to survive, so that a directory in memory saves half of all syncs. Empty
	// means a directory of its own on /dev/shm, or inside Dir where there is none.
	ScratchDir string

	// Logger hears Badger's warnings and errors; nil means slog.Default().
	Logger *slog.Logger
}

// Limits and defaults.
const (
	DefaultMaxEntryBytes  = 3<<19 + 64<<10 // an entry of 1.5 MiB of data, framed
	DefaultMemTableBytes  = 16 << 20
	DefaultMemTables      = 2
	DefaultReserveBytes   = 512 << 20
	DefaultHardFloorBytes = 256 << 20

	minMemTableBytes = 1 << 20
	maxMemTableBytes = 256 << 20
	// transactionShare is the share of a memtable that Badger lets one transaction
	// have, in percent.
	transactionShare = 15
	// transactionSlack is kept free in a transaction for keys and headers.
	transactionSlack = 64 << 10
)

// DefaultOptions are options for production, but for the identity.
func DefaultOptions(dir string) Options {
	return Options{
		Dir:            dir,
		MaxEntryBytes:  DefaultMaxEntryBytes,
		MemTableBytes:  DefaultMemTableBytes,
		MemTables:      DefaultMemTables,
		ReserveBytes:   DefaultReserveBytes,
		HardFloorBytes: DefaultHardFloorBytes,
	}
}

// Validate says what is wrong with the options, all of it at once, naming fields.
func (o *Options) Validate() error {
	var errs []error
	bad := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("persistence: Options."+format, args...))
	}
	if o.Dir == "" {
		bad("Dir is empty: name a data directory")
	}
	if o.ClusterID == 0 {
		bad("ClusterID is 0: every cluster has an id")
	}
	if o.ServerID == raft.None {
		bad("ServerID is 0: server ids start at 1")
	}
	if o.MemTableBytes < minMemTableBytes || o.MemTableBytes > maxMemTableBytes {
		bad("MemTableBytes is %d: must be from %d to %d", o.MemTableBytes, minMemTableBytes, maxMemTableBytes)
	} else if limit := o.transactionBytes(); o.MaxEntryBytes < 1 || int64(o.MaxEntryBytes) > limit {
		bad("MaxEntryBytes is %d: must be from 1 to %d (%d %% of MemTableBytes, less %d)",
			o.MaxEntryBytes, limit, transactionShare, transactionSlack)
	}
	if o.MemTables < 1 || o.MemTables > 16 {
		bad("MemTables is %d: must be from 1 to 16", o.MemTables)
	}
	if need := o.LeastHardFloorBytes(); o.HardFloorBytes < need {
		bad("HardFloorBytes is %d: must be at least %d, what Badger may write on its own account", o.HardFloorBytes, need)
	}
	if o.ReserveBytes < o.HardFloorBytes {
		bad("ReserveBytes is %d: must be at least HardFloorBytes, %d", o.ReserveBytes, o.HardFloorBytes)
	}
	return errors.Join(errs...)
}

// transactionBytes is what one transaction may hold.
func (o *Options) transactionBytes() int64 {
	return o.MemTableBytes*transactionShare/100 - transactionSlack
}

// LeastHardFloorBytes is what HardFloorBytes must be at least: what Badger needs room
// for beside what it is told to write. Every memtable that waits becomes a table while its log is still there,
// and a compaction writes its outputs before it lets go of its inputs.
func (o *Options) LeastHardFloorBytes() uint64 {
	return uint64(o.MemTableBytes) * uint64(o.MemTables+levelZeroStall+2)
}
