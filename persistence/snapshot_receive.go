package persistence

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Receive implements Snapshots. What is there of the file is verified block by block,
// and what follows the last whole one is cut off: a crash may have torn it.
func (s *SnapshotDirectory) Receive(info SnapshotInfo) (SnapshotReceiver, error) {
	path := filepath.Join(s.group(info.Group), fmt.Sprintf("%s-%016x-%d%s", snapshotName(info.Meta.Last), info.Sum, info.Size, snapshotPartial))
	err := s.makeGroup(info.Group)
	if err == nil {
		err = s.clear(info.Group, snapshotPartial, path)
	}
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("persistence: receive a snapshot: %w", err)
	}
	r := &receivedFile{directory: s, info: info, file: f, offset: min(wholeBytes(f), info.Size)}
	if err := f.Truncate(r.offset); err != nil {
		return nil, errors.Join(fmt.Errorf("persistence: receive a snapshot: %w", err), f.Close())
	}
	return r, nil
}

// receivedFile is a snapshot that comes from another node.
type receivedFile struct {
	directory *SnapshotDirectory
	info      SnapshotInfo
	file      *os.File // nil once it has ended
	offset    int64
}

func (r *receivedFile) Offset() int64 { return r.offset }

// Write implements SnapshotReceiver.
func (r *receivedFile) Write(offset int64, p []byte) error {
	if err := checkReceived(offset, r.offset, r.info.Size, len(p)); err != nil {
		return err
	}
	if err := r.directory.room(len(p)); err != nil {
		return err
	}
	n, err := r.file.WriteAt(p, offset)
	r.offset += int64(n)
	if err != nil {
		return writeFailed(err)
	}
	return nil
}

// checkReceived says whether bytes are the next ones.
func checkReceived(offset, next, size int64, count int) error {
	if offset != next || int64(count) > size-offset {
		return fmt.Errorf("%w: %d bytes of a snapshot come for offset %d, but it has %d bytes and those from %d on are next", ErrInvalid, count, offset, size, next)
	}
	return nil
}

// Publish implements SnapshotReceiver.
func (r *receivedFile) Publish() (SnapshotInfo, error) {
	h, err := verifySnapshot(r.file, r.directory.cluster, &r.info)
	if err != nil {
		if errors.Is(err, ErrCorrupt) {
			r.Abort()
		}
		return SnapshotInfo{}, err
	}
	r.info.Meta = h.meta
	f := r.file
	r.file = nil
	if err := r.directory.publish(f, &r.info); err != nil {
		return SnapshotInfo{}, writeFailed(err) // it is received anew
	}
	return r.info, nil
}

// Abort implements SnapshotReceiver. The file is emptied as well, for the case that it
// cannot be removed.
func (r *receivedFile) Abort() {
	if r.file != nil {
		_ = r.file.Truncate(0)
		_ = r.file.Close()
		_ = os.Remove(r.file.Name())
		r.file = nil
	}
}

// Close implements SnapshotReceiver.
func (r *receivedFile) Close() error {
	if r.file == nil {
		return nil
	}
	err := r.file.Close()
	r.file = nil
	return err
}
