// Package roster is what requests and responses of etcd's Cluster service say beyond
// etcd's own messages, as gRPC metadata. A client or server that does not know it
// misses nothing but that.
package roster
