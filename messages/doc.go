// Package messages is the wire and the frame: the protobuf schema, its generated
// code, the conversion between it and package raft, and the one encoding that an
// entry has on disk and on the wire.
//
//   - castaway.proto, castaway.pb.go: the schema and what is generated from it
//   - frame.go: an entry's frame: [Seal], [DecodeEntry]
//   - frames.go: the frames of one AppendEntries, packed into one field
//   - encode.go, decode.go: [ToEnvelope], [FromEnvelope], [Validate]
//   - bundle.go: the heartbeats of many groups in one envelope
//   - kind.go: what an envelope carries, by name
//   - trace.go: raft.TraceEvent as a line of JSON
//   - quiet.go: an envelope that comes too late is not worth a log line
//   - errors.go: why something is not to be used
//
// What is always true:
//
//   - One message type crosses the wire, the [Envelope]. A new kind is a new
//     variant of its oneof; a node that does not know it gets [ErrUnknownKind]
//     and goes on.
//   - An entry is encoded once, by the leader that made it. Followers, disks and
//     later leaders carry the same bytes along, and every reader verifies their
//     CRC32C.
//   - Decoders survive any bytes, and allocate no more than a small multiple of
//     what came in.
//
// # Who owns which bytes
//
// [Seal] copies: what Data held before is the caller's again. [ToEnvelope] copies
// the frames into the envelope: message and envelope share nothing. Decoders do
// not copy: the entries of [FromEnvelope] alias the envelope's bytes, and those of
// [DecodeEntry] the frame's, so neither may be changed any more. The entries of
// one message, or of one Seal, share one block of memory, which lives as long as
// any of them.
//
// # Changing the schema
//
// In this folder:
//
//	go tool -modfile=../tests/tools/go.mod buf lint
//	go tool -modfile=../tests/tools/go.mod buf generate
//
// Field numbers are never used again for something else; the golden files in
// testdata show that what older versions wrote still reads the same.
package messages
