package persistence

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
)

// The witness is a second memory of how far the log was durable. It is written
// after each sync, into one of two slots by turns, and not synced itself: after a
// power cut it may be older than the log, but never newer. A log that ends before
// it has lost what was acknowledged.
//
// A slot: magic (8) | nonce (8) | sequence (8) | crc32c of these (4), little
// endian; the slots are a sector apart, so that a torn write harms one of them.
const (
	witnessFile      = "witness"
	witnessMagic     = 0x31574e5941574143 // "CAWYNW1", by and large
	witnessSlotBytes = 28
	witnessSlotStep  = 4096
)

type witness struct {
	file  *os.File
	nonce uint64
	// buffer is the slot that is being written.
	buffer [witnessSlotBytes]byte
}

// createWitness makes the witness of an empty log, durably.
func createWitness(dir string, nonce uint64) error {
	content := make([]byte, 2*witnessSlotStep)
	w := witness{nonce: nonce}
	w.encode(0)
	copy(content, w.buffer[:])
	copy(content[witnessSlotStep:], w.buffer[:])
	return publish(dir, witnessFile, content)
}

// openWitness gives the witness and the highest sequence that it knows to have
// been durable.
func openWitness(dir string, nonce uint64) (*witness, uint64, error) {
	path := filepath.Join(dir, witnessFile)
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil, 0, corrupt("the %s file is gone", path)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("persistence: open the witness: %w", err)
	}
	highest, valid := readWitness(f, nonce)
	if !valid {
		return nil, 0, errors.Join(corrupt("both slots of %s are damaged", path), f.Close())
	}
	return &witness{file: f, nonce: nonce}, highest, nil
}

// readWitness gives the highest sequence in the slots that are valid, if any is.
func readWitness(f io.ReaderAt, nonce uint64) (highest uint64, valid bool) {
	for slot := range 2 {
		var b [witnessSlotBytes]byte
		if _, err := f.ReadAt(b[:], int64(slot*witnessSlotStep)); err != nil {
			continue
		}
		if sequence, ok := decodeWitness(b[:], nonce); ok {
			highest, valid = max(highest, sequence), true
		}
	}
	return highest, valid
}

func (w *witness) encode(sequence uint64) {
	binary.LittleEndian.PutUint64(w.buffer[0:], witnessMagic)
	binary.LittleEndian.PutUint64(w.buffer[8:], w.nonce)
	binary.LittleEndian.PutUint64(w.buffer[16:], sequence)
	binary.LittleEndian.PutUint32(w.buffer[24:], crc32.Checksum(w.buffer[:24], castagnoli))
}

func decodeWitness(b []byte, nonce uint64) (uint64, bool) {
	ok := binary.LittleEndian.Uint64(b) == witnessMagic &&
		binary.LittleEndian.Uint64(b[8:]) == nonce &&
		binary.LittleEndian.Uint32(b[24:]) == crc32.Checksum(b[:24], castagnoli)
	return binary.LittleEndian.Uint64(b[16:]), ok
}

// note writes that everything up to sequence is durable.
func (w *witness) note(sequence uint64) error {
	w.encode(sequence)
	slot := int64(sequence%2) * witnessSlotStep
	if _, err := w.file.WriteAt(w.buffer[:], slot); err != nil {
		return fmt.Errorf("write the witness: %w", err)
	}
	return nil
}

func (w *witness) sync() error  { return w.file.Sync() }
func (w *witness) close() error { return w.file.Close() }

// witnessNonce is the nonce that a witness holds; zero if none of its slots is valid.
func witnessNonce(f io.ReaderAt) uint64 {
	for slot := range 2 {
		var b [witnessSlotBytes]byte
		if _, err := f.ReadAt(b[:], int64(slot*witnessSlotStep)); err != nil {
			continue
		}
		nonce := binary.LittleEndian.Uint64(b[8:])
		if _, ok := decodeWitness(b[:], nonce); ok {
			return nonce
		}
	}
	return 0
}
