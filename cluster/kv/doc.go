// Package kv is the key-value machine: what a group of servers replicates when
// they serve the etcd API. It has etcd's meaning of revision, create_revision,
// mod_revision and version, without history: a read at an older revision is
// answered as etcd answers it after a compaction.
//
//	machine.go    Machine: Apply, Query, StateHash; the actor's side
//	store.go      the ordered map of immutable items, its revision and its hash
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
//   - Items are never changed once they are in the map; a View and the response
//     made from it may be used by anyone at any time.
//   - The state hash is a sum over the items, kept up at every write, so that it
//     costs a write the hashing of what it writes and no more.
//
// Where this departs from etcd: a put into what the same transaction deletes with
// range_end "\0" is a duplicate key (etcd lets it pass, and fails later in one
// case); a sort_target without a sort_order sorts everything before it cuts at
// the limit (etcd cuts first); leases do not exist yet.
package kv
