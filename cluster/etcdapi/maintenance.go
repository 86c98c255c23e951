package etcdapi

import (
	"context"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"castaway/actors"
	"castaway/cluster/kv"
)

// maintenance is etcd's service Maintenance.
type maintenance struct {
	pb.UnimplementedMaintenanceServer
	*Server
}

// Status tells what this member knows of itself. It answers also when the member
// cannot work, and says so in errors.
func (s *maintenance) Status(ctx context.Context, _ *pb.StatusRequest) (*pb.StatusResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.StatusTimeout)
	defer cancel()
	status, err := s.cfg.Group.Status(ctx)
	response := &pb.StatusResponse{
		Header:           &pb.ResponseHeader{},
		Version:          s.cfg.Version,
		Leader:           uint64(status.Leader),
		RaftIndex:        uint64(status.Raft.Commit),
		RaftTerm:         uint64(status.Raft.HardState.Term),
		RaftAppliedIndex: uint64(status.Applied),
		Errors:           troubles(status, err),
	}
	s.known.hear(status.Raft.HardState.Term)
	if stats, err := s.stats(ctx); err == nil {
		response.Header.Revision = stats.Revision
		response.DbSize, response.DbSizeInUse = stats.Bytes, stats.Bytes
	} else {
		response.Errors = append(response.Errors, err.Error())
	}
	if s.cfg.Size != nil {
		response.DbSize = s.cfg.Size()
	}
	s.fill(response.Header, response.RaftTerm)
	return response, nil
}

// troubles lists what keeps a member from working, in words.
func troubles(status actors.Status, err error) (errors []string) {
	if err != nil {
		errors = append(errors, err.Error())
	}
	if status.Halted != "" {
		errors = append(errors, "halted: "+status.Halted)
	}
	if status.Leader == 0 {
		errors = append(errors, "etcdserver: no leader")
	}
	if status.Space.Low() {
		errors = append(errors, "NOSPACE: the disk's reserve is reached; free some space")
	}
	if status.WaitingFor != "" {
		errors = append(errors, status.WaitingFor)
	}
	return errors
}

func (s *Server) stats(ctx context.Context) (kv.Stats, error) {
	answer, err := s.cfg.Group.ReadWith(ctx, kv.StatsQuery{}, actors.ReadOptions{Consistency: actors.Serializable})
	if err != nil {
		return kv.Stats{}, err
	}
	stats, _ := answer.(kv.Stats)
	return stats, nil
}

// Alarm lists the alarms of this member, which is what health checks of etcdctl ask
// for. The only one is NOSPACE; it goes away by itself when there is room.
func (s *maintenance) Alarm(ctx context.Context, r *pb.AlarmRequest) (*pb.AlarmResponse, error) {
	if r.Action != pb.AlarmRequest_GET {
		return nil, unserved("Maintenance.Alarm to set or clear alarms")
	}
	response := &pb.AlarmResponse{Header: &pb.ResponseHeader{}}
	status, err := s.cfg.Group.Status(ctx)
	if err != nil {
		return nil, s.failed(ctx, err)
	}
	asked := r.Alarm == pb.AlarmType_NONE || r.Alarm == pb.AlarmType_NOSPACE
	if status.Space.Low() && asked {
		response.Alarms = append(response.Alarms, &pb.AlarmMember{MemberID: s.cfg.MemberID, Alarm: pb.AlarmType_NOSPACE})
	}
	s.fill(response.Header, uint64(status.Raft.HardState.Term))
	return response, nil
}
