package persistence

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"castaway/raft"
)

// OfflineSnapshot is a file among a data directory's snapshots.
type OfflineSnapshot struct {
	Path string
	Info SnapshotInfo // as far as it can be read
	// Unfinished says that it was never published: a crash cut it short, and it is of no
	// use but to go on from.
	Unfinished bool
	// Err is why a published one is not to be used.
	Err error
}

// Snapshots gives the snapshot files of all groups, by group and index. With verify,
// every byte is read; else only what each says of itself.
func (o *Offline) Snapshots(verify bool) ([]OfflineSnapshot, error) {
	paths, err := filepath.Glob(filepath.Join(o.dir, snapshotsDirectory, "*", "*"))
	if err != nil {
		return nil, fmt.Errorf("persistence: list snapshots: %w", err)
	}
	slices.Sort(paths)
	var list []OfflineSnapshot
	for _, path := range paths {
		group, err := strconv.ParseUint(filepath.Base(filepath.Dir(path)), 10, 64)
		if err != nil {
			continue // not ours
		}
		s := OfflineSnapshot{Path: path, Unfinished: !strings.HasSuffix(path, snapshotPublished) && !strings.HasSuffix(path, snapshotDamaged)}
		s.Info.Group = raft.GroupID(group)
		if s.Unfinished {
			if f, err := os.Stat(path); err == nil {
				s.Info.Size = f.Size()
			}
			list = append(list, s)
			continue
		}
		if s.Info, s.Err = describeSnapshot(path, o.identity.cluster); s.Err == nil && verify {
			s.Err = o.verifySnapshot(path, &s.Info)
		}
		if s.Err == nil && strings.HasSuffix(path, snapshotDamaged) {
			s.Err = badSnapshot("its server found it damaged, and set it aside")
		}
		s.Info.Group = raft.GroupID(group)
		list = append(list, s)
	}
	return list, nil
}

func (o *Offline) verifySnapshot(path string, info *SnapshotInfo) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	_, err = verifySnapshot(f, o.identity.cluster, info)
	return err
}

// Newest gives a group's newest snapshot that is whole, all of it read; false if there is
// none.
func (o *Offline) Newest(group raft.GroupID) (OfflineSnapshot, bool, error) {
	list, err := o.Snapshots(false)
	if err != nil {
		return OfflineSnapshot{}, false, err
	}
	for _, s := range slices.Backward(list) {
		if s.Info.Group == group && !s.Unfinished && s.Err == nil && o.verifySnapshot(s.Path, &s.Info) == nil {
			return s, true, nil
		}
	}
	return OfflineSnapshot{}, false, nil
}

// OpenSnapshot gives the payload of a snapshot, after all of the file was verified.
func (o *Offline) OpenSnapshot(s OfflineSnapshot) (io.ReadCloser, error) {
	f, err := os.Open(s.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s is gone", ErrUnavailable, s.Path)
	}
	if err != nil {
		return nil, fmt.Errorf("persistence: read a snapshot: %w", err)
	}
	h, err := verifySnapshot(f, o.identity.cluster, &s.Info)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &snapshotPayload{blocks: snapshotBlocks{in: f, at: h.size}, close: f.Close}, nil
}
