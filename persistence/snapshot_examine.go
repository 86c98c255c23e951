package persistence

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// This file is how a published snapshot is judged: by its beginning and end whenever it is
// listed, and by all of its bytes when someone doubts them.

// describeSnapshot reads a file's beginning and end.
func describeSnapshot(path string, cluster uint64) (SnapshotInfo, error) {
	f, err := os.Open(path)
	if err != nil {
		return SnapshotInfo{}, err
	}
	defer func() { _ = f.Close() }()
	size, err := f.Stat()
	if err != nil {
		return SnapshotInfo{}, err
	}
	return describeFile(f, size.Size(), cluster)
}

func describeFile(in io.ReaderAt, size int64, cluster uint64) (SnapshotInfo, error) {
	h, err := readSnapshotHeader(in)
	if err != nil {
		return SnapshotInfo{}, err
	}
	if h.cluster != cluster {
		return SnapshotInfo{}, badSnapshot("it is of cluster %016x", h.cluster)
	}
	sum, err := snapshotEnd(in, &h, size)
	return SnapshotInfo{Group: h.group, Meta: h.meta, Size: size, Sum: sum}, err
}

// snapshotEnd reads what a file of this size ends with, and gives its sum.
func snapshotEnd(in io.ReaderAt, h *snapshotHeader, size int64) (uint64, error) {
	if size < h.size+snapshotEndBytes {
		return 0, badSnapshot("it has %d bytes, which is its header and no end", size)
	}
	var mark [snapshotBlockHeader]byte
	blocks := snapshotBlocks{in: in, at: size - snapshotEndBytes}
	if _, err := in.ReadAt(mark[:], blocks.at); err != nil {
		return 0, shortSnapshot("end", err)
	}
	if binary.LittleEndian.Uint32(mark[:]) != 0 {
		return 0, badSnapshot("it does not end as a snapshot does")
	}
	if err := blocks.end(binary.LittleEndian.Uint32(mark[4:])); err != nil {
		return 0, err
	}
	return blocks.sum, nil
}

// examineFile reads all of a file, which must be the one that info names: another one that has
// taken its place is not damaged.
func examineFile(in io.ReaderAt, size int64, cluster uint64, info *SnapshotInfo) error {
	found, err := describeFile(in, size, cluster)
	if err != nil {
		return err
	}
	if !found.Same(info) {
		return fmt.Errorf("%w: another file has taken the place of the snapshot %s of group %d", ErrUnavailable, info.Meta.Last, info.Group)
	}
	_, err = verifySnapshot(in, cluster, info)
	return err
}

// Examine implements Snapshots.
func (s *SnapshotDirectory) Examine(info SnapshotInfo) error {
	f, err := s.open(&info)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	size, err := f.Stat()
	if err != nil {
		return fmt.Errorf("persistence: examine a snapshot: %w", err)
	}
	err = examineFile(f, size.Size(), s.cluster, &info)
	if errors.Is(err, ErrCorrupt) {
		s.setAside(f, &info)
	}
	return err
}

// setAside has a damaged file listed no more: by a name of its own, for whoever wants to
// look at it, and where the disk refuses that, by keeping it in mind. While it was read,
// another may have taken its place, which stays.
func (s *SnapshotDirectory) setAside(damaged *os.File, info *SnapshotInfo) {
	s.naming.Lock()
	defer s.naming.Unlock()
	path := s.path(info.Group, info.Meta.Last)
	here, err := damaged.Stat()
	if err != nil {
		return
	}
	there, err := os.Lstat(path)
	if err != nil || !os.SameFile(here, there) {
		return
	}
	s.withhold(path)
	err = os.Rename(path, strings.TrimSuffix(path, snapshotPublished)+snapshotDamaged)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		s.admit(path)
	}
}

// Examine implements Snapshots.
func (m *MemorySnapshots) Examine(info SnapshotInfo) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.find(&info)
	if s == nil || !s.info.Same(&info) {
		return fmt.Errorf("%w: the snapshot %s of group %d is gone", ErrUnavailable, info.Meta.Last, info.Group)
	}
	_, err := verifySnapshot(bytes.NewReader(s.bytes), m.cluster, &info)
	if errors.Is(err, ErrCorrupt) {
		m.published = slices.DeleteFunc(m.published, func(o *memorySnapshot) bool { return o == s })
	}
	return err
}
