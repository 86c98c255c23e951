package e2e

import (
	"errors"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
)

// definitelyNotDone says whether an error promises that nothing happened, and
// never will. What clientv3 makes of any other error is an unknown outcome.
func definitelyNotDone(err error) bool {
	for _, promise := range []error{rpctypes.ErrNoLeader, rpctypes.ErrTooManyRequests, rpctypes.ErrNoSpace, rpctypes.ErrRequestTooLarge} {
		if errors.Is(err, promise) {
			return true
		}
	}
	return false
}
