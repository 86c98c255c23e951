// Command peers measures this library beside hashicorp/raft over raft-wal: three
// voters each, every one a process of its own on this machine, fsync on, puts of
// 16 B keys and 256 B values proposed inside the leader's process by closed-loop
// clients. The two take turns in one run, since absolute figures move with the
// machine.
//
//	go run . -rounds 3 -seconds 5 -clients 1,16,64,256,1024
//
// main runs the rounds; cluster starts the voters and reads what they use; node is
// one voter with its control door, castaway and hashicorp the two kinds; load is
// the closed-loop clients, report the table of medians.
package main
