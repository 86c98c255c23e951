// Command castaway runs and uses a replicated key-value store: Raft, made of
// supervised actors. `castaway dev` shows it whole in one process.
//
// One file a verb: dev, start, recover; put, get (with ls), del, txn, status, member, inspect;
// bench; config, version. What a verb needs besides is in files that begin with its name:
// dev_cluster, dev_story, dev_demo; txn_parse; bench_run, bench_open, bench_result, bench_groups. Shared by
// all: main and root (the tree of verbs, global flags), connect (endpoints,
// time-outs), errors (what went wrong, what next, exit codes), output (table or
// JSON), words, logging.
//
// What is always true: results go to stdout, everything else to stderr; -o json
// gives one JSON document (inspect: one a line); and the exit code tells done (0) from
// definitely not done (1), usage (2) and indeterminate (3). A node that ends by
// itself has codes of its own, see package castaway/cluster.
package main
