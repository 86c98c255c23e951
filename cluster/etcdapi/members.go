package etcdapi

import (
	"context"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"castaway/actors"
	"castaway/cluster/kv"
)

// members is etcd's service Cluster.
type members struct {
	pb.UnimplementedClusterServer
	*Server
}

// MemberList lists the members. If it is to be linearizable, it first makes sure
// that a quorum still follows the leader.
func (s *members) MemberList(ctx context.Context, r *pb.MemberListRequest) (*pb.MemberListResponse, error) {
	if r.Linearizable {
		if _, err := s.cfg.Group.Read(ctx, kv.StatsQuery{}, actors.Linearizable); err != nil {
			return nil, s.failed(ctx, err)
		}
	}
	response := &pb.MemberListResponse{Header: &pb.ResponseHeader{}}
	for _, m := range s.cfg.Members() {
		response.Members = append(response.Members, &pb.Member{
			ID: m.ID, Name: m.Name, PeerURLs: m.PeerURLs, ClientURLs: m.ClientURLs, IsLearner: m.IsLearner,
		})
	}
	s.fill(response.Header, s.latestTerm(ctx))
	return response, nil
}
