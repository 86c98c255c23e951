package cluster

import (
	"fmt"
	"os"
	"path/filepath"

	"castaway/actors"
	"castaway/cluster/kv"
	"castaway/persistence"
)

// machineDirectory is the part of the data directory that a machine on disk has. It can
// be made again from the log and its snapshots.
const machineDirectory = "machine"

// machineSlack is what must be free for a machine on disk beyond the store's floor: what
// it writes on its own account, flushes and compactions.
const machineSlack = 8 * kv.DefaultMemTableBytes

// machine gives what makes the group's machine, as the configuration says.
func (n *Node) machine() (func() actors.StateMachine, error) {
	dir := filepath.Join(n.cfg.DataDir, machineDirectory)
	if n.cfg.Machine == "disk" {
		o := kv.DiskOptions{Dir: dir, Room: n.machineRoom, Logger: n.log}
		return func() actors.StateMachine { return kv.NewDisk(o) }, nil
	}
	// One from before would miss what happens now, and the log that it needs will go.
	if err := os.RemoveAll(dir); err != nil {
		return nil, fmt.Errorf("cluster: remove the machine that was on disk before: %w", err)
	}
	return func() actors.StateMachine { return kv.New() }, nil
}

// machineRoom says whether the machine may write so much.
func (n *Node) machineRoom(bytes uint64) error {
	free, floor := n.store.Space().Free, uint64(n.cfg.DiskFloorBytes)+machineSlack
	if free < floor || free-floor < bytes {
		return fmt.Errorf("%w: %s has %d bytes free, and %d must stay free beside the %d to be written: make room there",
			persistence.ErrNoSpace, n.cfg.DataDir, free, floor, bytes)
	}
	return nil
}
