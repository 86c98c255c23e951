package etcdapi

import (
	"context"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"castaway/actors"
	"castaway/cluster/etcdapi/outcome"
	"castaway/cluster/etcdapi/staleness"
	"castaway/cluster/kv"
)

// keyValue is etcd's service KV.
type keyValue struct {
	pb.UnimplementedKVServer
	*Server
}

// Range reads a key or several.
func (s *keyValue) Range(ctx context.Context, r *pb.RangeRequest) (*pb.RangeResponse, error) {
	if err := kv.CheckRange(r); err != nil {
		return nil, s.refused(err)
	}
	if err := s.useSession(ctx); err != nil {
		return nil, err
	}
	answer, err := s.read(ctx, r, r.Serializable)
	if err != nil {
		return nil, err
	}
	response, err := kv.AnswerRange(r, answer)
	if err != nil {
		return nil, s.refused(err)
	}
	s.fill(response.Header, s.latestTerm(ctx))
	return response, nil
}

// Put writes a key.
func (s *keyValue) Put(ctx context.Context, r *pb.PutRequest) (*pb.PutResponse, error) {
	if err := kv.CheckPut(r); err != nil {
		return nil, s.refused(err)
	}
	command, err := kv.EncodePut(r)
	if err != nil {
		return nil, s.refused(err)
	}
	result, err := s.propose(ctx, command)
	if err != nil {
		return nil, err
	}
	response, err := kv.DecodePut(result.Value)
	if err != nil {
		return nil, s.refused(err)
	}
	s.fill(response.Header, uint64(result.Term))
	return response, nil
}

// DeleteRange deletes a key or several.
func (s *keyValue) DeleteRange(ctx context.Context, r *pb.DeleteRangeRequest) (*pb.DeleteRangeResponse, error) {
	if err := kv.CheckDeleteRange(r); err != nil {
		return nil, s.refused(err)
	}
	command, err := kv.EncodeDeleteRange(r)
	if err != nil {
		return nil, s.refused(err)
	}
	result, err := s.propose(ctx, command)
	if err != nil {
		return nil, err
	}
	response, err := kv.DecodeDeleteRange(result.Value)
	if err != nil {
		return nil, s.refused(err)
	}
	s.fill(response.Header, uint64(result.Term))
	return response, nil
}

// Txn carries out a transaction; one that only reads is a read.
func (s *keyValue) Txn(ctx context.Context, r *pb.TxnRequest) (*pb.TxnResponse, error) {
	if err := kv.CheckTxn(r, s.cfg.MaxTxnOperations); err != nil {
		return nil, s.refused(err)
	}
	if kv.ReadOnly(r) {
		return s.readTxn(ctx, r)
	}
	command, err := kv.EncodeTxn(r)
	if err != nil {
		return nil, s.refused(err)
	}
	result, err := s.propose(ctx, command)
	if err != nil {
		return nil, err
	}
	response, err := kv.DecodeTxn(result.Value)
	if err != nil {
		return nil, s.refused(err)
	}
	s.fill(response.Header, uint64(result.Term))
	return response, nil
}

func (s *keyValue) readTxn(ctx context.Context, r *pb.TxnRequest) (*pb.TxnResponse, error) {
	answer, err := s.read(ctx, r, kv.Serializable(r))
	if err != nil {
		return nil, err
	}
	response, err := kv.AnswerTxn(r, answer)
	if err != nil {
		return nil, s.refused(err)
	}
	s.fill(response.Header, s.latestTerm(ctx))
	return response, nil
}

// propose replicates a command, whose errors become the client's.
func (s *Server) propose(ctx context.Context, command []byte) (actors.Result, error) {
	if len(command) > s.cfg.MaxRequestBytes {
		return actors.Result{}, s.told(rpctypes.ErrGRPCRequestTooLarge, tooLarge(len(command), s.cfg.MaxRequestBytes))
	}
	result, err := s.replicate(ctx, command)
	if err != nil {
		return actors.Result{}, err
	}
	s.known.hear(result.Term)
	return result, nil
}

// read asks the group, whose errors become the client's. A bound on staleness is for
// serializable reads, and any other keeps it anyway.
func (s *keyValue) read(ctx context.Context, query any, serializable bool) (any, error) {
	maxLag, err := staleness.Of(ctx)
	if err != nil {
		return nil, s.told(status.Error(codes.InvalidArgument, "castaway: "+err.Error()), outcome.Info{Reason: "BAD_MAX_LAG", Detail: err.Error()})
	}
	o := actors.ReadOptions{Consistency: actors.Linearizable}
	if serializable {
		o = actors.ReadOptions{Consistency: actors.Serializable, MaxLag: maxLag}
	}
	answer, err := s.cfg.Group.ReadWith(ctx, query, o)
	if err != nil {
		return nil, s.failed(ctx, err)
	}
	return answer, nil
}
