package inspect

import (
	"fmt"

	"castaway/raft"
)

// Check is one thing that was looked at.
type Check struct {
	What string `json:"what"`
	OK   bool   `json:"ok"`
	Text string `json:"text"` // what was found
}

// Verify reads everything, and tells what it found. The node would refuse to start, or
// end, upon what is not OK.
func (d *Directory) Verify() []Check {
	cluster, server := d.offline.Identity()
	last, witnessed := d.offline.Commits()
	var checks []Check
	for _, err := range d.offline.Damage() {
		checks = append(checks, Check{What: "files", Text: err.Error()})
	}
	if len(checks) == 0 {
		checks = append(checks,
			Check{"identity", true, fmt.Sprintf("server %d of cluster %016x", server, cluster)},
			Check{"log files", true, fmt.Sprintf("commits up to %d are whole, of which %d are known to have been durable", last, witnessed)})
	}
	for _, g := range d.offline.Groups() {
		checks = append(checks, d.verifyGroup(g.Group, g.Restored.Snapshot.Last.Index, g.Restored.Last, g.Err, g.Unreachable))
	}
	return append(checks, d.verifySnapshots()...)
}

// verifySnapshots reads every published file. A damaged one is not used; it is damage all
// the same, and the node may not find another where its log starts.
func (d *Directory) verifySnapshots() []Check {
	list, err := d.Snapshots()
	if err != nil {
		return []Check{{What: "snapshots", Text: err.Error()}}
	}
	var checks []Check
	for _, s := range list {
		c := Check{What: "snapshot", OK: s.Damage == "", Text: fmt.Sprintf("%s: up to entry %d, %d bytes", s.Path, s.Index, s.Bytes)}
		if !c.OK {
			c.Text = s.Path + ": " + s.Damage
		}
		if s.Unfinished {
			c.Text = s.Path + ": never published, and of no harm"
		}
		checks = append(checks, c)
	}
	return checks
}

// verifyGroup reads every entry of a group.
func (d *Directory) verifyGroup(id raft.GroupID, start, last raft.Index, broken error, unreachable int) Check {
	c := Check{What: fmt.Sprintf("group %d", id)}
	entries, bytes := 0, 0
	var err error
	if last > start {
		err = d.offline.Entries(id, start+1, last, func(e raft.Entry) error {
			entries, bytes = entries+1, bytes+e.Size()
			return nil
		})
	}
	c.Text = fmt.Sprintf("%d entries, %d to %d, %d bytes", entries, start+1, last, bytes)
	switch {
	case err != nil:
		c.Text = fmt.Sprintf("only %s can be read: %v", c.Text, err)
	case broken != nil:
		c.Text = fmt.Sprintf("only %s can be read; %d records lie behind the damage", c.Text, unreachable)
	default:
		c.OK = true
	}
	return c
}
