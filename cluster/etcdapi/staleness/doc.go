// Package staleness is how a client bounds how stale a serializable read of etcd's KV
// service may be: by gRPC metadata with a Range, or with a Txn that only reads,
//
//	castaway-max-lag: 500ms
//
// The server that is asked answers by itself if it has had all that was acknowledged
// longer ago than that, and otherwise has the read confirmed by a majority, as a
// linearizable one is. A server that does not know the header ignores it.
package staleness
