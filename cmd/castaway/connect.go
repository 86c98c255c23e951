package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/grpc/codes"

	"castaway/actors"
	"castaway/cluster/client"
)

const defaultEndpoint = "127.0.0.1:2379"

func (a *app) defaultEndpoints() []string {
	var list []string
	for e := range strings.SplitSeq(a.getenv("CASTAWAY_ENDPOINTS"), ",") {
		if e = strings.TrimSpace(e); e != "" {
			list = append(list, e)
		}
	}
	if len(list) == 0 {
		return []string{defaultEndpoint}
	}
	return list
}

// connect makes a client of the endpoints.
func (a *app) connect(retry client.RetryPolicy, endpoints ...string) (*client.Client, error) {
	c, err := client.New(client.Options{Endpoints: endpoints, RequestTimeout: a.timeout, Retry: retry})
	if err != nil {
		return nil, &usageError{command: "castaway", err: fmt.Errorf("--endpoints: %w", err)}
	}
	return c, nil
}

// with runs do with a client, within the time-out.
func (a *app) with(ctx context.Context, do func(context.Context, *client.Client) error) (err error) {
	c, err := a.connect(client.RetryPolicy{}, a.endpoints...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	ctx, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	return do(ctx, c)
}

func isIndeterminate(err error) bool {
	return errors.Is(err, client.ErrIndeterminate) || errors.Is(err, actors.ErrIndeterminate)
}

// clientHint is what to do about a request that failed.
func clientHint(err error) string {
	var failed *client.Error
	switch {
	case !errors.As(err, &failed):
		return ""
	case failed.Indeterminate:
		return "find out with `castaway get`, or repeat it if doing it twice does no harm"
	case failed.Code == codes.Unavailable:
		return "`castaway status` shows which servers answer, and who leads; check --endpoints " +
			"(`castaway dev` starts a cluster to play with)"
	case failed.Code == codes.DeadlineExceeded:
		return "`castaway status` shows who leads; a longer --timeout may help if a leader is being elected"
	default:
		return ""
	}
}
