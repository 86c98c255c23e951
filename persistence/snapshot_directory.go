package persistence

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"castaway/raft"
)

// snapshotsDirectory is the snapshots' part of the data directory.
const snapshotsDirectory = "snapshots"

// How the files of a group are named: <index>-<term>, and what they are.
const (
	snapshotPublished = ".snap"
	snapshotWriting   = ".writing"
	snapshotPartial   = ".partial" // behind the sum, so that it is of one file only
	snapshotDamaged   = ".damaged" // was published; see Examine
)

// SnapshotDirectory keeps snapshots in files:
//
//	snapshots/<group>/<index>-<term>.snap
type SnapshotDirectory struct {
	dir     string
	cluster uint64
	floor   uint64
	free    func(string) (uint64, error)
	// syncFile and syncNames make a file's bytes durable, and a directory's names; tests
	// have them fail.
	syncFile  func(*os.File) error
	syncNames func(dir string) error

	// naming is held while a published name gets a file or loses it, so that nobody takes
	// one file for another.
	naming sync.Mutex

	mu       sync.Mutex
	pins     map[string]int  // by path
	withheld map[string]bool // paths of what is there, but not to be listed
}

var _ Snapshots = (*SnapshotDirectory)(nil)

// SnapshotOptions says where and how snapshots are kept.
type SnapshotOptions struct {
	// Dir is the data directory: snapshots are in its part of that name.
	Dir string
	// ClusterID is in every file; those of another cluster are refused.
	ClusterID uint64
	// HardFloorBytes is what a write must leave free on the disk.
	HardFloorBytes uint64
	// FreeBytes says how much is free on the disk that dir is on; nil asks the kernel.
	FreeBytes func(dir string) (uint64, error)
}

// OpenSnapshots opens the snapshots of a data directory, or makes room for some.
func OpenSnapshots(o SnapshotOptions) (*SnapshotDirectory, error) {
	return openSnapshots(o, syncDirectory)
}

func openSnapshots(o SnapshotOptions, syncNames func(dir string) error) (*SnapshotDirectory, error) {
	if o.ClusterID == 0 {
		return nil, errors.New("persistence: SnapshotOptions.ClusterID is 0: every cluster has an id")
	}
	s := &SnapshotDirectory{
		dir: filepath.Join(o.Dir, snapshotsDirectory), cluster: o.ClusterID, floor: o.HardFloorBytes, free: o.FreeBytes,
		syncFile: (*os.File).Sync, syncNames: syncNames,
		pins: map[string]int{}, withheld: map[string]bool{},
	}
	if s.free == nil {
		s.free = freeBytes
	}
	if err := makeDirectory(s.dir); err != nil {
		return nil, unusable(s.dir, err)
	}
	if err := s.settle(); err != nil {
		return nil, unusable(s.dir, err)
	}
	return s, nil
}

func (s *SnapshotDirectory) group(group raft.GroupID) string {
	return filepath.Join(s.dir, strconv.FormatUint(uint64(group), 10))
}

func snapshotName(last raft.Position) string { return fmt.Sprintf("%020d-%d", last.Index, last.Term) }

func (s *SnapshotDirectory) path(group raft.GroupID, last raft.Position) string {
	return filepath.Join(s.group(group), snapshotName(last)+snapshotPublished)
}

// clear removes a group's files with this suffix, but one.
func (s *SnapshotDirectory) clear(group raft.GroupID, suffix, but string) error {
	files, err := filepath.Glob(filepath.Join(s.group(group), "*"+suffix))
	if err != nil {
		return fmt.Errorf("persistence: list snapshots: %w", err)
	}
	for _, path := range files {
		if path == but {
			continue
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("persistence: remove a snapshot of no use: %w", err)
		}
	}
	return nil
}

// Create implements Snapshots.
func (s *SnapshotDirectory) Create(group raft.GroupID, meta raft.SnapshotMeta) (SnapshotWriter, error) {
	err := s.makeGroup(group)
	if err == nil {
		err = s.clear(group, snapshotWriting, "")
	}
	if err != nil {
		return nil, err
	}
	path := filepath.Join(s.group(group), snapshotName(meta.Last)+snapshotWriting)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("persistence: begin a snapshot: %w", err)
	}
	w := &snapshotFile{directory: s, info: SnapshotInfo{Group: group, Meta: meta}, file: f}
	w.encoding, err = newSnapshotEncoding(roomy{s, f}, encodeSnapshotHeader(s.cluster, group, &meta))
	if err != nil {
		w.Abort()
		return nil, writeFailed(err)
	}
	return w, nil
}

// roomy writes while there is room.
type roomy struct {
	directory *SnapshotDirectory
	out       io.Writer
}

