package cluster

import (
	"errors"
	"fmt"

	"castaway/persistence"
)

// explain adds to an error of the store what to do about it.
func explain(err error, dir string) error {
	var advice string
	switch {
	case errors.Is(err, persistence.ErrCorrupt):
		advice = "this node has lost what it acknowledged, so it must not vote again as it is: keep the directory " + dir +
			" for examination, and do not start a node with this id on an empty one either, since it would have forgotten its votes; the other members go on as long as they are a majority"
	case errors.Is(err, persistence.ErrLocked):
		advice = "stop the process that uses " + dir + ", or give this node a data-dir of its own"
	case errors.Is(err, persistence.ErrMismatch):
		advice = dir + " belongs to another node or cluster; check id, cluster-name, peers and data-dir against how it was first started"
	case errors.Is(err, persistence.ErrFailed):
		advice = "a write or sync of " + dir + " failed and was not retried; check the disk (dmesg), then start the node again"
	default:
		return err
	}
	return fmt.Errorf("%w; %s", err, advice)
}
