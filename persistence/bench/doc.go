// Command bench measures the Badger store beside a bare file with fdatasync, and
// beside other ways to lay a log out in Badger. Each figure comes from a process of
// its own, and the variants take turns, so that figures of one run can be
// compared; those of different runs, or machines, cannot.
//
//	go run ./persistence/bench                     the table of synced appends
//	go run ./persistence/bench -life 1000000       open, read, drop 90 %, get the space back
//
//	main.go       flags, rounds, tables
//	append.go     synced appends of batches
//	variants.go   what is measured: the store, a bare file, other layouts
//	life.go       opening, reading, compacting
//	process.go    what the kernel says of this process
package main
