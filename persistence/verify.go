package persistence

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
	"github.com/dgraph-io/badger/v4/table"
	"github.com/dgraph-io/ristretto/v2/z"
	"golang.org/x/sys/unix"
)

// verify reads everything in Badger's directory before Badger opens it, and gives
// the sequence of the last commit that Badger will find. It exists because Badger
// repairs what it finds by cutting off and deleting: what it cannot read is gone
// without an error, and so is the evidence.
//
// The rules, for a directory that lost nothing:
//   - every table that the manifest names is there, and all its checksums fit;
//   - the commits in the memtable logs follow those in the tables, without a gap;
//   - no record of ours lies behind the end of the last whole commit, unless it
//     belongs to the one commit after it, which was cut off before it was durable;
//   - the last commit is not before what the witness saw durable.
//
// Nothing is changed; what was read is durable afterwards.
func verify(dir string, nonce, witnessed uint64) (uint64, error) {
	logs, tables, err := listLog(dir)
	if err != nil {
		return 0, err
	}
	last, err := examine(dir, logs, tables, nonce, witnessed)
	if err != nil {
		return 0, err
	}
	return last, makeDurable(dir, logs)
}

// examine is the part of verify that only reads.
func examine(dir string, logs []int, tables []string, nonce, witnessed uint64) (uint64, error) {
	last, err := verifyTables(dir, len(tables)+len(logs) > 0)
	if err != nil {
		return 0, err
	}
	var beyond uint64
	for _, id := range logs {
		path := filepath.Join(dir, memName(id))
		s, err := readMem(path, nonce)
		if err != nil {
			return 0, err
		}
		if s.keyed {
			return 0, corrupt("the header of %s is damaged: it asks for a key, but nothing is encrypted", path)
		}
		beyond = max(beyond, s.beyond)
		if s.first == 0 {
			continue
		}
		if s.gap || s.first > last+1 {
			return 0, corrupt("commits are missing before or in %s, which holds %d to %d, after %d", path, s.first, s.last, last)
		}
		last = max(last, s.last)
	}
	if last < witnessed {
		return 0, corrupt("%s ends with commit %d, but commit %d was durable", dir, last, witnessed)
	}
	if beyond > last+1 {
		return 0, corrupt("%s can be read up to commit %d, but holds records of commit %d behind it", dir, last, beyond)
	}
	return last, nil
}

func memName(id int) string { return fmt.Sprintf("%05d.mem", id) }

// listLog gives the ids of the memtable logs, sorted, and the names of the tables.
func listLog(dir string) (logs []int, tables []string, err error) {
	files, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("persistence: list the log: %w", err)
	}
	for _, f := range files {
		name, isMem := strings.CutSuffix(f.Name(), ".mem")
		if id, err := strconv.Atoi(name); isMem && err == nil {
			logs = append(logs, id)
		} else if strings.HasSuffix(f.Name(), ".sst") {
			tables = append(tables, f.Name())
		}
	}
	slices.Sort(logs)
	return logs, tables, nil
}

// verifyTables checks all tables, and gives the last commit that is in them.
func verifyTables(dir string, expected bool) (uint64, error) {
	path := filepath.Join(dir, badger.ManifestFilename)
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) && !expected {
		return 0, nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		return 0, corrupt("%s is gone, but there is data", path)
	}
	if err != nil {
		return 0, fmt.Errorf("persistence: open the manifest: %w", err)
	}
	defer func() { _ = f.Close() }()
	manifest, _, err := badger.ReplayManifestFile(f, 0, badger.DefaultOptions(dir).WithLogger(nil))
	if err != nil {
		return 0, corrupt("%s is damaged (%s)", path, brief(err))
	}
	if err := f.Sync(); err != nil {
		return 0, fmt.Errorf("persistence: sync the manifest: %w", err)
	}
	var last uint64
	for id := range manifest.Tables {
		path := table.NewFilename(id, dir)
		version, err := verifyTable(path)
		if cannotOpen(err) {
			return 0, fmt.Errorf("persistence: open a table: %w", err)
		}
		if err != nil {
			return 0, corrupt("table %s cannot be read: %s", path, brief(err))
		}
		last = max(last, version)
	}
	return last, nil
}

// verifyTable checks the index and every block of a table, and gives its highest
// version.
func verifyTable(path string) (version uint64, err error) {
	// Badger panics over an index that makes no sense.
	defer func() {
		if recover() != nil {
			err = errors.New("it makes no sense")
		}
	}()
	mapped, err := z.OpenMmapFile(path, os.O_RDONLY, 0)
	if err != nil {
		return 0, err
	}
	t, err := table.OpenTable(mapped, table.Options{
		ReadOnly: true,
		ChkMode:  options.OnTableAndBlockRead,
	})
	if err != nil {
		return 0, err
	}
	return t.MaxVersion(), t.Close(-1)
}

// readMem summarizes one memtable log.
func readMem(path string, nonce uint64) (memSummary, error) {
	f, err := os.Open(path)
	if err != nil {
		return memSummary{}, fmt.Errorf("persistence: read a memtable log: %w", err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return memSummary{}, err
	}
	b, err := unix.Mmap(int(f.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return memSummary{}, fmt.Errorf("persistence: map %s: %w", path, err)
	}
	s := summarizeMem(b, nonce)
	return s, unix.Munmap(b)
}

// makeDurable syncs what a killed process may have left in memory only: from here
// on it counts as durable.
func makeDurable(dir string, logs []int) error {
	if len(logs) == 0 {
		return nil
	}
	for _, id := range logs {
		f, err := os.OpenFile(filepath.Join(dir, memName(id)), os.O_RDWR, 0)
		if err == nil {
			err = errors.Join(f.Sync(), f.Close())
		}
		if err != nil {
			return fmt.Errorf("persistence: sync a memtable log: %w", err)
		}
	}
	if err := syncDirectory(dir); err != nil {
		return fmt.Errorf("persistence: sync the log's directory: %w", err)
	}
	return nil
}

// clearEmpty removes files that a power cut left without a byte, over which Badger
// would stumble at every start. There is nothing in them.
func clearEmpty(dir string) error {
	files, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("persistence: list the log: %w", err)
	}
	for _, f := range files {
		info, err := f.Info()
		if err != nil || !strings.HasSuffix(f.Name(), ".mem") || info.Size() > 0 {
			continue
		}
		if err := os.Remove(filepath.Join(dir, f.Name())); err != nil {
			return fmt.Errorf("persistence: remove an empty memtable log: %w", err)
		}
	}
	return nil
}
