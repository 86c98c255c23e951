// Package apitest has a group of one that needs no cluster, for tests of doors and of
// their clients: commands are applied to a key-value machine at once, in memory, and
// a test can make any request fail, before it is done or after.
package apitest
