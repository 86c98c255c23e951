package persistence

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"

	"castaway/raft"
)

// Badger is the Store for production.
//
// Appends gather in memory; Sync writes what has gathered, for all groups, as one
// transaction with one record a group, and whoever calls Sync meanwhile shares the
// next one. Badger's commit timestamps are the sequence of these commits: 1, 2, 3, without a gap.
type Badger struct {
	options Options
	db      *badger.DB
	lock    *directoryLock
	witness *witness
	nonce   uint64
	scratch string
	// logs is Badger's directory as the kernel names it.
	logs string
	free func(string) (uint64, error)

	// writing is held by whoever writes; it comes before mu.
	writing sync.Mutex
	// sequence is the last commit, under writing.
	sequence uint64
	// buffer is where records are encoded, under writing.
	buffer []byte
	// nextMem is the id that Badger's next memtable log will have, under writing.
	nextMem int
	// sinceMem is about how many bytes were written since it was looked for with
	// success, under writing.
	sinceMem int64
	// overlaps says that keyOverlap is in the memtable, under writing.
	overlaps bool
	// commit makes a transaction durable; tests make it fail.
	commit func(txn *badger.Txn, sequence uint64) error

	// reading is held by readers of Badger, and by Close alone.
	reading sync.RWMutex

	// commits counts the commits of this life.
	commits atomic.Uint64

	mu     sync.Mutex
	groups map[raft.GroupID]*badgerGroup
	// pending holds what was appended and not yet written, in order; the first may
	// be on its way.
	pending []*commit
	// appended and synced count the appends.
	appended, synced uint64
	// syncing says that it is a caller of Sync's turn to write; the others wait for
	// turn, under mu.
	syncing bool
	turn    *sync.Cond
	// crowd is more than zero if one of the last commits had writes of several groups.
	crowd int
	// err is not nil once the store has failed or is closed.
	err    error
	closed bool
	// condemned says that err is nothing but Condemn's: the disk is in order.
	condemned bool
}

var _ Store = (*Badger)(nil)

const (
	// levelZeroTables is how many tables Badger gathers before it compacts them, and
	// levelZeroStall at how many its writers wait. Fewer would write more, and more
	// give space back later.
	levelZeroTables = 6
	levelZeroStall  = 12
	// baseLevelBytes is the log up to which there is one level below: each level
	// writes everything once more.
	baseLevelBytes = 1 << 30
	// maxTimestamp reads whatever is newest.
	maxTimestamp = math.MaxUint64
	// valueLogBytes is the least that Badger takes for a value log.
	valueLogBytes = 1 << 20
)

// OpenBadger opens the store in o.Dir, or makes one. It fails with ErrLocked,
// ErrMismatch, ErrDirectory, or ErrCorrupt when what was acknowledged is lost; then the
// directory is left as it was found.
func OpenBadger(o Options) (*Badger, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	lock, err := lockDirectory(o.Dir)
	if err != nil {
		return nil, unusable(o.Dir, err)
	}
	s, err := openLocked(o, lock)
	if err != nil {
		return nil, errors.Join(unusable(o.Dir, err), lock.release())
	}
	return s, nil
}

func openLocked(o Options, lock *directoryLock) (*Badger, error) {
	if err := checkMark(o.Dir); err != nil {
		return nil, err
	}
	id, err := claim(o.Dir, o.ClusterID, o.ServerID)
	if err != nil {
		return nil, err
	}
	w, witnessed, err := openWitness(o.Dir, id.nonce)
	if err != nil {
		return nil, err
	}
	s := &Badger{
		options: o,
		lock:    lock,
		witness: w,
		nonce:   id.nonce,
		free:    o.FreeBytes,
		groups:  map[raft.GroupID]*badgerGroup{},
	}
	s.turn = sync.NewCond(&s.mu)
	if s.free == nil {
		s.free = freeBytes
	}
	s.commit = func(txn *badger.Txn, sequence uint64) error { return txn.CommitAt(sequence, nil) }
	if err := s.open(witnessed); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return s, nil
}

