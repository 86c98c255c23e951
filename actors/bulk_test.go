package actors

import (
	"testing"
	"time"
)

// The chunks of a snapshot go over the second network, where there is one; a host with
// both stops in order, while and after it sends and receives.
func TestSnapshotsGoOverTheSecondNetwork(t *testing.T) {
	for seed := range uint64(20) {
		bulk := NewLocalNetwork(1, 2, 3)
		v := newVoyage(t, seed, func(hc *HostConfig, _ *GroupConfig) {
			hc.Bulk, hc.BulkContext = bulk.Node(hc.ID), []byte("there")
			hc.Transfer.BytesPerSecond = 4 << 20
		})
		v.order(1, 9)
		v.pass(time.Duration(v.random.IntN(3000)) * time.Millisecond)
		if v.sent != 0 {
			t.Fatalf("seed %d: %d bytes went over the first network", seed, v.sent)
		}
		if seed%2 == 0 {
			v.reported(1)
			v.want(v.info)
		}
	}
}
