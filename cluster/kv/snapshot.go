package kv

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"google.golang.org/protobuf/proto"

	"castaway/actors"
)

// A snapshot's payload is in files that outlive this version: a version byte, the
// revision and the number of keys as uvarints; for each key, in ascending order, the
// size of its KeyValue as an uvarint and the KeyValue in protobuf; and the state's hash
// (8 bytes, little endian), which the reader must come to, too.
const snapshotVersion byte = 1

// maxSnapshotItem bounds what one key can make a reader take: more than a request holds.
const maxSnapshotItem = 64 << 20

var _ actors.Snapshotter = (*Machine)(nil)

// Snapshot implements actors.Snapshotter. It costs nothing by itself; later writes copy
// the nodes of the map that they touch.
func (m *Machine) Snapshot() (actors.Snapshot, error) {
	return &frozenState{view: m.store.view()}, nil
}

// frozenState is the state as of one revision.
type frozenState struct{ view *View }

// Write implements actors.Snapshot.
func (s *frozenState) Write(w io.Writer) error {
	out := bufio.NewWriter(w)
	head := append([]byte{snapshotVersion}, binary.AppendUvarint(nil, uint64(s.view.revision))...)
	if _, err := out.Write(binary.AppendUvarint(head, uint64(s.view.keys))); err != nil {
		return err
	}
	var buf []byte
	var failed error
	s.view.items.ascend(nil, func(it *item) bool {
		size := proto.Size(&it.kv)
		buf = binary.AppendUvarint(buf[:0], uint64(size))
		if buf, failed = (proto.MarshalOptions{UseCachedSize: true}).MarshalAppend(buf, &it.kv); failed == nil {
			_, failed = out.Write(buf)
		}
		return failed == nil
	})
	if failed == nil {
		failed = s.view.items.err()
	}
	if failed == nil {
		_, failed = out.Write(binary.LittleEndian.AppendUint64(nil, s.view.hash()))
	}
	return errors.Join(failed, out.Flush())
}

// Release implements actors.Snapshot.
func (s *frozenState) Release() { s.view = nil }

// Restore implements actors.Snapshotter. The state stays what it was if the payload is
// not what Write wrote.
func (m *Machine) Restore(r io.Reader) error {
	items := newMapped()
	restored, err := readState(r, func(it *item) error {
		items.tree.Load(asKey(it.kv.Key), it)
		return nil
	})
	if err != nil {
		return err
	}
	m.store = &store{items: items, figures: restored}
	return nil
}

// readState reads a payload and gives every item to load, in the order of the keys,
// before it can know whether the payload is whole.
func readState(r io.Reader, load func(it *item) error) (figures, error) {
	f, err := readItems(bufio.NewReader(r), load)
	if err != nil {
		return figures{}, fmt.Errorf("kv: a snapshot cannot be read: %w", err)
	}
	return f, nil
}

func readItems(in *bufio.Reader, load func(it *item) error) (f figures, err error) {
	version, err := in.ReadByte()
	if err != nil {
		return f, cutOff(err)
	}
	if version != snapshotVersion {
		return f, fmt.Errorf("%w: it is of version %d, and this one reads %d", ErrMalformed, version, snapshotVersion)
	}
	var numbers [2]uint64
	for i := range numbers {
		if numbers[i], err = readNumber(in); err != nil {
			return f, cutOff(err)
		}
	}
	if f.revision = int64(numbers[0]); f.revision < firstRevision {
		return f, fmt.Errorf("%w: its revision is %d", ErrMalformed, f.revision)
	}
	var buf bytes.Buffer
	before := []byte(nil)
	for range numbers[1] {
		it, err := readItem(in, &buf)
		if err != nil {
			return f, err
		}
		if before != nil && bytes.Compare(before, it.kv.Key) >= 0 {
			return f, fmt.Errorf("%w: its keys are not in order", ErrMalformed)
		}
		before = it.kv.Key
		f.add(it)
		if err := load(it); err != nil {
			return f, err
		}
	}
	var hash [8]byte
	if _, err := io.ReadFull(in, hash[:]); err != nil {
		return f, cutOff(err)
	}
	if want := binary.LittleEndian.Uint64(hash[:]); want != f.hash() {
		return f, fmt.Errorf("%w: its state has hash %016x, and it says %016x", ErrMalformed, f.hash(), want)
	}
	return f, nil
}

// readNumber reads a varint that fits 64 bits.
func readNumber(in *bufio.Reader) (uint64, error) {
	ahead, err := in.Peek(binary.MaxVarintLen64) // fewer at the end
	n, size := binary.Uvarint(ahead)
	switch {
	case size < 0, size == 0 && len(ahead) == binary.MaxVarintLen64:
		return 0, fmt.Errorf("%w: a number in it has more than 64 bits", ErrMalformed)
	case size == 0:
		return 0, cutOff(err)
	}
	_, err = in.Discard(size)
	return n, err
}

// readItem reads one key. It takes memory only for what is there.
func readItem(in *bufio.Reader, buf *bytes.Buffer) (*item, error) {
	size, err := readNumber(in)
	if err != nil {
		return nil, cutOff(err)
	}
	if size > maxSnapshotItem {
		return nil, fmt.Errorf("%w: a key in it has %d bytes, and %d are allowed", ErrMalformed, size, maxSnapshotItem)
	}
	buf.Reset()
	if _, err := io.CopyN(buf, in, int64(size)); err != nil {
		return nil, cutOff(err)
	}
	it := &item{}
	if err := proto.Unmarshal(buf.Bytes(), &it.kv); err != nil {
		return nil, fmt.Errorf("%w: a key in it: %w", ErrMalformed, err)
	}
	if len(it.kv.Key) == 0 {
		return nil, fmt.Errorf("%w: a key in it is empty", ErrMalformed)
	}
	it.seal()
	return it, nil
}

func cutOff(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: it is cut off", ErrMalformed)
	}
	return err
}
