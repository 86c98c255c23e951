// Package cluster ties a node together: its store, its actors, the remoting to its
// peers, and the doors that clients and people use.
//
// [Start] brings the parts up in this order: configuration, listeners, data
// directory and store, actor system, remoting, host, group, doors. [Node.Stop]
// takes them down in reverse, within a bounded time. What is always true:
//
//   - A part is started only when all that it rests on runs, and stopped only when
//     nothing rests on it any more; a start that fails half-way stops what ran.
//   - The data directory is stamped with the cluster's id and the node's; another
//     node's directory is refused, and so is one that is in use.
//   - A node ends exactly once: when asked to, or because a part failed for good.
//     [Node.Done] tells when, [Node.Err] why, [ExitCode] what the process says.
//   - A store that lost what it acknowledged never votes: the node does not start. One
//     that was replaced by an older copy, or emptied, while its leader lives is found
//     out by the first heartbeat: the node ends, and the directory is marked.
//   - Who the members are is what the log says; the configuration, or for a node that
//     joined what the cluster said then, only until the log says more. A node that
//     learns that it is no member any more ends and marks its directory. One whose id
//     has a vote does not join with an empty directory: a wiped disk is a new identity.
//   - Who stops hands leadership over first.
//   - Nothing listens in plaintext beyond loopback unless the configuration says so.
//
// # Exit codes
//
//	 0  done
//	 1  definitely not done, for any reason not listed here
//	 2  usage or configuration; nothing was started
//	 3  indeterminate: it may or may not have been done
//	70  the store failed (a write or sync did not succeed); see the disk, then start again
//	71  the store is corrupt: acknowledged data is lost; do not start it again as it is
//	72  an actor crashed more often than its restart budget allows
//	73  the data directory is in use by another process
//	74  the data directory belongs to another cluster or node
//	75  an address could not be listened on
//	76  the data directory cannot be made, read or written
//	77  the node is no member of its cluster any more
//
// The files: node (Start, Stop, Done), parts (each part's start and stop), wire (the
// remoting as a part), bulk (snapshot files, and the second remoting for them), identity (the cluster's id), membership
// and join (which cluster this is, and who is in it), members (who is in it by now), listen (sockets), exit (exit
// codes), explain (what to do about a store's errors), report (the status), checks
// (alive, ready), meter (what is measured, not read off), events and demoted (the
// log).
//
// The packages beneath: config (what a node is told), member (what is said of each), remoting (the wire), kv (the
// key-value machine), etcdapi (the etcd v3 gRPC door), httpapi (health, status,
// metrics), client (the Go client), inspect (a stopped node's data directory,
// read), pool (goroutines for many actors), fleet (nodes with many groups, measured), recovery (a new cluster out of it).
package cluster
