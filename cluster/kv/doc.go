// Package kv is the key-value machine: what a group of servers replicates when
// they serve the etcd API. It has etcd's meaning of revision, create_revision,
// mod_revision and version, without history: a read at an older revision is
// answered as etcd answers it after a compaction.
//
//	machine.go    Machine: Apply, Query, StateHash; the actor's side
//	store.go      the state: items, their revision, and a hash of all
//	storage.go    what holds the items; in memory, an ordered map
//	disk.go       Disk: the machine with its items on disk; Open, Commit, Restore
//	disk_storage.go    what is on disk, and what has changed since the last commit
//	disk_reader.go     reads as of a timestamp
//	disk_batch.go      a commit
//	disk_records.go    what is in Badger's keys and values
//	disk_directory.go  the directory, and whether what is in it can be trusted
//	item.go       one key: its key-value pair and its part of the state hash
//	command.go    what is in a log entry: version, kind, an etcd request
//	putwire.go    a put read from its bytes without allocating
//	result.go     what an entry answers: a code, the revision, an etcd response
//	errors.go     the errors that both have
//	check.go      what a request must be, whoever sent it
//	intervals.go  no key is modified twice in a transaction
//	txn.go        transactions: compare, check, then carry out
//	write.go      what puts and deletions do
//	compare.go    the comparisons of transactions
//	snapshot.go   the state written down, and read back
//	view.go       View: a stable copy that is read outside the machine
//	range.go      range reads: limit, filters, count
//	sort.go       their order
//
// What is always true:
//
//   - Apply is a function of the state and the command alone, and it answers
//     every sequence of bytes: what is malformed or forbidden gets an error as
//     its result, and changes nothing, on every server alike.
//   - A command takes effect whole or not at all, and all that it changes gets
//     one new revision. What changes nothing does not move the revision.
//   - An empty machine is at revision 1, so the first write makes revision 2.
//   - Items are never changed once they are in a store; a View and the response
//     made from it may be used by anyone at any time.
//   - The state hash is a sum over the items, kept up at every write, so that it
//     costs a write the hashing of what it writes and no more.
//
// On disk, also:
//
//   - A command does the same as in memory, by the same code: reads go through what has
//     changed since the last commit to what is on disk as of it.
//   - A commit has one Badger timestamp, and the record of the whole state (applied
//     index, revision, hash, counts) in its last transaction. If the newest timestamp
//     has no such record, or the system went down while the directory was open, the
//     state counts as none, and is made again from a snapshot and the log.
//   - What a View or snapshot may still read is not compacted away until it is garbage.
//   - A read that fails makes the next Commit fail: no wrong state is ever kept.
//
// Where this departs from etcd: keys that are put have MaxKeyBytes at most; a put into what the same transaction deletes with
// range_end "\0" is a duplicate key (etcd lets it pass, and fails later in one
// case); a sort_target without a sort_order sorts everything before it cuts at
// the limit (etcd cuts first); leases do not exist yet.
package kv
