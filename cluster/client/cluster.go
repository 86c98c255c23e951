package client

import (
	"context"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
)

// Status asks one member what it says of itself. It is not repeated elsewhere, and
// what keeps the member from working is in Status.Errors.
func (c *Client) Status(ctx context.Context, at string) (*Status, error) {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	failure := &Error{Op: "status", Endpoint: at, Attempts: 1}
	e, err := c.endpointFor(at)
	if err != nil {
		failure.Err = err
		return nil, failure
	}
	r, err := pb.NewMaintenanceClient(e.conn).Status(ctx, &pb.StatusRequest{})
	if err != nil {
		failure.Attempts = 0
		failure.note(e, err, judge(ctx, err, &trace{}, true))
		return nil, failure
	}
	return &Status{
		Header: headerOf(r.Header), Version: r.Version, Leader: r.Leader, RaftTerm: r.RaftTerm,
		RaftIndex: r.RaftIndex, AppliedIndex: r.RaftAppliedIndex, DBSize: r.DbSize, Errors: r.Errors,
	}, nil
}
