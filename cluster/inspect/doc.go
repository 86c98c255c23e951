// Package inspect reads the data directory of a node that does not run, and says what
// is in it: whose it is, how far its log goes, every entry, its snapshots, and what is
// damaged.
//
//	directory.go   Open, State: identity, groups, hard states, configurations
//	log.go         Log: entries in words
//	snapshots.go   Snapshots: the files, and whether each is whole
//	verify.go      Verify: everything read once, and what was found
//
// What is always true:
//
//   - Nothing in the directory is changed, and no node can be started on it meanwhile.
//   - A directory that a node has open is refused, and so is one that is none; damage
//     is not: what can still be read is told, and what cannot.
//   - The JSON names of the types here are stable.
package inspect
