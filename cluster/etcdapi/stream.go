package etcdapi

import (
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
)

// chunkBytes is how much of a response goes into one message of a stream; a single
// larger pair goes alone.
const chunkBytes = 1 << 20

// RangeStream is Range in pieces: each has some of the pairs, and the last has the
// rest of the response too, so that merged they give what Range would.
func (s *keyValue) RangeStream(r *pb.RangeRequest, stream grpc.ServerStreamingServer[pb.RangeStreamResponse]) error {
	ctx, cancel := s.bounded(stream.Context())
	defer cancel()
	leave, err := s.inflight.admit(ctx, r)
	if err != nil {
		return err
	}
	defer leave()
	response, err := s.Range(ctx, r)
	if err != nil {
		return err
	}
	l, err := s.inflight.answer(ctx, r, proto.Size(response))
	if err != nil {
		return err
	}
	defer l.release() // what the connection holds beyond that is a chunk or two
	pairs := response.Kvs
	for {
		n, size := 0, 0
		for n < len(pairs) && (n == 0 || size < chunkBytes) {
			size += len(pairs[n].Key) + len(pairs[n].Value)
			n++
		}
		if n == len(pairs) {
			response.Kvs = pairs
			return stream.Send(&pb.RangeStreamResponse{RangeResponse: response})
		}
		chunk := &pb.RangeResponse{Kvs: pairs[:n]}
		if err := stream.Send(&pb.RangeStreamResponse{RangeResponse: chunk}); err != nil {
			return err
		}
		pairs = pairs[n:]
	}
}
