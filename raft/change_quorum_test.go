package raft

import "testing"

// configurations gives every set of up to 5 voters and 3 learners out of 8 servers, the
// learners behind the voters.
func eachConfiguration(f func(Configuration)) {
	for voters := 1; voters <= 5; voters++ {
		for learners := range 4 {
			var cfg Configuration
			for id := NodeID(1); id <= NodeID(voters+learners); id++ {
				if int(id) <= voters {
					cfg.Voters = append(cfg.Voters, id)
				} else {
					cfg.Learners = append(cfg.Learners, id)
				}
			}
			f(cfg)
		}
	}
}

// quorums gives every set of servers, as bits, that is a quorum.
func quorums(cfg *Configuration) (sets []uint) {
	for set := range uint(1 << 9) {
		if cfg.agree(func(id NodeID) bool { return set&(1<<id) != 0 }) {
			sets = append(sets, set)
		}
	}
	return sets
}

// C22, C23: whatever one change makes of a configuration, no quorum of the old one, of
// the joint one and of the one after it can decide without the others knowing: each
// two of neighbours share a server that votes in both.
func TestC22_NeighbouringConfigurationsShareAVoterInEveryQuorum(t *testing.T) {
	eachConfiguration(func(old Configuration) {
		for kind := ChangeAddLearner; kind <= ChangeUpdate; kind++ {
			for id := NodeID(1); id <= 8; id++ {
				next, err := old.changed([]Change{{Kind: kind, ID: id}})
				if err != nil {
					continue
				}
				after := next.left()
				overlap(t, &old, &next)
				overlap(t, &next, &after)
			}
		}
	})
}

func overlap(t *testing.T, a, b *Configuration) {
	t.Helper()
	var voters uint
	a.eachVoter(func(id NodeID) {
		if b.isVoter(id) {
			voters |= 1 << id
		}
	})
	for _, x := range quorums(a) {
		for _, y := range quorums(b) {
			if x&y&voters == 0 {
				t.Fatalf("%+v decides with %b, and %+v with %b", a, x, b, y)
			}
		}
	}
}
