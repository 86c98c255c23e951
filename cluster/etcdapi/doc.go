// Package etcdapi is the door for etcd's clients: its v3 gRPC API over a replicated
// kv.Machine.
//
//	server.go       Server: New, Serve, Stop
//	config.go       Config and its limits
//	intercept.go    around every request: deadline, panic, what is not served
//	keyvalue.go     KV: Range, Put, DeleteRange, Txn
//	session.go      writes that are carried out once, however often they are sent
//	stream.go       KV: RangeStream
//	maintenance.go  Maintenance: Status, the list of alarms
//	members.go      Cluster: MemberList
//	header.go       response headers, and what is known of term and leader
//	errors.go       how errors of actors and kv become etcd's
//	sessions/       the metadata by which a client makes its writes exactly-once
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
//   - A panic in a request ends that request alone, as indeterminate.
package etcdapi
