package inspect

import (
	"errors"
	"fmt"

	"castaway/cluster/kv"
	"castaway/persistence"
	"castaway/raft"
)

// Range says which entries are asked for. The zero value is all of the only group.
type Range struct {
	Group uint64 // zero: the only one
	From  uint64 // first index; zero: the log's first
	To    uint64 // last index; zero: the log's last
	Limit int    // at most so many; zero: all
}

// Entry is one entry of the log.
type Entry struct {
	Group   uint64 `json:"group"`
	Index   uint64 `json:"index"`
	Term    uint64 `json:"term"`
	Kind    string `json:"kind"`
	Bytes   int    `json:"bytes"` // as stored
	Summary string `json:"summary"`
}

// ErrRange means that a range does not fit the directory.
var ErrRange = errors.New("inspect: no such entries")

// errLimit ends the reading of entries.
var errLimit = errors.New("enough")

// Log visits the entries of a range, in order. It fails with ErrRange if the log has
// none of it, with ErrCorrupt of persistence if an entry cannot be read, and with what
// visit returns.
func (d *Directory) Log(r Range, visit func(Entry) error) error {
	g, err := d.group(r.Group)
	if err != nil {
		return err
	}
	first, last := g.Restored.Snapshot.Last.Index+1, g.Restored.Last
	from, to := max(first, raft.Index(r.From)), last
	if r.To != 0 {
		to = min(to, raft.Index(r.To))
	}
	if from > to {
		if r.From == 0 && r.To == 0 {
			return nil // the log is empty
		}
		return fmt.Errorf("%w: the log of group %d holds %d to %d", ErrRange, g.Group, first, last)
	}
	left := r.Limit
	err = d.offline.Entries(g.Group, from, to, func(e raft.Entry) error {
		if err := visit(describe(g.Group, &e)); err != nil {
			return err
		}
		if left--; left == 0 {
			return errLimit
		}
		return nil
	})
	if errors.Is(err, errLimit) {
		return nil
	}
	return err
}

// group finds a group; zero is the only one.
func (d *Directory) group(id uint64) (*persistence.OfflineGroup, error) {
	groups := d.offline.Groups()
	var ids []raft.GroupID
	for i := range groups {
		if id == uint64(groups[i].Group) || (id == 0 && len(groups) == 1) {
			return &groups[i], nil
		}
		ids = append(ids, groups[i].Group)
	}
	if len(groups) == 0 {
		return nil, fmt.Errorf("%w: no group was found", ErrRange)
	}
	return nil, fmt.Errorf("%w: the groups are %v, name one of them", ErrRange, ids)
}

func describe(group raft.GroupID, e *raft.Entry) Entry {
	shown := Entry{Group: uint64(group), Index: uint64(e.Index), Term: uint64(e.Term), Bytes: e.Size()}
	switch e.Kind {
	case raft.EntryCommand:
		shown.Kind, shown.Summary = "command", kv.Describe(e.Data)
	case raft.EntryNoOp:
		shown.Kind, shown.Summary = "no-op", "a leader's term begins"
	case raft.EntryConfiguration:
		shown.Kind = "configuration"
		if c, err := raft.DecodeConfiguration(e.Data); err != nil {
			shown.Summary = err.Error()
		} else {
			shown.Summary = configuration(e.Index, &c).String()
		}
	case raft.EntrySession:
		shown.Kind, shown.Summary = "session", describeSession(e)
	default:
		shown.Kind, shown.Summary = fmt.Sprintf("kind %d", e.Kind), fmt.Sprintf("%d bytes", len(e.Data))
	}
	return shown
}

// describeSession says what an entry does to a session.
func describeSession(e *raft.Entry) string {
	op, err := raft.DecodeSessionOp(e.Data)
	switch {
	case err != nil:
		return err.Error()
	case op.Kind == raft.SessionRegister:
		return fmt.Sprintf("begin session %d", e.Index)
	case op.Kind == raft.SessionRun:
		return fmt.Sprintf("session %d, command %d: %s", op.ID, op.Sequence, kv.Describe(op.Command))
	case op.Kind == raft.SessionRenew:
		return fmt.Sprintf("renew sessions %d", op.Renew)
	default:
		return fmt.Sprintf("end session %d", op.ID)
	}
}
