package raft_test

import (
	"errors"
	"testing"

	"castaway/raft"
)

// Clients propose commands and what their sessions do; all else is the core's own.
func TestPropose_TakesOnlyWhatIsForClients(t *testing.T) {
	forClients := map[raft.EntryKind]bool{0: true, raft.EntryCommand: true, raft.EntrySession: true}
	c := newCluster(t, 1)
	c.elect(1)
	for kind := range raft.EntrySession + 2 {
		c.input(1, func(core *raft.Core) raft.Effects {
			before := core.LastIndex()
			_, e, err := core.Propose([]raft.Proposal{{Data: []byte("x")}, {Kind: kind}})
			appended := core.LastIndex() - before
			switch {
			case forClients[kind] && (err != nil || appended != 2):
				t.Errorf("proposals, one of kind %d: %d entries, %v", kind, appended, err)
			case !forClients[kind] && (!errors.Is(err, raft.ErrEntryKind) || appended != 0):
				t.Errorf("proposals, one of kind %d: %d entries, %v", kind, appended, err)
			}
			return e
		})
	}
}
