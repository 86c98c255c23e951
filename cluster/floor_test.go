package cluster

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"castaway/cluster/config"
)

// The least floor that a node can be told is the least that its store takes: what
// is too little is found before the start, by the name of its key.
func TestTheLeastFloorIsTheStores(t *testing.T) {
	c := config.Default()
	c.DataDir = t.TempDir()
	o := StoreOptions(1, &c, slog.New(slog.DiscardHandler))
	c.DiskFloorBytes = config.Bytes(o.LeastHardFloorBytes())
	o = StoreOptions(1, &c, slog.New(slog.DiscardHandler))
	if err := errors.Join(c.Validate(), o.Validate()); err != nil {
		t.Errorf("the least floor, %v: %v", c.DiskFloorBytes, err)
	}
	c.DiskFloorBytes--
	if err := c.Validate(); !errors.Is(err, config.ErrInvalid) || !strings.Contains(err.Error(), "disk-floor-bytes") || ExitCode(err) != ExitUsage {
		t.Errorf("a byte less: %v, exit code %d", err, ExitCode(err))
	}
}
