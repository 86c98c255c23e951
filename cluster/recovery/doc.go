// Package recovery makes a new cluster out of the data directory of one server of an
// old one, for when a majority of the old one is gone for good.
//
//	plan.go      Survey: what is there, what would become of it, what may be lost
//	build.go     Recover: the new data directory
//	options.go   Options
//
// What is always true:
//
//   - The old directory is read, and nothing in it is changed.
//   - The new directory is there whole or not at all; it is made under another name.
//   - The new cluster has an id of its own, drawn at random: what is left of the old one
//     refuses its messages, and it theirs (C42). Its only member has an id above all
//     that the old one is known to have used (C12).
//   - The log is the survivor's, with terms and indexes as they were. What the survivor
//     did not have is lost, acknowledged or not; what it had is kept and becomes
//     committed, whether the old cluster had committed it or not.
//   - No configuration of the old cluster is left: each becomes that of the new one.
package recovery
