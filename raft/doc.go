// Package raft is the Raft consensus algorithm as a value.
//
// A [Core] is one server's share of one Raft group. It has no clock, no
// goroutine, no disk, no network, no log line and no global randomness: inputs
// go in as method calls, what must happen comes out as [Effects], and equal
// inputs give equal effects, byte for byte. Whoever owns the Core (an actor, a
// simulator, a test) carries the effects out and feeds the acknowledgements
// back.
//
// The references are to Ongaro's thesis ("T3.4" is its section 3.4) and to the
// extended Raft paper ("P5.4.2").
//
// # The four rules of order
//
//  1. A term or vote is durable no later than any entry of that term: both
//     travel in the same [Persist], and Persists become durable in the order of
//     their sequence numbers.
//  2. A reply that rests on a write sits in Persist.After, and leaves only once
//     that Persist is durable.
//  3. What was emitted is never changed again: neither the core nor its owner
//     writes to a slice, entry or message that has left in an Effects.
//  4. An acknowledgement names the incarnation and sequence number of the
//     Persist that it acknowledges; one that no longer fits is ignored.
//
// Rule 4 leaves the (incarnation, term, index) of the first design: an entry
// may be truncated and later come back with the same index and term, while the
// acknowledgement of its first write is still on its way. A sequence number has
// no such ambiguity.
package raft
