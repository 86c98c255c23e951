package persistence

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// lockFile is locked while a process has the directory open, and holds its id.
const lockFile = "lock"

// logDirectory is Badger's part of the data directory.
const logDirectory = "log"

// directoryLock keeps other processes out. The kernel lets go of it when the
// process ends, however it ends. The directory itself is locked, too, so that it
// holds even when someone removes the file.
type directoryLock struct{ directory, file *os.File }

// lockDirectory makes dir if need be, and locks it.
func lockDirectory(dir string) (*directoryLock, error) {
	if err := makeDirectory(dir); err != nil {
		return nil, err
	}
	var l directoryLock
	err := l.take(dir)
	if err == nil {
		err = l.file.Truncate(0)
	}
	if err == nil {
		_, err = l.file.WriteAt(fmt.Appendf(nil, "%d\n", os.Getpid()), 0)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("persistence: lock %s: %w", dir, err), l.release())
	}
	return &l, nil
}

// take takes both locks; what it opened is l's even if it fails.
func (l *directoryLock) take(dir string) (err error) {
	if l.directory, err = os.Open(dir); err != nil {
		return err
	}
	held := unix.Flock(int(l.directory.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if slices.ContainsFunc(noDirectoryLocks, func(err error) bool { return errors.Is(held, err) }) {
		held = nil // the file's lock has to do
	}
	if l.file, err = os.OpenFile(filepath.Join(dir, lockFile), os.O_CREATE|os.O_RDWR, 0o600); err != nil && held == nil {
		return err
	}
	if held == nil {
		held = unix.Flock(int(l.file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	}
	if errors.Is(held, unix.EWOULDBLOCK) {
		return fmt.Errorf("%w by %s: stop it first, or give this server a data directory of its own", ErrLocked, holder(l.file))
	}
	return held
}

// noDirectoryLocks is what file systems say that lock files only, as NFS does.
var noDirectoryLocks = []error{unix.EBADF, unix.EOPNOTSUPP, unix.ENOLCK, unix.ENOSYS}

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
	n, _ := f.ReadAt(b[:], 0) // f is nil if there is none to read
	if pid := strings.TrimSpace(string(b[:n])); pid != "" {
		return "process " + pid
	}
	return "another process"
}

func (l *directoryLock) release() error {
	var errs []error
	for _, f := range []*os.File{l.file, l.directory} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(errs...)
}
