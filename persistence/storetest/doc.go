// Package storetest says, as tests, what a persistence.Store must do. Every store
// runs all of it: call [Run] with a way to make one and to crash it.
//
//	suite.go   Run: the rules one by one
//	model.go   the simplest store that could be right: slices in memory
//	check.go   random operations on a store and the model side by side
package storetest
