// Package outcome is what the etcd door's errors say beyond etcd's own: whether the
// request is definitely not done or indeterminate, why, and who leads. It travels as
// a google.rpc.ErrorInfo in the details of the gRPC status, which etcd's clients pass
// over and castaway's client reads.
//
// What is always true: an error of the door with an Info without Indeterminate means
// that the request had no effect and never will have.
package outcome
