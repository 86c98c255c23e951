//go:build !linux

package persistence

// adviseMem is of use on Linux only.
func adviseMem(string) {}
