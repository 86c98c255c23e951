package inspect

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"castaway/persistence"
	"castaway/raft"
)

// Directory is a data directory that is being read. It is not safe for concurrent use.
type Directory struct {
	path    string
	offline *persistence.Offline
}

// Open reads the data directory of a node. persistence.ErrLocked means that the node
// runs, persistence.ErrDirectory that this is no data directory or cannot be read.
func Open(path string) (*Directory, error) {
	offline, err := persistence.ReadOffline(path)
	if err != nil {
		return nil, err
	}
	return &Directory{path, offline}, nil
}

// Close lets go of the directory.
func (d *Directory) Close() error { return d.offline.Close() }

// Err is nil if the node would start, and otherwise an error that Is
// persistence.ErrCorrupt.
func (d *Directory) Err() error {
	if found := d.offline.Damage(); len(found) > 0 {
		return fmt.Errorf("%w: %s: what was found wrong: %d; %s", persistence.ErrCorrupt, d.path, len(found), persistence.WhatToDo)
	}
	return nil
}

// ErrOf is an error that Is persistence.ErrCorrupt if a check found damage.
func ErrOf(checks []Check) error {
	damaged := 0
	for _, c := range checks {
		if !c.OK {
			damaged++
		}
	}
	if damaged > 0 {
		return fmt.Errorf("%w: %d of %d checks failed", persistence.ErrCorrupt, damaged, len(checks))
	}
	return nil
}

// State is what a directory holds, but for the entries.
type State struct {
	Directory string `json:"directory"`
	Cluster   string `json:"cluster"` // in hexadecimal digits; zeros if unknown
	Server    uint64 `json:"server"`
	// LastCommit numbers the last commit in the log, Witnessed the last one that is
	// known to have been durable.
	LastCommit uint64 `json:"last_commit"`
	Witnessed  uint64 `json:"witnessed_commit"`
	// Files is what the directory's files hold, by the name at its top.
	Files  []Files  `json:"files"`
	Groups []Group  `json:"groups"`
	Damage []string `json:"damage"`
}

// Files is one file at a directory's top, or one directory with all below it.
type Files struct {
	Name  string `json:"name"`
	Count int    `json:"files"`
	Bytes int64  `json:"bytes"`
}

// Group is one Raft group.
type Group struct {
	Group uint64 `json:"group"`
	Term  uint64 `json:"term"`
	Vote  uint64 `json:"vote"`
	// The log starts after SnapshotIndex, and ends with Last.
	SnapshotIndex uint64 `json:"snapshot_index"`
	SnapshotTerm  uint64 `json:"snapshot_term"`
	First         uint64 `json:"first"`
	Last          uint64 `json:"last"`
	LastTerm      uint64 `json:"last_term"`
	Records       int    `json:"records"`
	Garbage       int    `json:"garbage_records"`
	// Configurations are those in the log, oldest first: the last one is in force.
	// A new cluster's first one is not in its log, but in its configuration.
	Configurations []Configuration `json:"configurations"`
	// Damage says where the log can no longer be read, and Unreachable how many
	// records there are from there on.
	Damage      string `json:"damage,omitempty"`
	Unreachable int    `json:"unreachable_records,omitempty"`
}

// Configuration is a set of members, and where the log says so.
type Configuration struct {
	Index     uint64        `json:"index"`
	Voters    []raft.NodeID `json:"voters"`
	OldVoters []raft.NodeID `json:"old_voters,omitempty"`
	Learners  []raft.NodeID `json:"learners,omitempty"`
}

func (c Configuration) String() string {
	var parts []string
	for _, list := range []struct {
		name string
		ids  []raft.NodeID
	}{{"voters", c.Voters}, {"leaving", c.OldVoters}, {"learners", c.Learners}} {
		if len(list.ids) > 0 {
			parts = append(parts, list.name+" "+strings.Trim(fmt.Sprint(list.ids), "[]"))
		}
	}
	return strings.Join(parts, "; ")
}

// State tells what the directory holds.
func (d *Directory) State() State {
	cluster, server := d.offline.Identity()
	s := State{Directory: d.path, Cluster: fmt.Sprintf("%016x", cluster), Server: uint64(server), Groups: []Group{}, Damage: []string{}}
	s.LastCommit, s.Witnessed = d.offline.Commits()
	var err error
	if s.Files, err = files(d.path); err != nil {
		s.Damage = append(s.Damage, err.Error())
	}
	for _, g := range d.offline.Groups() {
		s.Groups = append(s.Groups, group(&g))
	}
	for _, err := range d.offline.Damage() {
		s.Damage = append(s.Damage, err.Error())
	}
	return s
}

func group(g *persistence.OfflineGroup) Group {
	r := &g.Restored
	shown := Group{
		Group: uint64(g.Group), Term: uint64(r.HardState.Term), Vote: uint64(r.HardState.Vote),
		SnapshotIndex: uint64(r.Snapshot.Last.Index), SnapshotTerm: uint64(r.Snapshot.Last.Term),
		First: uint64(r.Snapshot.Last.Index) + 1, Last: uint64(r.Last), LastTerm: uint64(r.Snapshot.Last.Term),
		Records: g.Records, Garbage: g.Garbage, Unreachable: g.Unreachable,
		Configurations: configurations(r),
	}
	if n := len(r.Terms); n > 0 {
		shown.LastTerm = uint64(r.Terms[n-1].Term)
	}
	if g.Err != nil {
		shown.Damage = g.Err.Error()
	}
	return shown
}

// configurations are the one that the log starts from, if it does not start empty, and
// those in it.
func configurations(r *raft.Restored) []Configuration {
	list := []Configuration{}
	if r.Snapshot.Last.Index > 0 || len(r.Snapshot.Configuration.Voters) > 0 {
		list = append(list, configuration(r.Snapshot.Last.Index, &r.Snapshot.Configuration))
	}
	for _, e := range r.Configurations {
		if c, err := raft.DecodeConfiguration(e.Data); err == nil {
			list = append(list, configuration(e.Index, &c))
		}
	}
	return list
}

func configuration(index raft.Index, c *raft.Configuration) Configuration {
	return Configuration{Index: uint64(index), Voters: c.Voters, OldVoters: c.OldVoters, Learners: c.Learners}
}

// files sums up what is below each name at the top.
func files(path string) ([]Files, error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	list := make([]Files, 0, len(entries))
	for _, e := range entries {
		f := Files{Name: e.Name()}
		err := filepath.WalkDir(filepath.Join(path, e.Name()), func(_ string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			f.Count, f.Bytes = f.Count+1, f.Bytes+info.Size()
			return nil
		})
		if err != nil {
			return list, err
		}
		list = append(list, f)
	}
	return list, nil
}
