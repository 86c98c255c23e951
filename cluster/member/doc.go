// Package member is what a cluster's log says about each of its members, beside the
// id: its name, and where peers and clients reach it. To package raft it is the
// opaque Context of a raft.Member.
//
// What is always true: equal values have equal bytes, what Encode wrote Decode reads
// for ever, and Decode survives any bytes.
package member
