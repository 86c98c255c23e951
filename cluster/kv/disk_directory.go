package kv

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
)

// What is in the directory of an on-disk machine.
const (
	stateDirectory = "state" // Badger's
	oldDirectory   = "old"   // what is being deleted
	lifeFile       = "life"  // in which life of the system it was written last, or closed
)

// closedLife is in lifeFile when all is synced.
const closedLife = "closed\n"

// ErrClosed means that the state that is asked for is closed, or was replaced by
// another. Asking the machine again helps unless it is closed, too.
var ErrClosed = errors.New("kv: this state is closed, or was replaced")

// disk is a Badger in a directory. It is not synced: a process that ends leaves
// everything to the system, and what a system that ends leaves is not used.
type disk struct {
	options DiskOptions
	last    uint64 // timestamp of the last commit
	pins    pins

	// reading is held by readers, and by close alone.
	reading sync.RWMutex
	db      *badger.DB // nil once it is closed
}

// openDisk opens what is there, unless it may have lost something.
func openDisk(o DiskOptions) (*disk, error) {
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("kv: make the machine's directory: %w", err)
	}
	now, err := systemLife()
	if err != nil {
		return nil, err
	}
	life, err := os.ReadFile(filepath.Join(o.Dir, lifeFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("kv: read which life of the system wrote the machine: %w", err)
	}
	if s := string(life); s != closedLife && (s == "" || s != now) {
		if err := clearState(o.Dir); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(os.RemoveAll(filepath.Join(o.Dir, oldDirectory)), writeLife(o.Dir, now)); err != nil {
		return nil, fmt.Errorf("kv: prepare the machine's directory: %w", err)
	}
	return newDisk(o)
}

func newDisk(o DiskOptions) (*disk, error) {
	if err := o.room(uint64(o.MemTableBytes)); err != nil {
		return nil, err
	}
	dir := filepath.Join(o.Dir, stateDirectory)
	db, err := badger.OpenManaged(badger.DefaultOptions(dir).
		WithSyncWrites(false).
		WithMemTableSize(o.MemTableBytes).
		WithBaseTableSize(o.MemTableBytes / 2).
		WithNumMemtables(2).
		WithNumCompactors(2).
		WithValueLogFileSize(1 << 20). // it stays empty
		WithValueThreshold(2 * partBytes).
		WithCompression(options.None).
		WithBlockCacheSize(0).
		WithIndexCacheSize(0).
		WithChecksumVerificationMode(options.OnBlockRead).
		WithDetectConflicts(false).
		WithMetricsEnabled(false).
		WithLogger(badgerLog{o.Logger}))
	if err != nil {
		return nil, fmt.Errorf("kv: open the machine in %s (what is in it can be deleted while the node is down: it is made again from the log and its snapshots): %w", dir, err)
	}
	return &disk{options: o, db: db, last: db.MaxVersion(), pins: pins{at: map[uint64]int{}}}, nil
}

// read reads as of a timestamp.
func (d *disk) read(at uint64, do func(txn *badger.Txn) error) error {
	d.reading.RLock()
	defer d.reading.RUnlock()
	if d.db == nil {
		return ErrClosed
	}
	txn := d.db.NewTransactionAt(at, false)
	defer txn.Discard()
	return do(txn)
}

// close lets go of Badger, which syncs.
func (d *disk) close() error {
	d.reading.Lock()
	defer d.reading.Unlock()
	if d.db == nil {
		return nil
	}
	err := d.db.Close()
	d.db = nil
	return err
}

// replaced gives an empty disk in the place of this one.
func (d *disk) replaced() (*disk, error) {
	if err := errors.Join(d.close(), clearState(d.options.Dir)); err != nil {
		return nil, fmt.Errorf("kv: clear the machine's directory: %w", err)
	}
	return newDisk(d.options)
}

// clearState deletes the state. It is gone at once, or there whole.
func clearState(dir string) error {
	state, old := filepath.Join(dir, stateDirectory), filepath.Join(dir, oldDirectory)
	if err := os.RemoveAll(old); err != nil {
		return err
	}
	if err := os.Rename(state, old); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := syncDirectory(dir); err != nil {
		return err
	}
	return os.RemoveAll(old)
}

// systemLife names the time since the system was started; it is empty where systems do
// not name it.
func systemLife() (string, error) {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("kv: ask for the life of the system: %w", err)
	}
	return string(bytes.TrimSpace(b)), nil
}

// writeLife makes lifeFile durable.
func writeLife(dir, life string) error {
	f, err := os.OpenFile(filepath.Join(dir, lifeFile), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(life)
	return errors.Join(err, f.Sync(), f.Close(), syncDirectory(dir))
}

func syncDirectory(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
