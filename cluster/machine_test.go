package cluster_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"castaway/cluster"
	"castaway/cluster/client"
)

// TestC11_MachinesOnDiskAndInMemoryAgree: nodes that keep their machine differently are
// one cluster, whatever is overwritten and however often one of them is started anew,
// or told to keep it otherwise.
func TestC11_MachinesOnDiskAndInMemoryAgree(t *testing.T) {
	configs := plan(t, 3)
	var nodes []*cluster.Node
	for i := range configs {
		configs[i].SnapshotEntries, configs[i].TrailingEntries = 20, 5
		if i < 2 {
			configs[i].Machine = "disk"
		}
		nodes = append(nodes, start(t, configs[i]))
	}
	for round, other := range []string{"disk", "memory", "disk"} {
		c := connect(t, nodes[1], nodes[2])
		stop(t, nodes[0])
		for i := range 40 {
			key := fmt.Sprint("key/", i%9)
			if _, err := c.Put(t.Context(), key, []byte(fmt.Sprint(round, i)), client.RetryIndeterminate()); err != nil {
				t.Fatal(err)
			}
		}
		configs[0].Machine = other
		nodes[0] = start(t, configs[0])
		await(t, "the three to agree on the state", func() bool { return agree(t, nodes) })
		wantValue(t, connect(t, nodes[0]), "key/0", fmt.Sprint(round, 36))
		_, err := os.Stat(filepath.Join(configs[0].DataDir, "machine"))
		if (err == nil) != (other == "disk") {
			t.Errorf("round %d: the machine is kept in %s: %v", round, other, err)
		}
	}
}
