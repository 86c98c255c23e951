package cluster

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"castaway/cluster/config"
)

// ID is the cluster's id: a hash of its name and of its first members, their ids
// and peer addresses. Nodes that were told differently have different ids, and
// refuse each other's messages and data directories.
//
// peers must be sorted by id, as config.Load leaves them. The id is never zero.
func ID(name string, peers []config.Peer) uint64 {
	h := sha256.New()
	fmt.Fprintf(h, "castaway cluster %q\n", name)
	for _, p := range peers {
		fmt.Fprintf(h, "member %d %q\n", p.ID, p.Address)
	}
	if id := binary.BigEndian.Uint64(h.Sum(nil)); id != 0 {
		return id
	}
	return 1
}
