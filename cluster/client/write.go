package client

import (
	"context"
	"errors"

	"google.golang.org/grpc"
)

// writing is a write on its way: M is what the server answers, R what the caller gets.
type writing[M, R any] struct {
	client  *Client
	request request
	send    func(context.Context, grpc.ClientConnInterface) (M, error)
	convert func(M) *R
}

// write carries out a write, in the client's session if it has one. A session that had
// ended before the write was sent is replaced.
func write[M, R any](ctx context.Context, c *Client, r request, send func(context.Context, grpc.ClientConnInterface) (M, error), convert func(M) *R) (*R, error) {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	w := &writing[M, R]{client: c, request: r, send: send, convert: convert}
	for {
		var err error
		if w.request.ticket, err = c.place(ctx, &w.request); err != nil {
			return nil, err
		}
		result, err := w.attempt(ctx)
		if e := (*Error)(nil); errors.As(err, &e) && e.Reason == reasonSessionUnknown && (!e.Indeterminate || r.repeat) && ctx.Err() == nil {
			continue
		}
		return result, err
	}
}

// attempt sends the write until its outcome is known, or time is up.
func (w *writing[M, R]) attempt(ctx context.Context) (*R, error) {
	t := w.request.ticket
	message, err := invoke(ctx, w.client, w.request, w.send)
	if t == nil {
		if err != nil {
			return nil, err
		}
		return w.convert(message), nil
	}
	var e *Error
	switch {
	case err == nil:
		t.done()
		return w.convert(message), nil
	case errors.As(err, &e) && e.Reason == reasonSessionUnknown:
		w.client.sessions.lose(t.session)
	case e != nil && e.Indeterminate && e.Reason != reasonResultLost:
		w.request.doubt = true
		t.park()
		e.resolve = w.resolve
	default:
		t.done()
	}
	return nil, err
}

const reasonResultLost = "RESULT_LOST"

// resolve asks again.
func (w *writing[M, R]) resolve(ctx context.Context, before *Error) (any, error) {
	if !w.request.ticket.unpark() {
		return nil, before
	}
	result, err := w.attempt(ctx)
	if err != nil {
		return nil, err
	}
	return result, nil
}

// Resolve finds out what became of a write that ended with an ErrIndeterminate, by
// sending it again under the same number of its session: it is done now, once, unless it
// has been. It returns what the write would have: a *PutResult, *DeleteResult or
// *TxnResult. Its error is ErrIndeterminate again if ctx ends, too, or if it can't be
// known any more: the write was made without a session, the session has ended, or so
// many writes came after it that the cluster keeps its answer no longer. One caller at a
// time gets an answer.
func (c *Client) Resolve(ctx context.Context, err error) (any, error) {
	var e *Error
	if !errors.As(err, &e) || e.resolve == nil {
		return nil, err
	}
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	return e.resolve(ctx, e)
}
