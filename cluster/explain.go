package cluster

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"castaway/persistence"
)

// explain adds to an error of the store what to do about it, if it does not say so
// itself.
func explain(err error, dir string) error {
	switch {
	case tooManyFiles(err):
		return fmt.Errorf("%w; nothing is wrong with the disk: raise the limit of open files (ulimit -n, or LimitNOFILE of its service) to %d or more, then start the node again",
			err, enoughFiles)
	case errors.Is(err, persistence.ErrFailed) && !errors.Is(err, persistence.ErrCorrupt):
		return fmt.Errorf("%w; check the disk of %s (dmesg), then start the node again", err, dir)
	default:
		return err
	}
}

// tooManyFiles looks into the text, too: some of what Badger says is nothing else.
func tooManyFiles(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || strings.Contains(err.Error(), syscall.EMFILE.Error())
}
