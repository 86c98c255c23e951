package actors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"castaway/raft"
)

// This file is how the filter of sessions gets into what outlives the machine: as the
// first section of a snapshot, and as pairs beside an on-disk machine's data.

// writeSessions writes a snapshot's first section, of what raft.Sessions.Encode gave
// when the machine's snapshot was taken: its length as an uvarint, and itself. What the
// machine writes follows.
func writeSessions(w io.Writer, encoded []byte) error {
	if _, err := w.Write(binary.AppendUvarint(nil, uint64(len(encoded)))); err != nil {
		return err
	}
	_, err := w.Write(encoded)
	return err
}

// readSessions reads that section, and not a byte more. It takes memory only for what
// is there, whatever the length says.
func readSessions(r io.Reader) (*raft.Sessions, error) {
	n, err := binary.ReadUvarint(oneByte{r})
	if err != nil {
		return nil, fmt.Errorf("actors: the length of a snapshot's sessions can't be read: %w", noEnd(err))
	}
	var encoded bytes.Buffer
	if n > 1<<62 {
		return nil, fmt.Errorf("actors: a snapshot says that it has sessions of %d bytes", n)
	}
	if _, err := io.CopyN(&encoded, r, int64(n)); err != nil {
		return nil, fmt.Errorf("actors: a snapshot's sessions, %d bytes, end after %d: %w", n, encoded.Len(), noEnd(err))
	}
	return raft.DecodeSessions(encoded.Bytes())
}

// oneByte reads single bytes without taking more.
type oneByte struct{ io.Reader }

// ReadByte implements io.ByteReader.
func (r oneByte) ReadByte() (byte, error) {
	var b [1]byte
	_, err := io.ReadFull(r, b[:])
	return b[0], err
}

// noEnd makes an end that comes too early the error that it is.
func noEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// sidePairs are a filter's pairs as an on-disk machine takes them.
func sidePairs(pairs []raft.SessionPair) []Pair {
	side := make([]Pair, len(pairs))
	for i, p := range pairs {
		side[i] = Pair(p)
	}
	return side
}

// sessionsOf makes a filter of what an on-disk machine kept.
func sessionsOf(side []Pair) (*raft.Sessions, error) {
	pairs := make([]raft.SessionPair, len(side))
	for i, p := range side {
		pairs[i] = raft.SessionPair(p)
	}
	return raft.DecodeSessionPairs(pairs)
}
