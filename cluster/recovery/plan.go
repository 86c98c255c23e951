package recovery

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"castaway/persistence"
	"castaway/raft"
)

// Report is what was found, and what has become of it, or would. Its JSON names are
// stable.
type Report struct {
	From       string `json:"from"`
	OldCluster string `json:"old_cluster"`
	OldServer  uint64 `json:"old_server"`
	// LastWritten is when the survivor last wrote to its log.
	LastWritten time.Time `json:"last_written"`
	// Damage is what is wrong with the survivor's directory.
	Damage []string `json:"damage"`
	Groups []Group  `json:"groups"`

	To string `json:"to"`
	// NewCluster is empty until Recover has drawn it.
	NewCluster string `json:"new_cluster,omitempty"`
	NewServer  uint64 `json:"new_server"`
}

// Group is what is kept of one Raft group.
type Group struct {
	Group uint64 `json:"group"`
	// Term is the survivor's, and NewTerm the one after it, that the new log ends in.
	Term    uint64 `json:"term"`
	NewTerm uint64 `json:"new_term"`
	// SnapshotIndex is where the log starts; all up to Last is kept.
	SnapshotIndex uint64 `json:"snapshot_index"`
	Last          uint64 `json:"last"`
	LastTerm      uint64 `json:"last_term"`
	// Committed is up to where the survivor's disk proves that the old cluster had
	// committed; what is kept behind it may never have been acknowledged.
	Committed uint64 `json:"known_committed"`
	// Unreachable counts the records behind damage.
	Unreachable int `json:"unreachable_records,omitempty"`
}

// Survey tells what Recover would do, and does nothing. Its errors are ErrOptions,
// ErrNothing, and those of persistence: ErrLocked, ErrDirectory, and ErrCorrupt unless
// damage is accepted.
func Survey(o Options) (Report, error) {
	s, err := o.open()
	if err != nil {
		return Report{}, err
	}
	return s.report, s.offline.Close()
}

// survivor is the old directory, while it is being read.
type survivor struct {
	options *Options
	offline *persistence.Offline
	newest  map[raft.GroupID]persistence.OfflineSnapshot // of each group that has one
	report  Report
}

func (o *Options) open() (*survivor, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	offline, err := persistence.ReadOffline(o.From)
	if err != nil {
		return nil, err
	}
	s := &survivor{options: o, offline: offline, newest: map[raft.GroupID]persistence.OfflineSnapshot{}}
	if err := s.survey(); err != nil {
		return nil, errors.Join(err, offline.Close())
	}
	return s, nil
}

func (s *survivor) survey() error {
	cluster, server := s.offline.Identity()
	s.report = Report{
		From: s.options.From, OldCluster: fmt.Sprintf("%016x", cluster), OldServer: uint64(server), Damage: []string{},
		LastWritten: lastWritten(s.options.From), To: s.options.To, NewServer: s.options.ID,
	}
	for _, err := range s.offline.Damage() {
		s.report.Damage = append(s.report.Damage, err.Error())
	}
	if n := len(s.report.Damage); n > 0 && !s.options.AcceptDamage {
		return fmt.Errorf("%w: %s: %s (%d findings in all): take another survivor if there is one; what can still be read of this one is recovered only if that is accepted",
			persistence.ErrCorrupt, s.options.From, s.report.Damage[0], n)
	}
	highest := server
	for _, g := range s.offline.Groups() {
		found, there, err := s.offline.Newest(g.Group)
		if err != nil {
			return err
		}
		if there {
			s.newest[g.Group] = found
			highest = max(highest, highestMember(&found.Info.Meta.Configuration))
		}
		if start := g.Restored.Snapshot.Last.Index; start > 0 && found.Info.Meta.Last.Index < start {
			return fmt.Errorf("%w: the log of group %d starts after entry %d, and no whole snapshot in %s reaches there", ErrNothing, g.Group, start, s.options.From)
		}
		highest = max(highest, highestID(&g))
		g.Restored = *s.startOf(&g)
		s.report.Groups = append(s.report.Groups, survey(&g, found.Info.Meta.Last.Index))
	}
	if len(s.report.Groups) == 0 {
		return fmt.Errorf("%w: no group has a log in %s", ErrNothing, s.options.From)
	}
	if s.options.ID <= uint64(highest) {
		return fmt.Errorf("%w: the id of the new member is %d, but the old cluster had a member %d: take a number above every id that it ever had", ErrOptions, s.options.ID, highest)
	}
	return nil
}

// startOf is the group's log; where a snapshot had come, and a crash kept the log from
// following it, the log starts after the snapshot and is empty.
func (s *survivor) startOf(g *persistence.OfflineGroup) *raft.Restored {
	r := g.Restored
	if found, there := s.newest[g.Group]; there && !persistence.Holds(&r, found.Info.Meta.Last) {
		return &raft.Restored{HardState: r.HardState, Snapshot: found.Info.Meta, Last: found.Info.Meta.Last.Index}
	}
	return &r
}

func survey(g *persistence.OfflineGroup, snapshot raft.Index) Group {
	r := &g.Restored
	last := r.Snapshot.Last
	if n := len(r.Terms); n > 0 {
		last = raft.Position{Term: r.Terms[n-1].Term, Index: r.Last}
	}
	return Group{
		Group: uint64(g.Group), Term: uint64(r.HardState.Term), NewTerm: uint64(r.HardState.Term) + 1,
		SnapshotIndex: uint64(r.Snapshot.Last.Index), Last: uint64(last.Index), LastTerm: uint64(last.Term),
		// A snapshot is made of what is committed.
		Committed: uint64(max(r.Snapshot.Last.Index, snapshot)), Unreachable: g.Unreachable,
	}
}

// highestID is the highest that the log of a group tells of.
func highestID(g *persistence.OfflineGroup) raft.NodeID {
	r := &g.Restored
	highest := max(r.HardState.Vote, highestMember(&r.Snapshot.Configuration))
	for i := range r.Configurations {
		if c, err := raft.DecodeConfiguration(r.Configurations[i].Data); err == nil {
			highest = max(highest, highestMember(&c))
		}
	}
	return highest
}

func highestMember(c *raft.Configuration) raft.NodeID {
	highest := c.LastID
	for _, ids := range [][]raft.NodeID{c.Voters, c.OldVoters, c.Learners} {
		if len(ids) > 0 {
			highest = max(highest, ids[len(ids)-1])
		}
	}
	return highest
}

// lastWritten is the time of the newest file of the survivor's log: its witness is
// written after every commit.
func lastWritten(dir string) time.Time {
	var newest time.Time
	for _, name := range []string{"witness", "log"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil && info.ModTime().After(newest) {
			newest = info.ModTime()
		}
	}
	return newest.UTC()
}
