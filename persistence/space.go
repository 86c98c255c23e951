package persistence

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// freeBytes asks the kernel what an unprivileged process may still write. It takes
// about a microsecond, so that nothing is cached.
func freeBytes(dir string) (uint64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, fmt.Errorf("persistence: ask for the free space of %s: %w", dir, err)
	}
	return st.Bavail * uint64(st.Bsize), nil
}

// Space implements Store. A disk that cannot be asked is full.
func (s *Badger) Space() Space {
	free, err := s.free(s.options.Dir)
	if err != nil {
		free = 0
	}
	return Space{Free: free, Reserve: s.options.ReserveBytes}
}

// room says whether size more bytes leave floor bytes free.
func (s *Badger) room(floor, size uint64) error {
	free, err := s.free(s.options.Dir)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNoSpace, err)
	}
	if free < floor || free-floor < size {
		return fmt.Errorf("%w: %s has %d bytes free, and %d must stay free beside the %d to be written: make room there",
			ErrNoSpace, s.options.Dir, free, floor, size)
	}
	return nil
}

// roomToOpen says whether Badger can be opened: it writes out what is in the
// memtable logs at once.
func (s *Badger) roomToOpen(dir string) error {
	files, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("persistence: list the log: %w", err)
	}
	size := uint64(s.options.MemTableBytes)
	for _, f := range files {
		if filepath.Ext(f.Name()) == ".mem" {
			size += uint64(s.options.MemTableBytes)
		}
	}
	return s.room(0, size)
}
