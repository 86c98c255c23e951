// Package client is a Go client of a castaway cluster, over its etcd v3 door.
//
//	client.go     Client, Options: New, Close
//	policy.go     RetryPolicy: how often, how long, with how much jitter
//	invoke.go     the way of a request: endpoint, attempt, verdict, pause
//	verdict.go    what an error says about its request
//	trace.go      how far an attempt came
//	errors.go     Error: done, not done and indeterminate kept apart
//	endpoints.go  the connections, and which of them is preferred
//	leader.go     how the leader is found
//	keyvalue.go   Put, Get, Delete
//	write.go      a write in its session; Resolve
//	session.go, session_keeper.go
//	              the client's session: numbers, their window, renewal, replacement
//	txn.go        Txn, its comparisons and operations
//	options.go    the options of requests
//	types.go      results in plain Go types
//	convert.go    from etcd's types to those
//	cluster.go    Status
//	members.go    MemberList, MemberAdd, MemberPromote, …; MoveLeader
//
// What is always true:
//
//   - A request that returns no error is done. An error is either ErrNotDone, and
//     then the request had no effect and never will have, or ErrIndeterminate.
//   - A write of which one attempt was indeterminate is never reported as not done,
//     whatever later attempts say.
//   - What is not done is tried again until the context ends, unless no server could
//     ever do it. What is indeterminate is tried again if it is a read, or a write of a
//     session, or if the caller has allowed it with RetryIndeterminate.
//   - Writes are of a session, unless Options.NoSession is set or the servers know of
//     none, such as etcd's: the cluster recognizes a retry, does it once, and answers
//     it what it has answered before. So a write is indeterminate only if its context
//     ends first, or if its session does, which takes a minute without contact (the
//     servers' limit); Client.Resolve then asks again. A session that ended in idle time
//     is replaced without a word.
//   - No pause goes beyond the context's deadline: the error comes before it.
//   - Any server will do: followers pass requests on. The leader is preferred since
//     that saves a hop.
package client
