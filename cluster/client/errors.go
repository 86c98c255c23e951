package client

import (
	"context"
	"errors"
	"fmt"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc/codes"
)

// Every error of a request is exactly one of these.
var (
	// ErrNotDone is in an error of a request that had no effect and never will have.
	ErrNotDone = errors.New("definitely not done")
	// ErrIndeterminate is in an error of a request that may have been done, or may
	// still be done later. Find out by Client.Resolve or by reading, or repeat what may
	// happen twice.
	ErrIndeterminate = errors.New("indeterminate: it may have been done, or may still be done")
)

// Error is why a request failed. errors.Is finds ErrNotDone or ErrIndeterminate in
// it, the errors of etcd's package rpctypes, and those of context.
type Error struct {
	Op       string // "put", "get", "delete", "txn", "status", "member list", "leader transfer", …
	Key      string // the first it was about
	Endpoint string // of the last attempt
	Attempts int
	// Indeterminate says whether any attempt may have had an effect.
	Indeterminate bool
	Code          codes.Code // of the last attempt
	Reason        string     // of the last attempt, one word, if the server gave one
	Detail        string     // of the last attempt, if the server gave any
	Leader        uint64     // the member that leads, if the server said so
	Err           error      // of the last attempt

	resolve func(context.Context, *Error) (any, error) // see Client.Resolve
}

func (e *Error) Error() string {
	what := e.Op
	if e.Key != "" {
		what = fmt.Sprintf("%s %q", e.Op, e.Key)
	}
	return fmt.Sprintf("%s: %s (%v; attempt %d, at %s)", what, e.why(), e.outcome(), e.Attempts, e.Endpoint)
}

func (e *Error) why() string {
	if e.Detail != "" {
		return e.Detail
	}
	return rpctypes.ErrorDesc(e.Err)
}

func (e *Error) outcome() error {
	if e.Indeterminate {
		return ErrIndeterminate
	}
	return ErrNotDone
}

// Unwrap gives the outcome, the last attempt's error, and what both say in the terms
// of rpctypes and context.
func (e *Error) Unwrap() []error {
	errs := []error{e.outcome(), e.Err}
	if known := rpctypes.Error(e.Err); !errors.Is(e.Err, known) {
		errs = append(errs, known)
	}
	switch e.Code {
	case codes.DeadlineExceeded:
		errs = append(errs, context.DeadlineExceeded)
	case codes.Canceled:
		errs = append(errs, context.Canceled)
	}
	return errs
}
