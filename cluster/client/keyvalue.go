package client

import (
	"context"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"

	"castaway/cluster/etcdapi/staleness"
)

// Put writes a key.
func (c *Client) Put(ctx context.Context, key string, value []byte, opts ...PutOption) (*PutResult, error) {
	r := request{op: "put", key: key}
	message := putOf(key, value, &r, opts)
	return write(ctx, c, r, func(ctx context.Context, conn grpc.ClientConnInterface) (*pb.PutResponse, error) {
		return kvOf(conn).Put(ctx, message)
	}, putResultOf)
}

// Get reads a key, or several. That there is none is no error.
func (c *Client) Get(ctx context.Context, key string, opts ...GetOption) (*GetResult, error) {
	r := request{op: "get", key: key, read: true}
	message := getOf(key, &r, opts)
	response, err := invoke(ctx, c, r, func(ctx context.Context, conn grpc.ClientConnInterface) (*pb.RangeResponse, error) {
		return kvOf(conn).Range(staleness.Attach(ctx, r.maxLag), message)
	})
	if err != nil {
		return nil, err
	}
	return getResultOf(response), nil
}

// Delete deletes a key, or several. That there is none is no error.
func (c *Client) Delete(ctx context.Context, key string, opts ...DeleteOption) (*DeleteResult, error) {
	r := request{op: "delete", key: key}
	message := deleteOf(key, &r, opts)
	return write(ctx, c, r, func(ctx context.Context, conn grpc.ClientConnInterface) (*pb.DeleteRangeResponse, error) {
		return kvOf(conn).DeleteRange(ctx, message)
	}, deleteResultOf)
}

func putOf(key string, value []byte, r *request, opts []PutOption) *pb.PutRequest {
	message := &pb.PutRequest{Key: []byte(key), Value: value}
	for _, o := range opts {
		o.put(message, r)
	}
	return message
}

func getOf(key string, r *request, opts []GetOption) *pb.RangeRequest {
	message := &pb.RangeRequest{Key: []byte(key)}
	for _, o := range opts {
		o.get(message, r)
	}
	return message
}

func deleteOf(key string, r *request, opts []DeleteOption) *pb.DeleteRangeRequest {
	message := &pb.DeleteRangeRequest{Key: []byte(key)}
	for _, o := range opts {
		o.delete(message, r)
	}
	return message
}
