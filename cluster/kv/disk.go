package kv

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"strings"

	"github.com/dgraph-io/badger/v4"

	"castaway/actors"
	"castaway/raft"
)

// DefaultMemTableBytes is what an on-disk machine gathers in memory before it writes a
// table. Up to three are in memory at a time.
const DefaultMemTableBytes = 16 << 20

// DiskOptions says where an on-disk machine has its state.
type DiskOptions struct {
	// Dir is a directory of its own. It is made if it is not there.
	Dir string
	// MemTableBytes is as DefaultMemTableBytes, which zero means.
	MemTableBytes int64
	// Room says whether so many bytes may be written, and why not; nil means always.
	Room func(bytes uint64) error
	// Logger hears Badger's warnings and errors; nil means slog.Default().
	Logger *slog.Logger
}

func (o *DiskOptions) room(bytes uint64) error {
	if o.Room == nil {
		return nil
	}
	return o.Room(bytes)
}

// Disk is the machine with its items on disk, for states that are larger than memory.
// It answers as Machine does, and their snapshots are each other's.
type Disk struct {
	Machine
	options DiskOptions
	disk    *disk
	items   *onDisk
	// sideParts are the parts of the pairs that have more records than one, by key.
	sideParts map[string]int
	// failed is why nothing can be committed any more.
	failed error
}

var (
	_ actors.OnDisk = (*Disk)(nil)
	_ actors.Hasher = (*Disk)(nil)
)

// NewDisk gives a machine that Open is to be called on.
func NewDisk(o DiskOptions) *Disk {
	if o.MemTableBytes == 0 {
		o.MemTableBytes = DefaultMemTableBytes
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return &Disk{Machine: Machine{store: newStore(newMapped())}, options: o}
}

// Open implements actors.OnDisk. A state whose last commit is torn, or that was not
// closed before the system ended, is as good as none.
func (m *Disk) Open() (applied raft.Index, side []actors.Pair, err error) {
	if m.disk, err = openDisk(m.options); err != nil {
		return 0, nil, err
	}
	state, side, whole, err := m.load()
	if err == nil && !whole {
		state, side = meta{figures: figures{revision: firstRevision}}, nil
		m.disk, err = m.disk.replaced()
	}
	if err != nil {
		return 0, nil, err
	}
	m.use(state.figures)
	return state.applied, side, nil
}

// load reads what there is beside the items; whole says that no commit is torn.
func (m *Disk) load() (state meta, side []actors.Pair, whole bool, err error) {
	m.sideParts = map[string]int{}
	err = m.disk.read(math.MaxUint64, func(txn *badger.Txn) error {
		record, err := txn.Get([]byte{recordMeta})
		if errors.Is(err, badger.ErrKeyNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if record.Version() != m.disk.last {
			return nil
		}
		whole = true
		err = record.Value(func(b []byte) (err error) { state, err = decodeMeta(b); return err })
		if err != nil {
			return err
		}
		side, err = m.loadSide(txn)
		return err
	})
	return state, side, whole, err
}

func (m *Disk) loadSide(txn *badger.Txn) (side []actors.Pair, err error) {
	o := badger.DefaultIteratorOptions
	o.Prefix = []byte{recordSide}
	records := txn.NewIterator(o)
	defer records.Close()
	for records.Rewind(); records.Valid(); records.Next() {
		key := records.Item().KeyCopy(nil)[1:]
		value, parts, err := wholeValue(txn, recordSide, key, records.Item())
		if err != nil {
			return nil, err
		}
		if parts > 0 {
			m.sideParts[string(key)] = parts
		}
		side = append(side, actors.Pair{Key: key, Value: value})
	}
	return side, nil
}

// use begins with what is on the disk.
func (m *Disk) use(f figures) {
	m.items = newOnDisk(m.disk)
	m.store = &store{items: m.items, figures: f}
}

// Commit implements actors.OnDisk.
func (m *Disk) Commit(applied raft.Index, side []actors.Pair) error {
	if m.failed == nil {
		m.failed = m.commit(applied, side)
	}
	if m.failed != nil {
		return fmt.Errorf("kv: commit entry %d to the machine: %w", applied, m.failed)
	}
	return nil
}

func (m *Disk) commit(applied raft.Index, side []actors.Pair) error {
	if err := m.items.err(); err != nil {
		return err
	}
	if err := m.options.room(m.items.size()); err != nil {
		return err
	}
	m.disk.reading.RLock()
	defer m.disk.reading.RUnlock()
	if m.disk.db == nil {
		return ErrClosed
	}
	b := newBatch(m.disk.db, m.disk.last+1)
	m.items.writeTo(b)
	m.writeSide(b, side)
	state := meta{applied: applied, figures: m.store.figures}
	b.set([]byte{recordMeta}, state.encode())
	if err := b.done(); err != nil {
		return err
	}
	m.disk.last++
	m.disk.db.SetDiscardTs(m.disk.pins.oldest(m.disk.last))
	m.items.committed()
	return nil
}

func (m *Disk) writeSide(b *batch, side []actors.Pair) {
	for _, p := range side {
		had := m.sideParts[string(p.Key)]
		delete(m.sideParts, string(p.Key))
		if p.Value == nil {
			b.drop(recordSide, p.Key, had)
		} else if parts := b.put(recordSide, p.Key, p.Value, had); parts > 0 {
			m.sideParts[string(p.Key)] = parts
		}
	}
}

// roomEvery is after how many bytes Restore looks whether there is room for more.
const roomEvery = 4 << 20

// Restore implements actors.Snapshotter. What was there is gone at once, and there is
// nothing until the Commit that follows.
func (m *Disk) Restore(r io.Reader) error {
	var err error
	if m.disk, err = m.disk.replaced(); err != nil {
		return err
	}
	m.sideParts = map[string]int{}
	b := newBatch(m.disk.db, m.disk.last+1)
	unchecked := uint64(roomEvery)
	f, err := readState(r, func(it *item) error {
		if unchecked += uint64(it.size()); unchecked >= roomEvery {
			if err := m.options.room(unchecked); err != nil {
				return err
			}
			unchecked = 0
		}
		b.put(recordItem, it.kv.Key, encodeItem(it), 0)
		return b.failed
	})
	if err := errors.Join(err, b.done()); err != nil {
		return err
	}
	m.disk.last++
	m.use(f)
	return nil
}

// Close implements actors.OnDisk. Views that are still held fail with ErrClosed.
func (m *Disk) Close() error {
	if m.disk == nil {
		return nil
	}
	if err := m.disk.close(); err != nil {
		return fmt.Errorf("kv: close the machine: %w", err)
	}
	if err := writeLife(m.options.Dir, closedLife); err != nil {
		return fmt.Errorf("kv: close the machine: %w", err)
	}
	return nil
}

// badgerLog passes on what is to be known of Badger.
type badgerLog struct{ logger *slog.Logger }

func (l badgerLog) Errorf(format string, args ...any) {
	l.logger.Error("the machine's badger reports an error", "text", line(format, args))
}

func (l badgerLog) Warningf(format string, args ...any) {
	l.logger.Warn("the machine's badger warns", "text", line(format, args))
}

func (l badgerLog) Infof(string, ...any) {}

func (l badgerLog) Debugf(string, ...any) {}

func line(format string, args []any) string { return strings.TrimSpace(fmt.Sprintf(format, args...)) }