// open verifies, opens Badger, and reads what it holds.
func (s *Badger) open(witnessed uint64) error {
	dir := filepath.Join(s.options.Dir, logDirectory)
	last, err := verify(dir, s.nonce, witnessed)
	if err != nil {
		return err
	}
	if err := s.roomToOpen(dir); err != nil {
		return err
	}
	if err := clearEmpty(dir); err != nil {
		return err
	}
	if s.scratch, err = scratchDirectory(&s.options, s.nonce); err != nil {
		return err
	}
	if s.db, err = badger.OpenManaged(s.badgerOptions(dir)); err != nil {
		return errors.Join(fmt.Errorf("persistence: open badger in %s: %w", dir, err), os.RemoveAll(s.scratch))
	}
	err = unlinkScratch(s.scratch)
	if err == nil {
		// Badger has made its directory, whose name must not be lost.
		err = syncDirectory(s.options.Dir)
	}
	if err == nil {
		s.logs, err = filepath.EvalSymlinks(dir)
	}
	if err == nil {
		s.logs, err = filepath.Abs(s.logs)
	}
	if err == nil {
		err = s.recover(dir, last)
	}
	if err != nil {
		return errors.Join(err, s.mark(err), s.db.Close(), os.RemoveAll(s.scratch))
	}
	return nil
}

// recover takes over what Badger found.
func (s *Badger) recover(dir string, last uint64) error {
	if found := s.db.MaxVersion(); found != last {
		return corrupt("badger found commit %d in %s where %d was expected", found, dir, last)
	}
	s.sequence = last
	if err := s.readGroups(); err != nil {
		return err
	}
	s.nextMem = 1
	logs, _, err := listLog(dir)
	if err != nil {
		return err
	}
	if len(logs) > 0 {
		s.nextMem = logs[len(logs)-1] + 1
	}
	if err := s.newMem(); err != nil {
		return err
	}
	s.db.SetDiscardTs(last)
	if err := s.witness.note(last); err != nil {
		return err
	}
	return s.failure()
}

// mark keeps the next start out, if err is about lost data: Badger is open by
// then, and may have changed its files.
func (s *Badger) mark(err error) error {
	if !errors.Is(err, ErrCorrupt) {
		return nil
	}
	return publish(s.options.Dir, corruptFile, []byte(err.Error()+"\n"))
}

func (s *Badger) badgerOptions(dir string) badger.Options {
	threshold := min(int64(1<<20), s.options.MemTableBytes*transactionShare/100)
	return badger.DefaultOptions(dir).
		WithValueDir(s.scratch).
		WithValueLogFileSize(valueLogBytes).
		WithValueThreshold(threshold).
		WithSyncWrites(true).
		WithMemTableSize(s.options.MemTableBytes).
		WithBaseTableSize(s.options.MemTableBytes / 2).
		WithNumMemtables(s.options.MemTables).
		WithNumLevelZeroTables(levelZeroTables).
		WithNumLevelZeroTablesStall(levelZeroStall).
		WithBaseLevelSize(baseLevelBytes).
		WithNumCompactors(2).
		WithCompression(options.None).
		WithBlockCacheSize(0).
		WithIndexCacheSize(0).
		WithBlockSize(blockBytes).
		WithChecksumVerificationMode(options.NoVerification). // verify has done it, and records verify themselves
		WithDetectConflicts(false).
		WithMetricsEnabled(false).
		WithLogger(&badgerLog{logger: s.options.Logger, onError: s.fail})
}

// fail makes err the store's last word, unless it has had it.
func (s *Badger) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failLocked(err)
}

func (s *Badger) failLocked(err error) {
	if s.err == nil {
		s.err = fmt.Errorf("%w: %w: this is not retried; what was acknowledged is on disk, and a restart reads it", ErrFailed, err)
	}
}

// failure is the error that the store has failed with, if it has.
func (s *Badger) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Close implements Store. After a failure it leaves Badger as it is, and the
// directory locked until the process ends: Badger would write once more what
// could not be written (C40).
func (s *Badger) Close() error {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.mu.Lock()
	closed, failed := s.closed, s.err != nil && !s.condemned
	s.closed = true
	s.failLocked(errors.New("it is closed"))
	s.mu.Unlock()
	if closed || failed {
		return nil
	}
	s.reading.Lock()
	defer s.reading.Unlock()
	err := s.db.Close()
	if err == nil {
		err = s.witness.sync()
	}
	err = errors.Join(err, s.witness.close(), os.RemoveAll(s.scratch), s.lock.release())
	if err != nil {
		return fmt.Errorf("persistence: close %s: %w", s.options.Dir, err)
	}
	return nil
}
