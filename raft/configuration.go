package raft

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// Configuration is the set of servers that decide, and those that only listen
// (T4). A joint configuration (T4.3) has two sets of voters, and each must agree
// by a majority of its own; otherwise OldVoters is empty.
//
// Every list is sorted and without duplicates; no server is both a voter (new or
// old) and a learner.
type Configuration struct {
	Voters    []NodeID
	OldVoters []NodeID
	Learners  []NodeID
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
	}{{"Voters", cfg.Voters}, {"OldVoters", cfg.OldVoters}, {"Learners", cfg.Learners}} {
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
	return nil
}

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
	}
}

// configurationVersion is the first byte of an encoding.
const configurationVersion = 1

// Encode is the Data of an EntryConfiguration: a version byte, then each list as its
// length and the differences between its members, in uvarints. Equal configurations
// have equal encodings.
func (cfg Configuration) Encode() []byte {
	b := []byte{configurationVersion}
	for _, list := range [][]NodeID{cfg.Voters, cfg.OldVoters, cfg.Learners} {
		b = binary.AppendUvarint(b, uint64(len(list)))
		before := None
		for _, id := range list {
			b = binary.AppendUvarint(b, uint64(id-before))
			before = id
		}
	}
	return b
}

// DecodeConfiguration reads what Encode wrote, and gives only valid configurations.
// The memory it takes is bounded by the length of b.
func DecodeConfiguration(b []byte) (Configuration, error) {
	var cfg Configuration
	if len(b) == 0 || b[0] != configurationVersion {
		return cfg, fmt.Errorf("%w: it does not begin with version %d", ErrConfiguration, configurationVersion)
	}
	b = b[1:]
	for _, list := range []*[]NodeID{&cfg.Voters, &cfg.OldVoters, &cfg.Learners} {
		rest, err := decodeIDs(b, list)
		if err != nil {
			return Configuration{}, err
		}
		b = rest
	}
	if len(b) > 0 {
		return Configuration{}, fmt.Errorf("%w: %d bytes are left over", ErrConfiguration, len(b))
	}
	if err := cfg.Validate(); err != nil {
		return Configuration{}, err
	}
	return cfg, nil
}

func decodeIDs(b []byte, list *[]NodeID) (rest []byte, err error) {
	count, n := binary.Uvarint(b)
	if n <= 0 || count > uint64(len(b)-n) {
		return nil, fmt.Errorf("%w: the length of a list is cut off or too large", ErrConfiguration)
	}
	b = b[n:]
	before := None
	for range count {
		difference, n := binary.Uvarint(b)
		if n <= 0 {
			return nil, fmt.Errorf("%w: a list is cut off", ErrConfiguration)
		}
		b = b[n:]
		before += NodeID(difference) // going around is caught by Validate
		*list = append(*list, before)
	}
	return b, nil
}

// configurationAt is a configuration and the index from which it is in force.
type configurationAt struct {
	index         Index
	configuration Configuration
}

// configurationTable holds every configuration of the log, the snapshot's first. The
// last one is in force, as soon as it is appended and whether it is committed or not
// (T4.1); truncation brings the one before back (C15).
type configurationTable []configurationAt

// configuration is the one in force.
func (c *Core) configuration() *Configuration {
	return &c.configurations[len(c.configurations)-1].configuration
}

func (t *configurationTable) append(entries []Entry) {
	for i := range entries {
		e := &entries[i]
		if e.Kind != EntryConfiguration {
			continue
		}
		cfg, err := DecodeConfiguration(e.Data)
		invariant(err == nil, "entry %d was accepted and cannot be read: %v", e.Index, err)
		*t = append(*t, configurationAt{e.Index, cfg})
	}
}

func (t *configurationTable) truncate(from Index) {
	n := len(*t)
	for n > 1 && (*t)[n-1].index >= from {
		n--
	}
	*t = (*t)[:n]
}
