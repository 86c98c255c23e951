package client

import (
	"context"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"
)

// request is what is common to all kinds of requests.
type request struct {
	op     string
	key    string
	read   bool          // it changes nothing
	repeat bool          // it may be repeated even if it was done
	maxLag time.Duration // how stale a read may be; zero: no bound
	ticket *ticket       // its place in a session, in which it is done once however often it is sent
	doubt  bool          // an attempt at it may have been carried out
}

// repeatable says that no attempt can do harm.
func (r *request) repeatable() bool { return r.read || r.repeat || r.ticket != nil }

// invoke carries out a request by as many attempts as it takes and may take.
func invoke[T any](ctx context.Context, c *Client, r request, call func(context.Context, grpc.ClientConnInterface) (T, error)) (T, error) {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	c.lookForLeader()
	failure := &Error{Op: r.op, Key: r.key, Indeterminate: r.doubt}
	for {
		e := c.endpoint()
		response, t, err := attempt(ctx, c, e, &r, call)
		if err == nil {
			return response, nil
		}
		v := judge(ctx, err, t, r.read)
		failure.note(e, err, v)
		r.doubt = failure.Indeterminate
		if !c.again(ctx, &r, e, v, failure) {
			var none T
			return none, failure
		}
	}
}

// bounded gives a deadline to a request without one.
func (c *Client) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, bounded := ctx.Deadline(); bounded {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, c.opts.RequestTimeout)
}

func attempt[T any](ctx context.Context, c *Client, e *endpoint, r *request, call func(context.Context, grpc.ClientConnInterface) (T, error)) (T, *trace, error) {
	ctx, t := withTrace(ctx)
	if r.repeatable() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.opts.Retry.AttemptTimeout)
		defer cancel()
	}
	if r.ticket != nil {
		ctx = r.ticket.attach(ctx, !r.doubt)
	}
	response, err := call(ctx, e.conn)
	return response, t, err
}

// note records an attempt that failed.
func (e *Error) note(at *endpoint, err error, v verdict) {
	e.Attempts++
	e.Endpoint = at.address
	e.Err = err
	e.Code = v.code
	e.Reason = v.info.Reason
	e.Detail = v.info.Detail
	e.Leader = v.info.Leader
	e.Indeterminate = e.Indeterminate || v.indeterminate
}

// again decides whether there is another attempt, and waits until it is time for it.
func (c *Client) again(ctx context.Context, r *request, at *endpoint, v verdict, failure *Error) bool {
	if !v.passing || (v.indeterminate && !r.repeatable()) {
		c.leave(at, v)
		return false
	}
	moved := c.leave(at, v)
	if limit := c.opts.Retry.MaxAttempts; limit > 0 && failure.Attempts >= limit {
		return false
	}
	if moved && failure.Attempts == 1 {
		return ctx.Err() == nil // the first hint is worth following at once
	}
	pause := c.opts.Retry.pause(failure.Attempts, v.info.RetryAfter, c.random())
	if deadline, _ := ctx.Deadline(); time.Until(deadline) <= pause {
		return false
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func kvOf(conn grpc.ClientConnInterface) pb.KVClient { return pb.NewKVClient(conn) }
