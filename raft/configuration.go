package raft

import (
	"errors"
	"fmt"
	"slices"
)

// Configuration is the set of servers that decide, and those that only listen
// (T4). A joint configuration (T4.3) has two sets of voters, and each must agree
// by a majority of its own; otherwise OldVoters is empty.
//
// Every list is sorted and without duplicates; no server is both a voter (new or
// old) and a learner. The empty configuration is that of a server that waits to be
// told of one: it never campaigns, and follows whoever leads.
type Configuration struct {
	Voters    []NodeID
	OldVoters []NodeID
	Learners  []NodeID
	// Promoting are the Learners that become voters by themselves, once they have
	// caught up (T4.2.1).
	Promoting []NodeID
	// Members holds what is known of the members beside their ids; it may lack some.
	Members []Member
	// LastID is the highest id that a member ever had. An id up to it that is no
	// member's never comes back, since its votes may be forgotten (C12). Zero is the
	// highest id of the members.
	LastID NodeID
}

// ErrConfiguration means that a configuration, or its encoding, is not valid.
var ErrConfiguration = errors.New("raft: invalid configuration")

// Validate says what is wrong with a configuration, if anything.
func (cfg Configuration) Validate() error {
	if len(cfg.Voters) == 0 {
		return fmt.Errorf("%w: Voters is empty, and so nobody could ever be elected", ErrConfiguration)
	}
	for _, list := range []struct {
		name string
		ids  []NodeID
	}{
		{"Voters", cfg.Voters}, {"OldVoters", cfg.OldVoters}, {"Learners", cfg.Learners},
		{"Promoting", cfg.Promoting}, {"Members", idsOf(cfg.Members)},
	} {
		before := None
		for _, id := range list.ids {
			if id <= before {
				return fmt.Errorf("%w: %s must be ascending, without duplicates and without zero, but has %d after %d",
					ErrConfiguration, list.name, id, before)
			}
			before = id
		}
	}
	for _, id := range cfg.Learners {
		if cfg.isVoter(id) {
			return fmt.Errorf("%w: server %d is a voter and a learner", ErrConfiguration, id)
		}
	}
	return cfg.validateMembers()
}

// validateMembers looks at what is said beside who votes and who listens.
func (cfg *Configuration) validateMembers() error {
	for _, id := range cfg.Promoting {
		if !contains(cfg.Learners, id) {
			return fmt.Errorf("%w: server %d is to be promoted, but is no learner", ErrConfiguration, id)
		}
	}
	for i := range cfg.Members {
		if !cfg.isMember(cfg.Members[i].ID) {
			return fmt.Errorf("%w: Members names server %d, which is none", ErrConfiguration, cfg.Members[i].ID)
		}
	}
	if highest := cfg.highestMember(); cfg.LastID != None && cfg.LastID < highest {
		return fmt.Errorf("%w: LastID is %d, and %d is a member", ErrConfiguration, cfg.LastID, highest)
	}
	return nil
}

// empty says that nothing is known of who decides.
func (cfg *Configuration) empty() bool {
	return len(cfg.Voters) == 0 && len(cfg.OldVoters) == 0 && len(cfg.Learners) == 0 && len(cfg.Members) == 0
}

func idsOf(members []Member) []NodeID {
	ids := make([]NodeID, len(members))
	for i := range members {
		ids[i] = members[i].ID
	}
	return ids
}

// Joint says whether two sets of voters decide (T4.3).
func (cfg *Configuration) Joint() bool { return len(cfg.OldVoters) > 0 }

// IsMember says whether a server is a voter or a learner.
func (cfg *Configuration) IsMember(id NodeID) bool { return cfg.isMember(id) }

func (cfg *Configuration) isMember(id NodeID) bool {
	return cfg.isVoter(id) || contains(cfg.Learners, id)
}

// Member gives what is known of a member; a Member without Context otherwise.
func (cfg *Configuration) Member(id NodeID) Member {
	for i := range cfg.Members {
		if cfg.Members[i].ID == id {
			return cfg.Members[i]
		}
	}
	return Member{ID: id}
}

func (cfg *Configuration) highestMember() NodeID {
	highest := None
	for _, list := range [][]NodeID{cfg.Voters, cfg.OldVoters, cfg.Learners} {
		if n := len(list); n > 0 {
			highest = max(highest, list[n-1])
		}
	}
	return highest
}

// Highest is the highest id that is known to have been a member's.
func (cfg *Configuration) Highest() NodeID { return max(cfg.LastID, cfg.highestMember()) }

// Removed says whether a server was a member and is none any more.
func (cfg *Configuration) Removed(id NodeID) bool { return id <= cfg.Highest() && !cfg.isMember(id) }

func (cfg *Configuration) isVoter(id NodeID) bool {
	return contains(cfg.Voters, id) || contains(cfg.OldVoters, id)
}

func contains(sorted []NodeID, id NodeID) bool {
	_, found := slices.BinarySearch(sorted, id)
	return found
}

// eachVoter calls f for every server that has a vote, once.
func (cfg *Configuration) eachVoter(f func(NodeID)) {
	for _, id := range cfg.Voters {
		f(id)
	}
	for _, id := range cfg.OldVoters {
		if !contains(cfg.Voters, id) {
			f(id)
		}
	}
}

// EachMember calls f for every server, once, in ascending order.
func (cfg *Configuration) EachMember(f func(NodeID)) { cfg.eachMember(f) }

// eachMember calls f for every server, once, in ascending order.
func (cfg *Configuration) eachMember(f func(NodeID)) {
	all := slices.Concat(cfg.Voters, cfg.OldVoters, cfg.Learners)
	slices.Sort(all)
	for _, id := range slices.Compact(all) {
		f(id)
	}
}

// Clone is a copy that shares nothing.
func (cfg Configuration) Clone() Configuration {
	return Configuration{
		Voters:    slices.Clone(cfg.Voters),
		OldVoters: slices.Clone(cfg.OldVoters),
		Learners:  slices.Clone(cfg.Learners),
		Promoting: slices.Clone(cfg.Promoting),
		Members:   cloneMembers(cfg.Members),
		LastID:    cfg.LastID,
	}
}

func cloneMembers(members []Member) []Member {
	clone := slices.Clone(members)
	for i := range clone {
		clone[i].Context = slices.Clone(clone[i].Context)
	}
	return clone
}