func (r roomy) Write(p []byte) (int, error) {
	if err := r.directory.room(len(p)); err != nil {
		return 0, err
	}
	return r.out.Write(p)
}

// room says whether size more bytes leave the floor free.
func (s *SnapshotDirectory) room(size int) error {
	free, err := s.free(s.dir)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNoSpace, err)
	}
	if free < s.floor || free-s.floor < uint64(size) {
		return fmt.Errorf("%w: %s has %d bytes free, and %d must stay free beside the %d of a snapshot that are to be written", ErrNoSpace, s.dir, free, s.floor, size)
	}
	return nil
}

// writeFailed says what went wrong with a snapshot; a full disk is ErrNoSpace.
func writeFailed(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w: write a snapshot: %w", ErrNoSpace, err)
	}
	return fmt.Errorf("persistence: write a snapshot: %w", err)
}

// snapshotFile is a snapshot that is being written.
type snapshotFile struct {
	directory *SnapshotDirectory
	info      SnapshotInfo
	file      *os.File // nil once it has ended
	encoding  *snapshotEncoding
}

func (w *snapshotFile) Write(p []byte) (int, error) {
	n, err := w.encoding.Write(p)
	if err != nil {
		return n, writeFailed(err)
	}
	return n, nil
}

// Abort implements SnapshotWriter.
func (w *snapshotFile) Abort() {
	if w.file != nil {
		_ = w.file.Close()
		_ = os.Remove(w.file.Name())
		w.file = nil
	}
}

// List implements Snapshots. A file that cannot be read, or has another one's name, is
// passed over.
func (s *SnapshotDirectory) List(group raft.GroupID) ([]SnapshotInfo, error) {
	files, err := os.ReadDir(s.group(group))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("persistence: list snapshots: %w", err)
	}
	var list []SnapshotInfo
	for _, f := range files {
		path := filepath.Join(s.group(group), f.Name())
		if !strings.HasSuffix(path, snapshotPublished) || s.isWithheld(path) {
			continue
		}
		info, err := describeSnapshot(path, s.cluster)
		if cannotOpen(err) {
			return nil, fmt.Errorf("persistence: list snapshots: %w", err)
		}
		if err == nil && path == s.path(group, info.Meta.Last) && info.Group == group {
			list = append(list, info)
		}
	}
	slices.SortFunc(list, func(a, b SnapshotInfo) int {
		return cmp.Or(cmp.Compare(a.Meta.Last.Index, b.Meta.Last.Index), cmp.Compare(a.Meta.Last.Term, b.Meta.Last.Term))
	})
	return list, nil
}

// Open implements Snapshots.
func (s *SnapshotDirectory) Open(info SnapshotInfo) (io.ReadCloser, error) {
	f, err := s.open(&info)
	if err != nil {
		return nil, err
	}
	h, err := verifySnapshot(f, s.cluster, &info)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &snapshotPayload{blocks: snapshotBlocks{in: f, at: h.size}, close: f.Close}, nil
}

func (s *SnapshotDirectory) open(info *SnapshotInfo) (*os.File, error) {
	f, err := os.Open(s.path(info.Group, info.Meta.Last))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: the snapshot %s of group %d is gone", ErrUnavailable, info.Meta.Last, info.Group)
	}
	if err != nil {
		return nil, fmt.Errorf("persistence: read a snapshot: %w", err)
	}
	return f, nil
}

// Read implements Snapshots.
func (s *SnapshotDirectory) Read(info SnapshotInfo, offset int64, p []byte) (int, error) {
	f, err := s.open(&info)
	if err != nil {
		return 0, err
	}
	defer func() { _ = f.Close() }()
	n, err := f.ReadAt(p, offset)
	if err != nil && !errors.Is(err, io.EOF) {
		return n, fmt.Errorf("persistence: read a snapshot: %w", err)
	}
	return n, err
}

// Pin implements Snapshots.
func (s *SnapshotDirectory) Pin(info SnapshotInfo) (release func()) {
	path := s.path(info.Group, info.Meta.Last)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pins[path]++
	var once sync.Once
	return func() {
		once.Do(func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.pins[path]--; s.pins[path] == 0 {
				delete(s.pins, path)
			}
		})
	}
}

// Prune implements Snapshots.
func (s *SnapshotDirectory) Prune(group raft.GroupID, keep int) error {
	s.naming.Lock()
	defer s.naming.Unlock()
	list, err := s.List(group)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range list[:max(len(list)-keep, 0)] {
		path := s.path(group, list[i].Meta.Last)
		if s.pins[path] > 0 {
			continue
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("persistence: remove a snapshot: %w", err)
		}
	}
	if len(list) == 0 {
		return nil
	}
	return s.clear(group, snapshotDamaged, "")
}
