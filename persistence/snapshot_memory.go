package persistence

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"castaway/raft"
)

// MemorySnapshots keeps snapshots in memory, for simulations and tests. It knows no
// limit of space.
type MemorySnapshots struct {
	cluster uint64

	mu        sync.Mutex
	published []*memorySnapshot // sorted by group and position
	partial   map[raft.GroupID]*memorySnapshot
}

// memorySnapshot is one file. Once it is published, its bytes are never changed.
type memorySnapshot struct {
	info  SnapshotInfo
	bytes []byte
	pins  int
}

var _ Snapshots = (*MemorySnapshots)(nil)

// NewMemorySnapshots makes an empty one.
func NewMemorySnapshots(cluster uint64) *MemorySnapshots {
	return &MemorySnapshots{cluster: cluster, partial: map[raft.GroupID]*memorySnapshot{}}
}

// Crash loses what a power cut may take: all that is not published.
func (m *MemorySnapshots) Crash() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.partial)
}

// Damage flips one bit of a published file, for tests.
func (m *MemorySnapshots) Damage(info SnapshotInfo, bit int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s := m.find(&info); s != nil {
		s.bytes = slices.Clone(s.bytes)
		s.bytes[bit/8] ^= 1 << (bit % 8)
	}
}

// Truncate cuts a published file short, for tests.
func (m *MemorySnapshots) Truncate(info SnapshotInfo, size int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s := m.find(&info); s != nil {
		s.bytes = slices.Clone(s.bytes[:size])
	}
}

func (m *MemorySnapshots) find(info *SnapshotInfo) *memorySnapshot {
	for _, s := range m.published {
		if s.info.Group == info.Group && s.info.Meta.Last == info.Meta.Last {
			return s
		}
	}
	return nil
}

// add publishes a file, in place of one with the same name.
func (m *MemorySnapshots) add(s *memorySnapshot) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.published = slices.DeleteFunc(m.published, func(o *memorySnapshot) bool {
		return o.info.Group == s.info.Group && o.info.Meta.Last == s.info.Meta.Last
	})
	m.published = append(m.published, s)
	slices.SortFunc(m.published, func(a, b *memorySnapshot) int {
		return cmp.Or(cmp.Compare(a.info.Group, b.info.Group),
			cmp.Compare(a.info.Meta.Last.Index, b.info.Meta.Last.Index), cmp.Compare(a.info.Meta.Last.Term, b.info.Meta.Last.Term))
	})
}

// memoryWriter is a snapshot that is being written.
type memoryWriter struct {
	store    *MemorySnapshots
	info     SnapshotInfo
	buffer   bytes.Buffer
	encoding *snapshotEncoding
	ended    bool
}

// Create implements Snapshots.
func (m *MemorySnapshots) Create(group raft.GroupID, meta raft.SnapshotMeta) (SnapshotWriter, error) {
	w := &memoryWriter{store: m, info: SnapshotInfo{Group: group, Meta: meta}}
	var err error
	w.encoding, err = newSnapshotEncoding(&w.buffer, encodeSnapshotHeader(m.cluster, group, &meta))
	return w, err
}

func (w *memoryWriter) Write(p []byte) (int, error) { return w.encoding.Write(p) }
func (w *memoryWriter) Abort()                      { w.ended = true }

// Publish implements SnapshotWriter.
func (w *memoryWriter) Publish() (SnapshotInfo, error) {
	if w.ended {
		return SnapshotInfo{}, fmt.Errorf("%w: the snapshot was aborted", ErrInvalid)
	}
	sum, err := w.encoding.finish()
	if err != nil {
		return SnapshotInfo{}, err
	}
	w.ended = true
	w.info.Size, w.info.Sum = w.encoding.size, sum
	w.store.add(&memorySnapshot{info: w.info, bytes: w.buffer.Bytes()})
	return w.info, nil
}

