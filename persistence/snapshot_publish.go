package persistence

import (
	"os"
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
	err = w.directory.publish(w.file, &w.info)
	if err != nil {
		w.Abort()
		return SnapshotInfo{}, writeFailed(err)
	}
	w.file = nil
	return w.info, nil
}

// publish makes a whole file durable under its last name. After an error whoever called
// removes the file: what a failed sync was to write is gone from the kernel's memory or
// taken for written, so that a second one that succeeds proves nothing (C40).
func (s *SnapshotDirectory) publish(f *os.File, info *SnapshotInfo) error {
	err := s.syncFile(f)
	if err == nil {
		err = os.Rename(f.Name(), s.path(info.Group, info.Meta.Last))
	}
	if err == nil {
		err = s.syncNames(s.group(info.Group))
	}
	if err == nil {
		err = f.Close()
	}
	return err
}
