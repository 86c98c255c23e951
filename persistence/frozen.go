package persistence

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
	"github.com/dgraph-io/badger/v4/table"
	"github.com/dgraph-io/badger/v4/y"
	"github.com/dgraph-io/ristretto/v2/z"
	"golang.org/x/sys/unix"
)

// memBitDelete marks a deletion, in memtable logs and in tables.
const memBitDelete = 1 << 0

// frozen reads a Badger directory without Badger, which would repair it: it opens
// the tables and memtable logs read-only, and merges them. What cannot be read is
// left out and told in damage. Nobody may have the directory open meanwhile.
type frozen struct {
	mapped [][]byte
	tables []*table.Table
	merged y.Iterator // nil if there is nothing
	damage []error
}

// freeze opens what is in dir. Unless sound says that everything was read and found
// in order just now, each table is read once, so that a damaged one is left out.
func freeze(dir string, sound bool) (*frozen, error) {
	f := &frozen{}
	logs, tables, err := listLog(dir)
	if err != nil {
		return nil, err
	}
	var sources []y.Iterator
	for _, id := range slices.Backward(logs) {
		m, err := f.openMem(filepath.Join(dir, memName(id)))
		if err != nil {
			return nil, errors.Join(err, f.close())
		}
		sources = append(sources, m)
	}
	for id, compression := range f.named(dir, tables) {
		path := table.NewFilename(id, dir)
		t, err := openFrozenTable(path, compression, sound)
		if cannotOpen(err) {
			return nil, errors.Join(err, f.close())
		}
		if err != nil {
			f.damage = append(f.damage, fmt.Errorf("table %s cannot be read: %s", path, brief(err)))
			continue
		}
		f.tables = append(f.tables, t)
		sources = append(sources, t.NewIterator(table.NOCACHE))
	}
	f.merged = table.NewMergeIterator(sources, false)
	return f, nil
}

// named gives the tables that the manifest names; if it cannot be read, all that are
// there: an older version of a key hides behind a newer one.
func (f *frozen) named(dir string, tables []string) map[uint64]options.CompressionType {
	ids := map[uint64]options.CompressionType{}
	file, err := os.Open(filepath.Join(dir, badger.ManifestFilename))
	if err == nil {
		var manifest badger.Manifest
		manifest, _, err = badger.ReplayManifestFile(file, 0, badger.DefaultOptions(dir).WithLogger(nil))
		for id, t := range manifest.Tables {
			ids[id] = t.Compression
		}
		_ = file.Close()
	}
	if err == nil || (errors.Is(err, fs.ErrNotExist) && len(tables) == 0) {
		return ids
	}
	f.damage = append(f.damage, fmt.Errorf("the manifest of %s cannot be read (%s): all tables there are taken", dir, brief(err)))
	clear(ids)
	for _, name := range tables {
		if id, ok := table.ParseFileID(name); ok {
			ids[id] = options.None
		}
	}
	return ids
}

// openFrozenTable opens one table for reading alone.
func openFrozenTable(path string, compression options.CompressionType, sound bool) (t *table.Table, err error) {
	// Badger panics over an index that makes no sense.
	defer func() {
		if recover() != nil {
			err = errors.New("it makes no sense")
		}
	}()
	mapped, err := z.OpenMmapFile(path, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	o := table.Options{ReadOnly: true, ChkMode: options.OnTableAndBlockRead, Compression: compression}
	if sound {
		o.ChkMode = options.NoVerification
	}
	t, err = table.OpenTable(mapped, o)
	if err != nil {
		return nil, errors.Join(err, mapped.Close(-1))
	}
	return t, nil
}

// openMem maps a memtable log and sorts the whole transactions in it.
func (f *frozen) openMem(path string) (*memIterator, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("persistence: read a memtable log: %w", err)
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil || info.Size() == 0 {
		return &memIterator{}, err
	}
	b, err := unix.Mmap(int(file.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("persistence: map %s: %w", path, err)
	}
	f.mapped = append(f.mapped, b)
	m := &memIterator{}
	end := summarizeMem(b, 0).end
	for at := min(memHeaderBytes, len(b)); at < end; {
		e, size := readMemEntry(b[at:end])
		if at += size; e.meta&memBitFinTxn == 0 {
			m.entries = append(m.entries, e)
		}
	}
	slices.SortStableFunc(m.entries, func(a, b memEntry) int { return y.CompareKeys(a.key, b.key) })
	return m, nil
}

// scan visits the newest version of every key with this prefix, in order; what is
// deleted is passed over. The bytes are the files': they live until close.
func (f *frozen) scan(prefix []byte, visit func(key, value []byte) error) error {
	if f.merged == nil {
		return nil
	}
	var before []byte
	for f.merged.Seek(y.KeyWithTs(prefix, maxTimestamp)); f.merged.Valid(); f.merged.Next() {
		key := y.ParseKey(f.merged.Key())
		if !bytes.HasPrefix(key, prefix) {
			break
		}
		if before != nil && bytes.Equal(before, key) {
			continue
		}
		before = append(before[:0], key...)
		v := f.merged.Value()
		if v.Meta&memBitDelete != 0 {
			continue
		}
		if err := visit(before, v.Value); err != nil {
			return err
		}
	}
	return nil
}

func (f *frozen) close() error {
	var errs []error
	// The iterators are left alone: with the last one, a table would go as well.
	for _, t := range f.tables {
		errs = append(errs, t.Close(-1))
	}
	for _, b := range f.mapped {
		errs = append(errs, unix.Munmap(b))
	}
	f.tables, f.mapped, f.merged = nil, nil, nil
	return errors.Join(errs...)
}

// memIterator walks over the keys of a memtable log.
type memIterator struct {
	entries []memEntry
	at      int
}

var _ y.Iterator = (*memIterator)(nil)

func (m *memIterator) Next()        { m.at++ }
func (m *memIterator) Rewind()      { m.at = 0 }
func (m *memIterator) Valid() bool  { return m.at < len(m.entries) }
func (m *memIterator) Key() []byte  { return m.entries[m.at].key }
func (m *memIterator) Close() error { return nil }

func (m *memIterator) Seek(key []byte) {
	m.at, _ = slices.BinarySearchFunc(m.entries, key, func(e memEntry, key []byte) int { return y.CompareKeys(e.key, key) })
}

func (m *memIterator) Value() y.ValueStruct {
	e := &m.entries[m.at]
	return y.ValueStruct{Meta: e.meta, Value: e.value, Version: e.version}
}
