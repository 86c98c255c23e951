// Package fleet runs a few nodes in one process, each with many Raft groups: with
// the real remoting between them, over loopback, and a real store each, on disk.
// It measures what groups cost, and shows how a program of its own hosts many.
//
//   - fleet.go: the nodes; groups.go: their groups; usage.go: what they have used
//
// All groups of a node share its store, its connections, its timer and its exchange
// of heartbeats: see package actors.
package fleet
