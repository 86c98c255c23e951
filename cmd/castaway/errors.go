package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"castaway/cluster"
)

// usageError means that the command line made no sense; nothing was tried.
type usageError struct {
	command string
	err     error
}

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usagef(command, format string, args ...any) error {
	return &usageError{command: command, err: fmt.Errorf(format, args...)}
}

// hinted is an error with what to do next.
type hinted struct {
	err  error
	next string
}

func (e *hinted) Error() string { return e.err.Error() }
func (e *hinted) Unwrap() error { return e.err }

// isUsage knows our own errors of usage and cobra's, which have no type.
func isUsage(err error) bool {
	var usage *usageError
	if errors.As(err, &usage) {
		return true
	}
	for _, start := range []string{"unknown command", "unknown flag", "unknown shorthand flag", "flag needs an argument", "invalid argument", "required flag"} {
		if strings.HasPrefix(err.Error(), start) {
			return true
		}
	}
	return false
}

// exitCode is 0 done, 1 definitely not done, 2 usage, 3 indeterminate, or one of
// a node's own.
func exitCode(err error) int {
	switch {
	case err == nil:
		return cluster.ExitDone
	case isUsage(err):
		return cluster.ExitUsage
	case isIndeterminate(err):
		return cluster.ExitIndeterminate
	default:
		return cluster.ExitCode(err)
	}
}

// printError writes what happened, and what to do next.
func printError(w io.Writer, err error) {
	fmt.Fprintf(w, "castaway: %s\n", strings.TrimSpace(err.Error()))
	if next := nextStep(err); next != "" {
		fmt.Fprintf(w, "next: %s\n", next)
	}
}

func nextStep(err error) string {
	var hint *hinted
	var usage *usageError
	switch {
	case errors.As(err, &hint):
		return hint.next
	case errors.As(err, &usage) && usage.command != "":
		return fmt.Sprintf("`%s --help` shows how it is used", usage.command)
	case isUsage(err):
		return "`castaway --help` lists the commands"
	default:
		return clientHint(err)
	}
}
