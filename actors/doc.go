// Package actors is the supervised cast that runs a raft.Core: host, transport,
// group, server, log and machine.
package actors
