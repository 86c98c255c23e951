// Package etcdapi is the door for etcd's clients: its v3 gRPC API over a replicated
// kv.Machine.
//
//	server.go       Server: New, Serve, Stop
//	config.go       Config and its limits
//	intercept.go    around every request: deadline, panic, what is not served
//	keyvalue.go     KV: Range, Put, DeleteRange, Txn
//	session.go      writes that are carried out once, however often they are sent
//	stream.go       KV: RangeStream
//	inflight.go     how much may be under way: requests, their bytes, answers
//	codec.go        gRPC's codec, which tells when an answer has left
//	maintenance.go  Maintenance: Status, the list of alarms
//	toleader.go     passing changes of members on to the leader's door
//	roster/         what requests and responses about members say beyond etcd's
//	members.go      Cluster: the members, and changes of them; Maintenance: MoveLeader
//	header.go       response headers, and what is known of term and leader
//	errors.go       how errors of actors and kv become etcd's
//	sessions/       the metadata by which a client makes its writes exactly-once
//	staleness/      the metadata by which a client bounds how stale a read may be
//	outcome/        what those errors say beyond etcd's own
//
// Whatever is not listed answers Unimplemented and says so.
//
// What is always true:
//
//   - Every error is etcd's own where etcd has one, so that etcd's clients know it.
//   - Every error about the cluster carries an outcome.Info, which keeps apart what is
//     definitely not done from what may have been done. Etcd's client repeats no write
//     on any of them; it repeats reads when the code is Unavailable.
//   - A read is linearizable unless the request says serializable.
//   - A request that cannot succeed on any server is refused before it is proposed.
//   - What clients have under way is bounded: requests to the service KV by count and
//     by bytes, and the answers that they have not taken yet by bytes, one client to a
//     quarter of them. What is too much is refused with the name of the limit and when
//     to come back, in outcome.Info and in google.rpc.RetryInfo; nothing was done then.
//     A client that stopped is found out by a ping within KeepaliveInterval and
//     KeepaliveTimeout, and what was kept for it is given back.
//   - A panic in a request ends that request alone, as indeterminate.
package etcdapi
