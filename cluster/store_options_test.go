package cluster

import (
	"log/slog"
	"testing"

	"castaway/cluster/config"
	"castaway/messages"
)

// Nodes get a larger limit one after the other. Meanwhile the ones that have the
// smaller one must store what the clients of the others propose, or they would end.
func TestAStoreTakesWhatTheClientsOfAnyNodeMayPropose(t *testing.T) {
	c := config.Default()
	c.DataDir, c.MaxEntryBytes = t.TempDir(), 4<<10
	o := StoreOptions(1, &c, slog.New(slog.DiscardHandler))
	if o.MaxEntryBytes < messages.MaxEntryBytes+messages.MaxFrameOverhead {
		t.Errorf("the store takes entries of %d bytes, another node's clients may propose %d", o.MaxEntryBytes, messages.MaxEntryBytes)
	}
	if err := o.Validate(); err != nil {
		t.Error(err)
	}
}
