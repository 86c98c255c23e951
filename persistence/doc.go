// Package persistence keeps logs, terms and votes: a [Store] in Badger for
// production, one in memory, and one that fails on purpose.
//
//	store.go            the Store interface and its errors
//	group.go            what fits a group's log, and what it knows without its entries
//	memory.go           Memory: for simulations; a crash keeps any prefix
//	faulty.go           Faulty: a wrapper that fails when it is told to
//	options.go          Options of the Badger store, their limits
//	badger.go           Badger: open, close, fail
//	badger_append.go    gathering appends into commits
//	badger_sync.go      writing commits
//	badger_read.go      reading entries
//	badger_load.go      building the index at open, verifying; Load
//	badger_compact.go   moving the log's start, deleting what was before it
//	badger_group.go     the index: which record holds which entries
//	badger_log.go       Badger's log lines and background errors
//	record.go           the bytes of a write record (record_start.go: of a start record)
//	keys.go             the keys in Badger
//	directory.go        the lock of the data directory
//	identity.go         whose data it is; the mark of damage
//	condemn.go          marking data that is not what was acknowledged
//	witness.go          the second memory of how far the log was durable
//	verify.go           reading everything before Badger may touch it
//	snapshots.go        Snapshots: files of what logs no longer hold
//	snapshot_format.go  their bytes: blocks that are verified one by one
//	snapshot_directory.go, snapshot_memory.go   on disk, and in memory
//	snapshot_receive.go coming from another node
//	snapshot_publish.go making a file durable, and then there
//	snapshot_examine.go telling one that is damaged
//	offline.go          Offline: reading a directory that no node has open
//	offline_snapshots.go  its snapshots
//	frozen.go           and Badger's files in it, without Badger
//	memlog.go           Badger's memtable logs, as far as that needs them
//	space.go            room on the disk
//	scratch.go          where Badger's empty value log lives
//	advise_linux.go     keeping the kernel from writing more than was changed
//	storetest/          the suite that every store runs
//	bench/              measurements, beside a bare file
//
// # The data directory
//
//	identity   cluster, server, nonce; text with a checksum; written once
//	witness    the last commit known to be durable; two slots by turns
//	lock       locked while a process has the directory open
//	log/       Badger's
//	snapshots/ published ones, those that were found damaged, and at most one
//	           unfinished of each kind, by group
//	corrupt    only if damage was found when Badger was open already, or the server
//	           was proved to have acknowledged more than is here
//
// # The layout in Badger
//
// One commit is one Badger transaction and writes one record for each group that
// has something to write: hard state, truncation and entries in one packed value
// (record.go). So a commit costs one sync, whatever it holds, and term, vote and
// entries are durable together. Records are never changed. Their keys rise with the
// commits (keys.go): Badger's tables do not overlap, and compaction merges nothing.
// A truncation is a later record that begins at an earlier index; the index in
// memory, 16 bytes a record, knows which record holds which entry. To compact is to
// write a start record and then to delete the records before it.
//
// This layout, and Badger's settings, were chosen by measuring (bench): a packed
// batch against an entry a key takes fewer allocations and less CPU, and drops a
// prefix with fewer deletions. Values stay in the log-structured tree: Badger's
// value log would write them once less, but its failed syncs are only logged, and
// it has to be collected. Badger syncs the value log with every commit even so; an
// empty one in memory (scratch.go) makes that free. We do not sync Badger's files
// in its stead, which would rest on what they look like; we do read them before it
// opens them, because it drops what it cannot read.
//
// # What is always true
//
//   - What a Sync that returned nil covers survives any crash. Commits become
//     durable in order, each whole or not at all. One Append is in one commit,
//     unless it is larger than a transaction: then a crash may keep a prefix of its
//     entries, with its hard state and its truncation, which is what a shorter
//     AppendEntries would have left.
//   - Commits are numbered 1, 2, 3 without a gap; Badger's version of a key is the
//     number of its commit, and the newest commit's number is in Badger as long as
//     the store lives, since every commit writes something that only a later commit
//     replaces.
//   - Every record carries checksums, and the checksum of the group's record before
//     it, so that none can be lost from the middle. A record's header begins with
//     the store's nonce, so that no client can store bytes that look like one.
//   - Nothing is changed in a directory that lost what was acknowledged: verify
//     looks first, and only reads. Damage that shows later leaves a mark that keeps
//     the next start out.
//   - After a failed write or sync, whether Badger returned or only logged it,
//     nothing is written or synced any more (C40).
//   - Before less than the hard floor is free, nothing is written: Badger maps its
//     files and dies of SIGBUS on a full disk.
//
// What cannot be told apart: after a power cut that the witness, which is not
// synced, did not survive, damage to the very last commit looks like a commit that
// was never finished, and is cut off.
package persistence
