package raft

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// The first byte of an encoding is its version. The first knows voters and learners
// only, and is written where there is nothing else to say.
const (
	configurationVersion1 = 1
	configurationVersion2 = 2
)

// Encode is the Data of an EntryConfiguration: a version byte, then each list as its
// length and the differences between its members, in uvarints; in version 2 the same
// for Promoting, then LastID, and Members as their number and for each its id and its
// context with its length before it. Equal configurations have equal encodings.
func (cfg Configuration) Encode() []byte {
	plain := len(cfg.Promoting) == 0 && len(cfg.Members) == 0 && cfg.LastID == None
	version := byte(configurationVersion2)
	if plain {
		version = configurationVersion1
	}
	b := []byte{version}
	for _, list := range [][]NodeID{cfg.Voters, cfg.OldVoters, cfg.Learners} {
		b = appendIDs(b, list)
	}
	if plain {
		return b
	}
	b = appendIDs(b, cfg.Promoting)
	b = binary.AppendUvarint(b, uint64(cfg.LastID))
	b = binary.AppendUvarint(b, uint64(len(cfg.Members)))
	for i := range cfg.Members {
		b = binary.AppendUvarint(b, uint64(cfg.Members[i].ID))
		b = binary.AppendUvarint(b, uint64(len(cfg.Members[i].Context)))
		b = append(b, cfg.Members[i].Context...)
	}
	return b
}

func appendIDs(b []byte, ids []NodeID) []byte {
	b = binary.AppendUvarint(b, uint64(len(ids)))
	before := None
	for _, id := range ids {
		b = binary.AppendUvarint(b, uint64(id-before))
		before = id
	}
	return b
}

// DecodeConfiguration reads what Encode wrote, and gives only valid configurations.
// The memory it takes is bounded by the length of b.
func DecodeConfiguration(b []byte) (Configuration, error) {
	cfg, err := decodeConfiguration(b)
	if err != nil {
		return Configuration{}, err
	}
	if err := cfg.Validate(); err != nil {
		return Configuration{}, err
	}
	return cfg, nil
}

func decodeConfiguration(b []byte) (cfg Configuration, err error) {
	if len(b) == 0 || (b[0] != configurationVersion1 && b[0] != configurationVersion2) {
		return cfg, fmt.Errorf("%w: it does not begin with version %d or %d", ErrConfiguration, configurationVersion1, configurationVersion2)
	}
	lists := []*[]NodeID{&cfg.Voters, &cfg.OldVoters, &cfg.Learners}
	version, b := b[0], b[1:]
	if version == configurationVersion2 {
		lists = append(lists, &cfg.Promoting)
	}
	for _, list := range lists {
		if b, err = decodeIDs(b, list); err != nil {
			return cfg, err
		}
	}
	if version == configurationVersion2 {
		if b, err = decodeMembers(b, &cfg); err != nil {
			return cfg, err
		}
	}
	if len(b) > 0 {
		return cfg, fmt.Errorf("%w: %d bytes are left over", ErrConfiguration, len(b))
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

func decodeMembers(b []byte, cfg *Configuration) (rest []byte, err error) {
	var numbers [2]uint64 // LastID, and how many members follow
	for i := range numbers {
		value, n := binary.Uvarint(b)
		if n <= 0 {
			return nil, fmt.Errorf("%w: the members are cut off", ErrConfiguration)
		}
		numbers[i], b = value, b[n:]
	}
	cfg.LastID = NodeID(numbers[0])
	for range numbers[1] { // each takes a byte at least, or is refused
		id, n := binary.Uvarint(b)
		if n <= 0 {
			return nil, fmt.Errorf("%w: a member is cut off", ErrConfiguration)
		}
		b = b[n:]
		size, n := binary.Uvarint(b)
		if n <= 0 || size > uint64(len(b)-n) {
			return nil, fmt.Errorf("%w: the context of member %d is cut off", ErrConfiguration, id)
		}
		b = b[n:]
		m := Member{ID: NodeID(id)}
		if size > 0 {
			m.Context = slices.Clone(b[:size])
		}
		cfg.Members, b = append(cfg.Members, m), b[size:]
	}
	return b, nil
}
