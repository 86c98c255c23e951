package cluster

import (
	"errors"

	"castaway/actors"
	"castaway/cluster/config"
	"castaway/persistence"
)

// Exit codes of a castaway process; see the package documentation.
const (
	ExitDone          = 0
	ExitNotDone       = 1
	ExitUsage         = 2
	ExitIndeterminate = 3
	ExitStoreFailed   = 70
	ExitCorrupt       = 71
	ExitRestartBudget = 72
	ExitLocked        = 73
	ExitMismatch      = 74
	ExitListen        = 75
	ExitDirectory     = 76
	ExitRemoved       = 77
)

// Errors that end a node, besides those of its store.
var (
	// ErrListen means that an address could not be listened on.
	ErrListen = errors.New("cluster: cannot listen")
	// ErrStopTimeout means that a part did not stop in time and was left behind.
	ErrStopTimeout = errors.New("cluster: a part did not stop in time")
)

// ExitCode is what a process says that ends with err.
func ExitCode(err error) int {
	switch {
	case err == nil:
		return ExitDone
	case errors.Is(err, ErrRemoved):
		return ExitRemoved
	case errors.Is(err, config.ErrInvalid):
		return ExitUsage
	case errors.Is(err, persistence.ErrCorrupt):
		return ExitCorrupt
	case errors.Is(err, persistence.ErrLocked):
		return ExitLocked
	case errors.Is(err, persistence.ErrMismatch):
		return ExitMismatch
	case errors.Is(err, persistence.ErrDirectory):
		return ExitDirectory
	case errors.Is(err, persistence.ErrFailed):
		return ExitStoreFailed
	case errors.Is(err, actors.ErrBudget):
		return ExitRestartBudget
	case errors.Is(err, ErrListen):
		return ExitListen
	case errors.Is(err, actors.ErrIndeterminate):
		return ExitIndeterminate
	default:
		return ExitNotDone
	}
}
