// Package actors is the supervised cast that runs a raft.Core: it gives the
// algorithm a clock, a disk, a network, clients and a state machine, and survives
// the panic of any of its members.
//
// # The cast
//
//	host                one per node
//	├─ transport        a gate per peer; the only one that talks to the Network
//	└─ group-<id>       one Raft group; many may live on a host
//	   ├─ server        raft.Core, and what clients get in each role
//	   ├─ log           the only one that writes the group's log, and waits for the disk
//	   ├─ machine       the user's StateMachine
//	   ├─ archive       writes the machine's snapshots into files
//	   ├─ courier-<id>  carries snapshots to another node, while this one leads
//	   └─ receiver      takes the snapshot that a leader sends
//
// What a crash costs, and how many are allowed (the budgets are configurable):
//
//	actor      its panic costs                                         restarts   when they run out
//	server     its core and leadership; commands in flight end as      10 in 10 s the group halts here,
//	           indeterminate, reads are asked again                               the host fails
//	log        what was not yet written, which nobody relied on; the   10 in 10 s the same
//	           server starts from disk, as a new incarnation
//	machine    a restore from the newest snapshot, and a replay of     10 in 10 s the same
//	           the log from there; no command, no answer, no
//	           leadership; 3 panics at one index halt the group
//	archive    the snapshot that it was writing; the next one is       10 in 10 s the same
//	           taken when it is due
//	courier    nothing: the next instance goes on where the receiver    10 in 10 s the same
//	receiver   is; at most the last block of what came comes again
//	transport  what was in its hands, like a lost packet               10 in 10 s the host fails
//	group      server, log and machine start from disk                 3 in 10 s  the group halts here,
//	                                                                              the host fails
//	host       everything starts from disk                             3 in 10 s  the host fails
//
// A host that fails says so once, to HostConfig.OnFail, and Host.Err keeps the
// reason. It is then up to the process to end: see package cluster.
//
// # Where things are
//
//   - handle.go, errors.go, machine_api.go, status.go, events.go, config.go,
//     limits.go: what users see; snapshots_api.go: how snapshots are asked for
//   - host.go, hostactor.go: the host; supervision.go: who restarts, how often
//   - group.go: a group's children, and its end; board.go: what they share
//   - server.go: a core's owner; recovering.go, following.go, campaigning.go,
//     leading.go, halted.go: its behaviours
//   - waiters.go: a request; inbox.go: where it waits; ledger.go: what the server
//     owes; desk.go: what the machine has to do
//   - batch.go, reads.go, forwarding.go, forwardreply.go: how commands become entries, how reads
//     become linearizable, how both reach the leader from another node
//   - session.go, session_pending.go: exactly-once for who is in this process;
//     session_door.go: for doors; session_renewals.go: many renewals in one entry;
//     session_filter.go: what the machine does with sessions' entries;
//     session_snapshot.go: the filter in snapshots, and beside an on-disk machine
//   - log.go: group commit
//   - machine.go: applying; turns.go: answering reads in turn; replay.go: reading the log, and poison
//   - transport.go, gate.go, transport_api.go, transport_stats.go,
//     local_network.go: the way to other nodes; peers.go: who they are: members,
//     those that leave, strangers
//   - machine_state.go: where a machine begins, how a snapshot replaces its state, when
//     one is taken; archive.go: writing it; compacting.go: what the server does then
//   - courier.go, receiver.go: a snapshot file on its way to another node, in chunks;
//     dispatch.go: who gets what is about it; transfer.go: limits, throttle; lanes.go:
//     what may come in over which of two networks; snapshot_stats.go: what is counted
//   - ticker.go, resting.go, bundles.go: one timer and one exchange of heartbeats
//     for all groups of a host
//   - membership.go: changes of members, transfers of leadership, this node's removal
//   - roundtrip.go: how long heartbeats take
//   - stall.go: a leader whose disk hangs stands aside
//   - leases.go: reads that rest on the leader's lease
//   - stale_reads.go: reads that may be behind, within bounds
//   - forgotten.go: the end of a server whose disk lost what it acknowledged
//   - mailbox.go: what an actor's name stands for is complete before anyone reaches it
//   - guard.go: stacks of panics, injected panics; clock.go: time
//   - reporting.go: how a Status is made
//
// # The way of a write
//
// A caller puts a waiter, which is pooled, in the server's inbox. The server takes
// all that has gathered, when fewer batches are on their way than the limits
// allow: one core.Propose, one message to the transport, then one to the log. What
// the core commits goes to the machine in one piece of work, with the waiters,
// and the machine answers them in one pass. So a command costs no actor message
// beyond a share in its batch's, no future, and no allocation here.
//
// # Many groups
//
// The groups of a host share its store, where one sync carries what all of them have
// appended; the transport, with one connection to a peer; one timer, which ticks for
// all at the same moment; and one exchange of heartbeats with each peer an interval,
// in two envelopes. A heartbeat that a read waits for takes along what has gathered,
// and waits for nothing.
//
// A group at rest costs an interval one message of ticks at each member, one of a
// heartbeat and one of its reply. Its ticks come in bunches of HeartbeatTicks as long as its core is calm
// (see raft.Core.Calm) and no request waits: the counts of ticks, and so election
// timeouts, check-quorum and stickiness, stay what they are, at most HeartbeatTicks
// late. Groups do not go to sleep altogether: their leases, check-quorum and bounded
// staleness would then rest on the heartbeats of nodes instead of terms.
//
// # Sessions
//
// A session (T6.3) is registered by an entry, whose index is its id. Its commands carry
// sequence numbers; the machine actor executes each number once, in any order within a
// window, and keeps the results until the client acknowledges them by the lowest number
// that it still needs. Time that ends sessions is replicated: each entry of a session
// says for how long its leader had led by then, and only differences within a term
// count, so that no clock is compared with another's and none can jump. A session that
// is unknown is an error: what was proposed in it was not done by this attempt, and an
// earlier attempt's outcome is unknown.
//
// # Overload
//
// Everything that can grow is bounded by Limits, and what exceeds one is refused at
// once by an Error that names it and says when to come back: nothing was done for it.
// How long a request waits for its turn is bounded too (MaxQueueWait): the queue is
// as long as what is carried out in that time, whatever that is, so that what is
// carried out is still wanted. Ticks, heartbeats and votes are messages, and requests
// wait in inboxes, so that no number of requests is in their way; at the machine,
// reads and writes take turns. A request whose caller has gone is dropped when its
// turn comes, as long as nothing was done for it.
//
// # What is always true
//
//   - Every request is answered exactly once: done, definitely not done, or
//     indeterminate. What was done at the leader stays done: a result too large to
//     come back from there is an error that Is ErrDone, beside the index. A waiter has one owner at any time, and all places where it can
//     wait outlive the actors (inbox, ledger, desk).
//   - A command that is still in an inbox has not been done.
//   - At most one core of a group exists on a node. A new one is made from what the
//     log actor read behind everything that the one before had sent it, and the log
//     takes writes only of the incarnation that it has opened. So no crash makes a
//     second voter with an older memory (C43).
//   - What rests on a write leaves from the log actor, after the sync (C08). A store
//     that failed is never written again, and nothing is acknowledged after it (C40).
//     Without space it is asked again, and nothing is acknowledged until it has it.
//   - Below the disk's reserve a leader proposes nothing for clients; what is proposed
//     is taken and committed down to the store's own floor, so that reads go on.
//   - A leader whose disk ends no write for StallTicks, by default the longest election timeout, hands its
//     leadership over at once; what it had proposed the others commit without it.
//   - A server that a leader proves to have lost what it acknowledged halts, and its
//     data is condemned: no later start on it takes part (persistence.Store.Condemn).
//   - Behaviours decide what clients get; messages of other servers go to the core
//     in every one of them. After each message, behaviour and core.Role() agree.
//   - A command of a session is executed at most once: the filter (raft.Sessions) is the
//     machine's, changes with its applied index, and is restored with it. A retry gets
//     the first result and index.
//   - The machine holds exactly the entries up to its applied index, and its state
//     never goes back in time for a reader, also across its crashes.
//   - What the machine takes from the log, it has read in the same state of the log
//     as the committed position that vouches for it (see replay.go).
//   - A request is forwarded at most once (C36).
//   - The transport's peers are the members of all groups here, those that were until
//     a moment ago, and a bounded number of nodes of our cluster that talk to us
//     nevertheless (C16).
//   - No actor starts a goroutine, reads a clock, or uses chance other than through
//     HostConfig; so a Dispatcher and a Clock that are deterministic make the cast so.
//
// # Where the design was left, and why
//
//   - A panic in server or log restarts that one, not the group: the mailboxes
//     survive, so the order in the log's mailbox is all that is needed to hand over
//     from one incarnation to the next, and the machine need not replay.
//   - Requests wait in inboxes, not mailboxes. A mailbox has no bound, vanishes
//     with its actor without a word, and costs a message a command.
//   - A leader limits its batches on their way (MaxUnsyncedBatches,
//     MaxUncommittedBatches), beside the self-sent flush of the log: messages and
//     syncs, not bytes, are what costs.
//   - A panic in StateMachine.Query is an error to its caller and not a crash, since
//     a client could use up the budget with it. A query must not change the machine.
//   - A halted group neither votes nor acknowledges on its node, also after poison,
//     so that the lead goes to a node whose machine may be able to go on.
//   - protoactor makes a name known before its mailbox can schedule anything, and a sender
//     to it could panic; mailbox.go has senders wait for that moment.
//   - protoactor's supervisor strategies, futures, stash, timers and metrics are not
//     used: they bring their own clock, goroutines, or silence.
package actors
