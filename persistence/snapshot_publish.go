package persistence

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"castaway/raft"
)

// This file is how a snapshot that is complete becomes one that is there.

// Publish implements SnapshotWriter.
func (w *snapshotFile) Publish() (SnapshotInfo, error) {
	sum, err := w.encoding.finish()
	if err != nil {
		w.Abort()
		return SnapshotInfo{}, writeFailed(err)
	}
	w.info.Size, w.info.Sum = w.encoding.size, sum
	f := w.file
	w.file = nil
	if err := w.directory.publish(f, &w.info); err != nil {
		return SnapshotInfo{}, writeFailed(err)
	}
	return w.info, nil
}

// publish makes a whole file durable under its last name, and closes it. After an error
// it is gone: what a failed sync was to write is gone from the kernel's memory or taken
// for written, so that a second one that succeeds proves nothing (C40). Until its name is
// durable nobody finds it listed, nor if it cannot be removed.
//
// A file that takes the place of another stays, whatever comes of the names: the name was
// durable before, and either file behind it is whole, so that removing it would lose the
// one that was there.
func (s *SnapshotDirectory) publish(f *os.File, info *SnapshotInfo) error {
	defer func() { _ = f.Close() }() // what it could say, the sync has said
	if err := s.syncFile(f); err != nil {
		discard(f, f.Name())
		return err
	}
	s.naming.Lock()
	defer s.naming.Unlock()
	path := s.path(info.Group, info.Meta.Last)
	_, missing := os.Lstat(path)
	replaces := missing == nil && !s.isWithheld(path)
	if !replaces {
		s.withhold(path)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		discard(f, f.Name())
		s.admit(path)
		return err
	}
	if err := s.syncNames(s.group(info.Group)); err != nil {
		if !replaces && discard(f, path) {
			s.admit(path)
		}
		return err
	}
	s.admit(path)
	return nil
}

// discard empties and removes a file, and says whether it is gone.
func discard(f *os.File, name string) bool {
	_ = f.Truncate(0) // for the case that it cannot be removed
	err := os.Remove(name)
	return err == nil || errors.Is(err, fs.ErrNotExist)
}

// withhold keeps a name from being listed, and admit has it listed.
func (s *SnapshotDirectory) withhold(path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.withheld[path] = true
}

func (s *SnapshotDirectory) admit(path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.withheld, path)
}

func (s *SnapshotDirectory) isWithheld(path string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.withheld[path]
}

// makeGroup makes a group's directory, unless it is there. Its name is durable before
// anything is in it.
func (s *SnapshotDirectory) makeGroup(group raft.GroupID) error {
	dir := s.group(group)
	err := os.Mkdir(dir, 0o700)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err == nil {
		if err = s.syncNames(s.dir); err != nil {
			_ = os.Remove(dir) // so that the next one who needs it syncs it again
		}
	}
	if err != nil {
		return fmt.Errorf("persistence: make a directory for snapshots: %w", err)
	}
	return nil
}

// settle makes durable the names that are found at the start: a process that ended
// between a rename and its sync has left some that a power cut could still take, and
// whoever sees them lets go of the log before them.
func (s *SnapshotDirectory) settle() error {
	groups, err := os.ReadDir(s.dir)
	if err != nil {
		return fmt.Errorf("persistence: list the groups that have snapshots: %w", err)
	}
	dirs := []string{filepath.Dir(s.dir), s.dir}
	for _, g := range groups {
		if g.IsDir() {
			dirs = append(dirs, filepath.Join(s.dir, g.Name()))
		}
	}
	for _, dir := range dirs {
		if err := s.syncNames(dir); err != nil {
			return fmt.Errorf("persistence: make the names of snapshots in %s durable: %w", dir, err)
		}
	}
	return nil
}
