package cluster

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"castaway/persistence"
)

func TestANodeThatRanOutOfFilesIsNotSentToItsDisk(t *testing.T) {
	for what, cause := range map[string]error{
		"a call that failed":  fmt.Errorf("%w: open 000007.sst: %w", persistence.ErrFailed, syscall.EMFILE),
		"what Badger reports": fmt.Errorf("%w: badger: while opening 7: too many open files", persistence.ErrFailed),
	} {
		err := explain(cause, "data")
		if !errors.Is(err, persistence.ErrFailed) || !strings.Contains(err.Error(), "ulimit -n") || strings.Contains(err.Error(), "check the disk") {
			t.Errorf("%s: %v, want the advice to raise the limit", what, err)
		}
	}
	if err := explain(persistence.ErrFailed, "data"); !strings.Contains(err.Error(), "check the disk of data") {
		t.Errorf("%v: want the advice to check the disk", err)
	}
}
