// Command overload measures what a cluster does with more than it can carry: three
// servers, each a process of its own on this machine, fsync on, and a client process
// on the same CPUs. It first measures how much a closed loop of clients gets done, and
// then offers multiples of that in an open loop, which does not slow down when it is
// refused.
//
//	go build -o /tmp/castaway ./cmd/castaway
//	go run ./tests/overload -castaway /tmp/castaway -seconds 10 -factors 1,2,10
//
// main runs the rounds, servers starts the processes and reads what they use.
package main
