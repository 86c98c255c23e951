// Package pool gives actors goroutines that have been used before.
//
// protoactor's own dispatcher starts a goroutine for every run of an actor, with a
// small stack that has to grow, and to be copied, before the first message is dealt
// with. With many groups on a node most runs are for a message or two, and that is
// most of what they cost: with 64 groups, a pool doubles the writes a second. With
// one busy group, whose runs are long, it makes no difference.
package pool
