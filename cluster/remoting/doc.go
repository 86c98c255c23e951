// Package remoting carries envelopes between nodes over TCP, by protoactor's
// remoting, and keeps out what others may send there. [Start] gives a [Remoting],
// the [castaway/actors.Network] of a node.
//
// What is always true:
//
//   - protoactor's reader never sees a message from the network but one request to
//     connect that is in order. Batches are taken apart here, and only envelopes of
//     our type, addressed to our transport, in the name of the node that the stream
//     belongs to, are handed on, to the attached transport and to nobody else.
//   - Whatever else comes is dropped, counted by reason, logged once per peer and
//     reason, and the stream goes on; or it ends, where gRPC or protoactor can't go
//     on with it. No panic leaves the package.
//   - What is not yet on its way after Limits.MaxAge never leaves; a peer that
//     takes no bytes for Limits.SendTimeout loses its connection with all that is
//     on it. To a peer that is not connected nothing goes but one probe.
//   - A lost connection is told once, and never of the connection made since.
//   - A node has one address at a time, the same string everywhere; plaintext stays
//     on loopback unless told otherwise.
//   - Links follow [Remoting.Update] while the node runs. A node of our cluster that
//     nobody has named, or that has moved, is let in as well, if its certificate names
//     it, and can be answered as long as it is connected; of those there are at most
//     Limits.MaxStrangers. A link of one peer is never changed: another takes its
//     place, and what was on its way is lost with it.
//
// # Departures from protoactor's ways
//
// Its writer sleeps two seconds after every failure, tells of one loss several
// times, and waits without limit; its reader trusts what it reads; its graceful
// shutdown waits for the dead, and can panic. So the dialing side sees protoactor
// through a stream of our own ([outgoing]), the listening side through another
// ([incoming]), and Stop stops what runs by itself. What remains protoactor's:
// addresses and PIDs, a queue and a writer per peer, batching, the wire format.
//
// gRPC's own logging is silenced for the whole process by protoactor.
//
// # Files
//
//   - config.go: what a node is told, the one address, plaintext
//   - tls.go: certificates that name nodes
//   - remoting.go: Start, Send, Stop; connections made and lost
//   - peers.go: who the peers are: members, and those whom nobody named
//   - recipe.go: how gRPC and protoactor are set up
//   - dial.go: connecting, again and again
//   - outgoing.go, letter.go: to a peer: attempts, time limits, batches by bytes
//   - incoming.go: from a peer, or somebody: who it is, what gets through
//   - inspect.go, codec.go: the firewall's eyes: each message; its parts' number
//   - stats.go: counters, and logging once
package remoting
