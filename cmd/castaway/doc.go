// Command castaway runs and uses a replicated key-value store: Raft, made of
// supervised actors. `castaway dev` shows it whole in one process.
//
// One file a verb: dev, start; put, get, del, ls, txn; status, member; bench;
// config, version. Beside them: main and root (the tree of verbs, global flags),
// connect (endpoints, time-outs), errors (what went wrong, what next, exit codes),
// output (table or JSON), logging.
//
// What is always true: results go to stdout, everything else to stderr; -o json
// gives one JSON document (ndjson nowhere); and the exit code tells done (0) from
// definitely not done (1), usage (2) and indeterminate (3). A node that ends by
// itself has codes of its own, see package castaway/cluster.
package main
