// Package messages is the wire: the protobuf schema (castaway.proto), its
// generated code, and the conversion between it and package raft.
package messages
