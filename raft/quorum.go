package raft

import "slices"

// A quorum is a majority of the voters; while a configuration is joint, a majority
// of the new ones and a majority of the old ones (T4.3). Learners are never in it.

// quorumValue is the largest value that a quorum has reached, given what each voter
// has reached.
func (cfg *Configuration) quorumValue(reached func(NodeID) uint64) uint64 {
	v := majorityValue(cfg.Voters, reached)
	if len(cfg.OldVoters) > 0 {
		v = min(v, majorityValue(cfg.OldVoters, reached))
	}
	return v
}

// majorityValue is the largest value that more than half of the voters have
// reached; zero if there are none.
func majorityValue(voters []NodeID, reached func(NodeID) uint64) uint64 {
	if len(voters) == 0 {
		return 0
	}
	var few [16]uint64
	values := few[:0]
	for _, id := range voters {
		values = append(values, reached(id))
	}
	slices.Sort(values)
	// In ascending order, this one and all after it are more than half.
	return values[(len(values)-1)/2]
}

// agree says whether a quorum says yes.
func (cfg *Configuration) agree(yes func(NodeID) bool) bool {
	return majorityAgrees(cfg.Voters, yes) &&
		(len(cfg.OldVoters) == 0 || majorityAgrees(cfg.OldVoters, yes))
}

func majorityAgrees(voters []NodeID, yes func(NodeID) bool) bool {
	n := 0
	for _, id := range voters {
		if yes(id) {
			n++
		}
	}
	return n > len(voters)/2
}
