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

// whatToDo ends every error about lost data.
const whatToDo = "this server must not take part: repair the disk or restore the whole directory if nothing was lost, " +
	"or else remove the server from the cluster, empty the directory, and add it under a new id"

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
	last, err := verifyTables(dir, len(tables)+len(logs) > 0)
	if err != nil {
		return 0, err
	}
	var beyond uint64
	for _, id := range logs {
		s, err := readMem(filepath.Join(dir, memName(id)), nonce)
		if err != nil {
			return 0, err
		}
		beyond = max(beyond, s.beyond)
		if s.first == 0 {
			continue
		}
		if s.gap || s.first > last+1 {
			return 0, fmt.Errorf("%w: commits are missing before or in %s, which holds %d to %d, after %d: %s",
				ErrCorrupt, filepath.Join(dir, memName(id)), s.first, s.last, last, whatToDo)
		}
		last = max(last, s.last)
	}
	if last < witnessed {
		return 0, fmt.Errorf("%w: %s ends with commit %d, but commit %d was durable: %s",
			ErrCorrupt, dir, last, witnessed, whatToDo)
	}
	if beyond > last+1 {
		return 0, fmt.Errorf("%w: %s can be read up to commit %d, but holds records of commit %d behind it: %s",
			ErrCorrupt, dir, last, beyond, whatToDo)
	}
	return last, makeDurable(dir, logs)
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
		return 0, fmt.Errorf("%w: %s is gone, but there is data: %s", ErrCorrupt, path, whatToDo)
	}
	if err != nil {
		return 0, fmt.Errorf("persistence: open the manifest: %w", err)
	}
	defer func() { _ = f.Close() }()
	manifest, _, err := badger.ReplayManifestFile(f, 0, badger.DefaultOptions(dir).WithLogger(nil))
	if err != nil {
		return 0, fmt.Errorf("%w: %s is damaged (%w): %s", ErrCorrupt, path, err, whatToDo)
	}
	if err := f.Sync(); err != nil {
		return 0, fmt.Errorf("persistence: sync the manifest: %w", err)
	}
	var last uint64
	for id := range manifest.Tables {
		version, err := verifyTable(table.NewFilename(id, dir))
		if err != nil {
			return 0, fmt.Errorf("%w: table %s: %w: %s", ErrCorrupt, table.NewFilename(id, dir), err, whatToDo)
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
		if r := recover(); r != nil {
			err = fmt.Errorf("it cannot be read: %.200v", r)
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
