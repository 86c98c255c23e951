package actors

import (
	"testing"
	"time"
)

// BenchmarkReads is a read at the leader of three nodes, one caller after another, in the
// ways that there are.
func BenchmarkReads(b *testing.B) {
	for _, way := range []struct {
		name   string
		leases bool
		o      ReadOptions
	}{
		{"ReadIndex", false, ReadOptions{}},
		{"lease", true, ReadOptions{}},
		{"MaxLag=100ms", false, ReadOptions{Consistency: Serializable, MaxLag: 100 * time.Millisecond}},
		{"Serializable", false, ReadOptions{Consistency: Serializable}},
	} {
		b.Run(way.name, func(b *testing.B) {
			c := newCluster(b, 3, func(_ *HostConfig, g *GroupConfig) { g.LeaseReads = way.leases })
			leader := c.leader()
			c.put(leader, "x")
			b.ReportAllocs()
			for b.Loop() {
				if _, err := leader.group.ReadWith(b.Context(), "x", way.o); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
