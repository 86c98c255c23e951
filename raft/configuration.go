package raft

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
