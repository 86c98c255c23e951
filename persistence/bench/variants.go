package main

import (
	"encoding/binary"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
	"golang.org/x/sys/unix"

	"castaway/persistence"
	"castaway/raft"
)

// target takes batches and makes each durable before it returns.
type target struct {
	append func([]raft.Entry) error
	close  func() error
}

var variants = []struct {
	name string
	open func(settings) (target, error)
}{
	{"bare", openBare},
	{"store", openStore},
	{"store with its value log on disk", openStoreOnDisk},
	{"badger with an entry a key", openEntryPerKey},
	{"badger with values in its value log", openValueLog},
}

func variantNames() []string {
	var names []string
	for _, v := range variants {
		names = append(names, v.name)
	}
	return names
}

func openVariant(s settings) (target, error) {
	for _, v := range variants {
		if v.name == s.Variant {
			return v.open(s)
		}
	}
	return target{}, fmt.Errorf("unknown variant %q", s.Variant)
}

// openBare is the floor: the frames of a batch in one write, and fdatasync.
func openBare(s settings) (target, error) {
	f, err := os.Create(filepath.Join(s.Dir, "bare"))
	if err != nil {
		return target{}, err
	}
	var buffer []byte
	return target{
		append: func(entries []raft.Entry) error {
			buffer = buffer[:0]
			for i := range entries {
				buffer = append(buffer, entries[i].Frame...)
			}
			if _, err := f.Write(buffer); err != nil {
				return err
			}
			return unix.Fdatasync(int(f.Fd()))
		},
		close: f.Close,
	}, nil
}

func storeOptions(s settings) persistence.Options {
	o := persistence.DefaultOptions(filepath.Join(s.Dir, "store"))
	o.ClusterID, o.ServerID = 1, 1
	o.Logger = slog.New(slog.DiscardHandler)
	if s.MemTable > 0 {
		o.MemTableBytes = s.MemTable
		o.MaxEntryBytes = int(min(s.MemTable/10, persistence.DefaultMaxEntryBytes))
		o.HardFloorBytes = uint64(16 * s.MemTable)
		o.ReserveBytes = 2 * o.HardFloorBytes
	}
	return o
}

func openStore(s settings) (target, error) { return storeTarget(storeOptions(s)) }

func openStoreOnDisk(s settings) (target, error) {
	o := storeOptions(s)
	o.ScratchDir = filepath.Join(s.Dir, "scratch")
	return storeTarget(o)
}

func storeTarget(o persistence.Options) (target, error) {
	store, err := persistence.OpenBadger(o)
	if err != nil {
		return target{}, err
	}
	hard := &raft.HardState{Term: 1}
	return target{
		append: func(entries []raft.Entry) error {
			if err := store.Append(1, &raft.Persist{HardState: hard, Entries: entries}); err != nil {
				return err
			}
			return store.Sync()
		},
		close: store.Close,
	}, nil
}

// rawOptions are the store's, for layouts that it does not have.
func rawOptions(s settings) badger.Options {
	o := storeOptions(s)
	return badger.DefaultOptions(filepath.Join(s.Dir, "badger")).
		WithSyncWrites(true).WithMemTableSize(o.MemTableBytes).WithNumMemtables(o.MemTables).WithNumCompactors(2).
		WithCompression(options.None).WithBlockCacheSize(0).WithDetectConflicts(false).WithMetricsEnabled(false).
		WithLogger(nil)
}

func rawTarget(o badger.Options, put func(*badger.Txn, []raft.Entry) error) (target, error) {
	db, err := badger.OpenManaged(o)
	if err != nil {
		return target{}, err
	}
	var sequence uint64
	return target{
		append: func(entries []raft.Entry) error {
			txn := db.NewTransactionAt(1<<63, true)
			defer txn.Discard()
			if err := put(txn, entries); err != nil {
				return err
			}
			sequence++
			return txn.CommitAt(sequence, nil)
		},
		close: db.Close,
	}, nil
}

func openEntryPerKey(s settings) (target, error) {
	o := rawOptions(s)
	return rawTarget(o.WithValueThreshold(min(1<<20, o.MemTableSize*15/100)), func(txn *badger.Txn, entries []raft.Entry) error {
		for i := range entries {
			key := binary.BigEndian.AppendUint64([]byte("group 1 "), uint64(entries[i].Index))
			if err := txn.Set(key, entries[i].Frame); err != nil {
				return err
			}
		}
		return nil
	})
}

// openValueLog packs batches like the store does, but sends all but the smallest
// to Badger's value log.
func openValueLog(s settings) (target, error) {
	o := rawOptions(s).WithValueThreshold(1 << 10).WithValueLogFileSize(64 << 20)
	return rawTarget(o, func(txn *badger.Txn, entries []raft.Entry) error {
		var value []byte
		for i := range entries {
			value = append(value, entries[i].Frame...)
		}
		return txn.Set(binary.BigEndian.AppendUint64([]byte("group 1 "), uint64(entries[0].Index)), value)
	})
}
