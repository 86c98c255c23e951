package persistence

import (
	"encoding/binary"
	"fmt"

	"castaway/raft"
)

// flagEncoded says that a start record's body is the configuration as the core encodes
// it; else it is three lists of servers, which is all there is to say of most.
const flagEncoded = 2

// encodeStart appends a start record to buffer: where the log begins, and which
// records are dropped. h's sequence, group, hard state, chain and base are set by
// the caller.
func encodeStart(buffer []byte, h *recordHeader, meta raft.SnapshotMeta) []byte {
	start := len(buffer)
	h.kind, h.count, h.flags = recordStart, 0, 0
	h.previous, h.first = meta.Last.Term, meta.Last.Index
	buffer = append(buffer, make([]byte, recordHeaderBytes)...)
	if c := &meta.Configuration; len(c.Promoting) > 0 || len(c.Members) > 0 || c.LastID != raft.None {
		h.flags = flagEncoded
		buffer = append(buffer, c.Encode()...)
		h.seal(buffer[start:])
		return buffer
	}
	for _, servers := range [][]raft.NodeID{
		meta.Configuration.Voters, meta.Configuration.OldVoters, meta.Configuration.Learners,
	} {
		buffer = binary.AppendUvarint(buffer, uint64(len(servers)))
		for _, id := range servers {
			buffer = binary.AppendUvarint(buffer, uint64(id))
		}
	}
	h.seal(buffer[start:])
	return buffer
}

// decodeStart reads a start record's snapshot from its header and body.
func decodeStart(h *recordHeader, body []byte) (raft.SnapshotMeta, error) {
	meta := raft.SnapshotMeta{Last: raft.Position{Term: h.previous, Index: h.first}}
	var err error
	if h.flags&flagEncoded != 0 {
		if meta.Configuration, err = raft.DecodeConfiguration(body); err != nil {
			return raft.SnapshotMeta{}, fmt.Errorf("%w: %w", errRecord, err)
		}
		return meta, nil
	}
	for _, servers := range []*[]raft.NodeID{
		&meta.Configuration.Voters, &meta.Configuration.OldVoters, &meta.Configuration.Learners,
	} {
		if *servers, body, err = decodeServers(body); err != nil {
			return raft.SnapshotMeta{}, err
		}
	}
	if len(body) != 0 {
		return raft.SnapshotMeta{}, fmt.Errorf("%w: %d bytes too many behind the configuration", errRecord, len(body))
	}
	return meta, nil
}

// decodeServers reads one list; it allocates no more than the bytes warrant.
func decodeServers(body []byte) ([]raft.NodeID, []byte, error) {
	count, n := binary.Uvarint(body)
	if n <= 0 || count > uint64(len(body)-n) {
		return nil, nil, fmt.Errorf("%w: a list of %d servers does not fit into %d bytes", errRecord, count, len(body))
	}
	body = body[n:]
	if count == 0 {
		return nil, body, nil
	}
	servers := make([]raft.NodeID, count)
	for i := range servers {
		id, n := binary.Uvarint(body)
		if n <= 0 {
			return nil, nil, fmt.Errorf("%w: the list of servers is cut off", errRecord)
		}
		servers[i], body = raft.NodeID(id), body[n:]
	}
	return servers, body, nil
}
