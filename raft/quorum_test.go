package raft

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// subset lists the ids, from first on, whose bit is set.
func subset(bits int, first NodeID) []NodeID {
	var ids []NodeID
	for i := 0; bits>>i != 0; i++ {
		if bits>>i&1 != 0 {
			ids = append(ids, first+NodeID(i))
		}
	}
	return ids
}

// everyConfiguration gives all configurations of voters out of five servers, with any
// old voters out of the same five, and up to three learners.
func everyConfiguration(f func(cfg Configuration)) {
	for voters := 1; voters < 1<<5; voters++ {
		for old := range 1 << 5 {
			for learners := range 4 {
				f(Configuration{
					Voters:    subset(voters, 1),
					OldVoters: subset(old, 1),
					Learners:  subset(1<<learners-1, 6),
				})
			}
		}
	}
}

// bruteAgree is the definition: more than half of the voters, and of the old ones
// where there are any.
func bruteAgree(cfg Configuration, yes func(NodeID) bool) bool {
	for _, half := range [][]NodeID{cfg.Voters, cfg.OldVoters} {
		votes := 0
		for _, id := range half {
			if yes(id) {
				votes++
			}
		}
		if len(half) > 0 && votes*2 <= len(half) {
			return false
		}
	}
	return true
}

// bruteValue is the definition: the largest value that a quorum has reached.
func bruteValue(cfg Configuration, reached func(NodeID) uint64) uint64 {
	best := uint64(0)
	for v := range uint64(12) {
		if bruteAgree(cfg, func(id NodeID) bool { return reached(id) >= v }) {
			best = v
		}
	}
	return best
}

// Elections: all configurations, all sets of servers that say yes, learners among
// them (C22, C23).
func TestC22_AgreementAgainstBruteForce(t *testing.T) {
	everyConfiguration(func(cfg Configuration) {
		for says := range 1 << 8 {
			yes := func(id NodeID) bool { return says>>(id-1)&1 != 0 }
			if got, want := cfg.agree(yes), bruteAgree(cfg, yes); got != want {
				t.Fatalf("%+v with yes from %v: agree is %v, want %v", cfg, subset(says, 1), got, want)
			}
		}
	})
}

// Commitment: all configurations, random values for every server; learners have the
// largest, and must not count (C23).
func TestC22_QuorumValueAgainstBruteForce(t *testing.T) {
	rng := rand.New(rand.NewPCG(22, 0))
	everyConfiguration(func(cfg Configuration) {
		for range 20 {
			var values [9]uint64
			for i := range values {
				values[i] = uint64(rng.IntN(10))
				if i > 5 {
					values[i] = 11
				}
			}
			reached := func(id NodeID) uint64 { return values[id] }
			if got, want := cfg.quorumValue(reached), bruteValue(cfg, reached); got != want {
				t.Fatalf("%+v with values %v: quorumValue is %d, want %d", cfg, values[1:], got, want)
			}
		}
	})
}

// Any two quorums of one configuration share a server, and so do a quorum of a joint
// configuration and one of either of its halves: that is what safety rests on (T4.3).
func TestC22_QuorumsIntersect(t *testing.T) {
	everyConfiguration(func(cfg Configuration) {
		if len(cfg.Learners) > 0 {
			return
		}
		parts := []Configuration{cfg, {Voters: cfg.Voters}}
		if len(cfg.OldVoters) > 0 {
			parts = append(parts, Configuration{Voters: cfg.OldVoters})
		}
		for a := range 1 << 5 {
			if !cfg.agree(func(id NodeID) bool { return a>>(id-1)&1 != 0 }) {
				continue
			}
			for _, other := range parts {
				complement := func(id NodeID) bool { return a>>(id-1)&1 == 0 }
				if other.agree(complement) {
					t.Fatalf("%+v: %v is a quorum, and so is the rest in %+v", cfg, subset(a, 1), other)
				}
			}
		}
	})
}

// More voters than fit on the stack.
func TestQuorum_ManyVoters(t *testing.T) {
	var cfg Configuration
	for id := range NodeID(41) {
		cfg.Voters = append(cfg.Voters, id+1)
	}
	if got := cfg.quorumValue(func(id NodeID) uint64 { return uint64(id) }); got != 21 {
		t.Errorf("of the values 1 to 41, a quorum has reached %d; want 21", got)
	}
}

func TestConfiguration_EncodingGivesItBack(t *testing.T) {
	everyConfiguration(func(cfg Configuration) {
		got, err := DecodeConfiguration(cfg.Encode())
		if err != nil || fmt.Sprint(got) != fmt.Sprint(cfg) {
			t.Fatalf("%+v comes back as %+v, %v", cfg, got, err)
		}
	})
}

// A cut or lengthened encoding is refused, whatever it could mean.
func TestConfiguration_DamagedEncodings(t *testing.T) {
	whole := Configuration{Voters: []NodeID{1, 2, 300}, OldVoters: []NodeID{4}, Learners: []NodeID{5}}.Encode()
	for n := range whole {
		if _, err := DecodeConfiguration(whole[:n]); err == nil {
			t.Errorf("the first %d bytes of %d are accepted", n, len(whole))
		}
	}
	for _, b := range [][]byte{
		append(whole[:len(whole):len(whole)], 0), // one byte too many
		{1, 0, 0, 0},                             // nobody
		{1, 2, 1, 0, 0, 0},                       // twice the same
		{1, 1, 1, 0, 1, 1},                       // voter and learner
		{2, 1, 1, 0, 0},                          // another version
		{1, 255, 255, 255, 255, 15, 1},           // a length that would take gigabytes
	} {
		if cfg, err := DecodeConfiguration(b); err == nil {
			t.Errorf("%v is accepted as %+v", b, cfg)
		}
	}
}
