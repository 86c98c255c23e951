// Package persistence keeps logs, terms and votes: a Store in Badger for
// production, one in memory, and one that fails on purpose.
package persistence
