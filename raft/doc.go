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
//
// # What lives where
//
// What goes in and out:
//
//   - types, message: nodes, terms, entries, and one struct per RPC and reply
//   - core, validate: Core, its Config and inputs; what New refuses
//   - effects: what comes out, and how it is put together once an input is done
//   - status, trace, tracelog: what people and checkers see
//
// Roles and elections:
//
//   - step: the term rule (P5.1), the only one; stickiness; answers to the old (C34)
//   - acceptable: which messages are dropped because no correct server sends them
//   - forgotten: how a server notices that it lost what it acknowledged, and ends
//   - role: the legal transitions; follower, precandidate, candidate, leader: what
//     each does, and the state that only it has
//   - election: timeouts, campaigns, who gets a vote (T3.4, T3.6.1, T9.6)
//
// The log:
//
//   - log: the term table and the newest entries
//   - disk: which writes are under way and what is durable
//   - snapshot: where the log starts (T5.1): compaction, snapshots for followers that
//     need what is gone, and their installation
//   - replication: AppendEntries, from both sides (T3.5, T10.2); progress, inflights:
//     what a leader knows of one follower
//   - commit: counting (P5.4.2); quorum: majorities; configuration: who counts
//   - change: what may become of a configuration, joint consensus (T4.3); members: a
//     leader's part of it, learners (T4.2.1), removal (T4.2.2)
//   - transfer: leadership handed over (T3.10)
//   - readindex: linearizable reads (T6.4); lease: the same without a round, while clocks
//     keep their bounds (T6.4.1)
//   - session: the duplicate filter that makes commands exactly-once (T6.3); session_op:
//     what its entries say; session_limits; session_table: how it is stored. The core
//     only carries these entries: the filter is the machine's
//   - invariants: what is checked after every input, by a panic
//
// # What is always true
//
//   - Nothing leaves that rests on a term or vote that is not durable: until they
//     are, every message waits in Persist.After, whatever it says.
//   - What the log no longer holds is committed, applied, and in a snapshot that the
//     core's owner keeps. No install takes back what was committed, or what a log holds
//     that agrees with the snapshot (C25).
//   - The reply to an AppendEntries waits for the entries that it covers, also where
//     they came with an earlier message and their write is still under way. Then it
//     travels with a Persist that has nothing to write and is durable as soon as
//     those before it are.
//   - A server counts its own vote, and its own log, only as far as they are durable.
//   - A message that no correct server would send is dropped whole; Core panics for
//     its own broken invariants only.
//   - A Core that learns that its disk lost what it acknowledged says so once
//     (Effects.Forgotten) and then drops every input: it neither votes, campaigns nor
//     acknowledges. It learns it from the leader to whom it acknowledged; after that
//     leader nobody knows any more.
//   - Safety does not depend on Tick (C13): a clock decides who may try, never who
//     wins.
//
// # Losses and idle time
//
// A leader learns of a lost message from the follower that misses it: once in each
// round of heartbeats, where something was outstanding at the last one and nothing
// has been acknowledged since, it sends an empty AppendEntries for the end of the
// pipeline. Who lacks something rejects it at once and names the place; who is only
// slow to write is not sent anything twice.
//
// Followers learn of a commit index with the next entries, or with the next tick.
package raft