// List implements Snapshots.
func (m *MemorySnapshots) List(group raft.GroupID) ([]SnapshotInfo, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []SnapshotInfo
	for _, s := range m.published {
		if s.info.Group != group {
			continue
		}
		if _, err := describeFile(bytes.NewReader(s.bytes), int64(len(s.bytes)), m.cluster); err == nil {
			list = append(list, s.info)
		}
	}
	return list, nil
}

// file gives the bytes of a published file.
func (m *MemorySnapshots) file(info *SnapshotInfo) (io.ReaderAt, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s := m.find(info); s != nil {
		return bytes.NewReader(s.bytes), nil
	}
	return nil, fmt.Errorf("%w: the snapshot %s of group %d is gone", ErrUnavailable, info.Meta.Last, info.Group)
}

// Open implements Snapshots.
func (m *MemorySnapshots) Open(info SnapshotInfo) (io.ReadCloser, error) {
	in, err := m.file(&info)
	if err != nil {
		return nil, err
	}
	h, err := verifySnapshot(in, m.cluster, &info)
	if err != nil {
		return nil, err
	}
	return &snapshotPayload{blocks: snapshotBlocks{in: in, at: h.size}, close: func() error { return nil }}, nil
}

// Read implements Snapshots.
func (m *MemorySnapshots) Read(info SnapshotInfo, offset int64, p []byte) (int, error) {
	in, err := m.file(&info)
	if err != nil {
		return 0, err
	}
	return in.ReadAt(p, offset)
}

// Pin implements Snapshots.
func (m *MemorySnapshots) Pin(info SnapshotInfo) (release func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.find(&info)
	if s == nil {
		return func() {}
	}
	s.pins++
	return sync.OnceFunc(func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		s.pins--
	})
}

// Prune implements Snapshots.
func (m *MemorySnapshots) Prune(group raft.GroupID, keep int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	count := 0
	for _, s := range m.published {
		if s.info.Group == group {
			count++
		}
	}
	m.published = slices.DeleteFunc(m.published, func(s *memorySnapshot) bool {
		if s.info.Group != group {
			return false
		}
		count--
		return count >= keep && s.pins == 0
	})
	return nil
}

// memoryReceiver is a snapshot that comes from another node.
type memoryReceiver struct {
	store *MemorySnapshots
	s     *memorySnapshot
}

// Receive implements Snapshots.
func (m *MemorySnapshots) Receive(info SnapshotInfo) (SnapshotReceiver, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.partial[info.Group]
	if s == nil || !s.info.Same(&info) {
		s = &memorySnapshot{info: info}
		m.partial[info.Group] = s
	}
	s.bytes = s.bytes[:min(wholeBytes(bytes.NewReader(s.bytes)), info.Size)]
	return &memoryReceiver{m, s}, nil
}

func (r *memoryReceiver) Offset() int64 { return int64(len(r.s.bytes)) }
func (r *memoryReceiver) Close() error  { return nil }

// Write implements SnapshotReceiver.
func (r *memoryReceiver) Write(offset int64, p []byte) error {
	if err := checkReceived(offset, r.Offset(), r.s.info.Size, len(p)); err != nil {
		return err
	}
	r.s.bytes = append(r.s.bytes, p...)
	return nil
}

// Publish implements SnapshotReceiver.
func (r *memoryReceiver) Publish() (SnapshotInfo, error) {
	h, err := verifySnapshot(bytes.NewReader(r.s.bytes), r.store.cluster, &r.s.info)
	if err != nil {
		if errors.Is(err, ErrCorrupt) {
			r.Abort()
		}
		return SnapshotInfo{}, err
	}
	r.Abort()
	info := r.s.info
	info.Meta = h.meta
	r.store.add(&memorySnapshot{info: info, bytes: r.s.bytes})
	return info, nil
}

// Abort implements SnapshotReceiver.
func (r *memoryReceiver) Abort() {
	r.store.mu.Lock()
	defer r.store.mu.Unlock()
	if r.store.partial[r.s.info.Group] == r.s {
		delete(r.store.partial, r.s.info.Group)
	}
}
