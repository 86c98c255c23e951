package persistence

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// lockFile is locked while a process has the directory open, and holds its id.
const lockFile = "lock"

// logDirectory is Badger's part of the data directory.
const logDirectory = "log"

// directoryLock keeps other processes out. The kernel lets go of it when the
// process ends, however it ends.
type directoryLock struct{ file *os.File }

// lockDirectory makes dir if need be, and locks it.
func lockDirectory(dir string) (*directoryLock, error) {
	if err := makeDirectory(dir); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, lockFile)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("persistence: open the lock of the data directory: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		defer func() { _ = f.Close() }()
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("persistence: lock %s: %w", path, err)
		}
		return nil, fmt.Errorf("%w: %s is open in %s: stop it first, or take another directory",
			ErrLocked, dir, holder(f))
	}
	err = f.Truncate(0)
	if err == nil {
		_, err = f.WriteAt(fmt.Appendf(nil, "%d\n", os.Getpid()), 0)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("persistence: write %s: %w", path, err), f.Close())
	}
	return &directoryLock{file: f}, nil
}

// makeDirectory makes dir, unless it is there. Its name must be durable before the
// votes that will be in it.
func makeDirectory(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		err = syncDirectory(filepath.Dir(filepath.Clean(dir)))
	}
	if err != nil {
		return fmt.Errorf("persistence: make the data directory: %w", err)
	}
	return nil
}

// holder says who holds a lock, as far as it is known.
func holder(f *os.File) string {
	var b [32]byte
	n, _ := f.ReadAt(b[:], 0)
	if pid := strings.TrimSpace(string(b[:n])); pid != "" {
		return "process " + pid
	}
	return "another process"
}

func (l *directoryLock) release() error { return l.file.Close() }
