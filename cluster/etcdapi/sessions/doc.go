// Package sessions is how a client of the etcd door makes its writes exactly-once: by
// metadata of its requests, which any gRPC client can send, etcd's own too.
//
// A session is opened by a Range with the metadata
//
//	castaway-session: new
//
// whose response has, in its header metadata,
//
//	castaway-session: 4711                 the session's id
//	castaway-session-timeout: 1m0s         it ends when it is not used for longer
//	castaway-session-window: 1024          how far sequence numbers may be ahead
//
// A Put, DeleteRange or Txn with
//
//	castaway-session: 4711
//	castaway-sequence: 7;ack=5
//
// is carried out once, however often it is sent: with 7 for all attempts at this one
// write, and no other. A retry is answered what the first attempt that was carried out
// was answered. Sequence numbers begin at 1. They may arrive in any order, as long as
// none is a window or more above ack, which is the lowest one whose answer is still
// needed, and 1 if it is left out: what is below it is forgotten, and can't be done any
// more. A third part, ";first", says that no attempt with this number was sent before.
//
// A Range with castaway-session: 4711 alone uses the session, as each write does; one
// with castaway-session: 4711;end ends it. Then it reads what it was asked to read.
//
// Errors are gRPC statuses with an outcome.Info, whose Reason may be
//
//	SESSION_UNKNOWN        there is no such session, or no more; open a new one
//	SESSION_ACKNOWLEDGED   the sequence number is below an ack that was sent before
//	SESSION_TOO_FAR        it is too far above the lowest outstanding one; not done
//	SESSION_MALFORMED      the metadata makes no sense; not done
//	RESULT_LOST            it was done before, and its answer was too large to be kept
//
// With the first two this attempt did nothing, and they are indeterminate unless it was
// the first, since an earlier one may have. All that is OVERLOADED is not done.
//
// Servers that know nothing of sessions, such as etcd's own, pass over this metadata:
// without castaway-session in the response there is no session, and no retry is safe.
package sessions
