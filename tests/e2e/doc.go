// Package e2e runs castaway as people run it: five processes of the real binary,
// real disks, real sockets, and the real etcdctl and clientv3 as clients.
//
//	go test .                             # needs nothing but Go; a minute or two
//	sudo go test . -run Chaos -duration 3m  # kills, stops and partitions in network namespaces
//
// The chaos test needs root, ip and nft: it moves itself into a network namespace
// of its own, where each server gets another one, joined by a bridge; nothing of
// that outlives the test.
package e2e
