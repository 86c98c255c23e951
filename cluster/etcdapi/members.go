package etcdapi

import (
	"context"
	"errors"
	"fmt"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"castaway/actors"
	"castaway/cluster/etcdapi/outcome"
	"castaway/cluster/etcdapi/roster"
	"castaway/cluster/kv"
	"castaway/cluster/member"
	"castaway/raft"
)

// MaxMembers bounds the members of a cluster, voters and learners.
const MaxMembers = 15

// Leadership is what a Group may offer besides: changes of members and of leadership,
// on the node that leads. *actors.Group is one. Without it the door does not serve them.
type Leadership interface {
	ChangeConfiguration(ctx context.Context, change raft.ConfigurationChange) (raft.ConfigurationState, error)
	TransferLeadership(ctx context.Context, to raft.NodeID) error
}

// members is etcd's service Cluster. Changes are carried out by the member that leads:
// others pass them on to its door.
type members struct {
	pb.UnimplementedClusterServer
	*Server
}

// MemberList lists the members. If it is to be linearizable, it first makes sure
// that a quorum still follows the leader.
func (s *members) MemberList(ctx context.Context, r *pb.MemberListRequest) (*pb.MemberListResponse, error) {
	if r.Linearizable {
		if _, err := s.cfg.Group.ReadWith(ctx, kv.StatsQuery{}, actors.ReadOptions{Consistency: actors.Linearizable}); err != nil {
			return nil, s.failed(ctx, err)
		}
	}
	response := &pb.MemberListResponse{Header: s.described(ctx), Members: s.list()}
	return response, nil
}

// MemberAdd adds a member under the next id that was never used. It becomes a voter by
// itself once it is caught up, unless it is to stay a learner.
func (s *members) MemberAdd(ctx context.Context, r *pb.MemberAddRequest) (*pb.MemberAddResponse, error) {
	if conn, ctx, done, err := s.toLeader(ctx); err != nil || conn != nil {
		return pass(ctx, done, err, func(opts ...grpc.CallOption) (*pb.MemberAddResponse, error) {
			return pb.NewClusterClient(conn).MemberAdd(ctx, r, opts...)
		})
	}
	var added raft.NodeID
	err := s.change(ctx, func(cfg *raft.Configuration, w roster.Wish) (raft.Change, error) {
		info := member.Info{Name: w.Name, Clients: w.Clients}
		err := s.located(&info, r.PeerURLs, raft.None)
		if count := len(cfg.Voters) + len(cfg.Learners); err == nil && count >= MaxMembers {
			err = s.told(status.Error(codes.FailedPrecondition, fmt.Sprintf("castaway: there are %d members, as many as MaxMembers allows", count)),
				outcome.Info{Reason: "TOO_MANY_MEMBERS", Limit: "MaxMembers"})
		}
		added = cfg.Highest() + 1
		kind := raft.ChangeAddVoter
		if r.IsLearner {
			kind = raft.ChangeAddLearner
		}
		return raft.Change{Kind: kind, ID: added, Context: info.Encode()}, err
	})
	if err != nil {
		return nil, err
	}
	response := &pb.MemberAddResponse{Header: s.described(ctx), Members: s.list()}
	for _, m := range response.Members {
		if m.ID == uint64(added) {
			response.Member = m
		}
	}
	return response, nil
}

// MemberRemove removes a member for good.
func (s *members) MemberRemove(ctx context.Context, r *pb.MemberRemoveRequest) (*pb.MemberRemoveResponse, error) {
	if conn, ctx, done, err := s.toLeader(ctx); err != nil || conn != nil {
		return pass(ctx, done, err, func(opts ...grpc.CallOption) (*pb.MemberRemoveResponse, error) {
			return pb.NewClusterClient(conn).MemberRemove(ctx, r, opts...)
		})
	}
	err := s.change(ctx, func(cfg *raft.Configuration, _ roster.Wish) (raft.Change, error) {
		return raft.Change{Kind: raft.ChangeRemove, ID: raft.NodeID(r.ID)}, s.isMember(cfg, r.ID)
	})
	if err != nil {
		return nil, err
	}
	return &pb.MemberRemoveResponse{Header: s.described(ctx), Members: s.list()}, nil
}

// MemberUpdate changes where a member is found, and its name; what is not given stays.
func (s *members) MemberUpdate(ctx context.Context, r *pb.MemberUpdateRequest) (*pb.MemberUpdateResponse, error) {
	if conn, ctx, done, err := s.toLeader(ctx); err != nil || conn != nil {
		return pass(ctx, done, err, func(opts ...grpc.CallOption) (*pb.MemberUpdateResponse, error) {
			return pb.NewClusterClient(conn).MemberUpdate(ctx, r, opts...)
		})
	}
	err := s.change(ctx, func(cfg *raft.Configuration, w roster.Wish) (raft.Change, error) {
		id := raft.NodeID(r.ID)
		if err := s.isMember(cfg, r.ID); err != nil {
			return raft.Change{}, err
		}
		info, _ := member.Decode(cfg.Member(id).Context)
		if w.Name != "" {
			info.Name = w.Name
		}
		if len(w.Clients) > 0 {
			info.Clients = w.Clients
		}
		urls := r.PeerURLs
		if len(urls) == 0 && info.Peer != "" {
			urls = []string{info.Peer}
		}
		err := s.located(&info, urls, id)
		return raft.Change{Kind: raft.ChangeUpdate, ID: id, Context: info.Encode()}, err
	})
	if err != nil {
		return nil, err
	}
	return &pb.MemberUpdateResponse{Header: s.described(ctx), Members: s.list()}, nil
}

// MemberPromote gives a learner that has caught up a vote.
func (s *members) MemberPromote(ctx context.Context, r *pb.MemberPromoteRequest) (*pb.MemberPromoteResponse, error) {
	if conn, ctx, done, err := s.toLeader(ctx); err != nil || conn != nil {
		return pass(ctx, done, err, func(opts ...grpc.CallOption) (*pb.MemberPromoteResponse, error) {
			return pb.NewClusterClient(conn).MemberPromote(ctx, r, opts...)
		})
	}
	err := s.change(ctx, func(cfg *raft.Configuration, _ roster.Wish) (raft.Change, error) {
		err := s.isMember(cfg, r.ID)
		if err == nil && isVoter(cfg, raft.NodeID(r.ID)) {
			err = s.told(rpctypes.ErrGRPCMemberNotLearner, outcome.Info{Reason: "NOT_LEARNER", Detail: fmt.Sprintf("member %d has a vote already", r.ID)})
		}
		return raft.Change{Kind: raft.ChangePromote, ID: raft.NodeID(r.ID)}, err
	})
	if err != nil {
		return nil, err
	}
	return &pb.MemberPromoteResponse{Header: s.described(ctx), Members: s.list()}, nil
}

// MoveLeader hands leadership to a voter: the one named or, for zero, the best
// prepared. It may be asked of any member.
func (s *maintenance) MoveLeader(ctx context.Context, r *pb.MoveLeaderRequest) (*pb.MoveLeaderResponse, error) {
	if conn, ctx, done, err := s.toLeader(ctx); err != nil || conn != nil {
		return pass(ctx, done, err, func(opts ...grpc.CallOption) (*pb.MoveLeaderResponse, error) {
			return pb.NewMaintenanceClient(conn).MoveLeader(ctx, r, opts...)
		})
	}
	if err := s.leadership.TransferLeadership(ctx, raft.NodeID(r.TargetID)); err != nil {
		return nil, s.failed(ctx, err)
	}
	response := &pb.MoveLeaderResponse{Header: &pb.ResponseHeader{}}
	s.fill(response.Header, s.latestTerm(ctx))
	return response, nil
}

// changePause lies between attempts at a change while another is under way.
const changePause = 20 * time.Millisecond

// change carries out one change of the configuration that build has seen and of no
// other: two operators never interleave. Where the request does not insist on one,
// build is asked again about the configuration that is in force by then.
func (s *Server) change(ctx context.Context, build func(*raft.Configuration, roster.Wish) (raft.Change, error)) error {
	wish, ok := roster.Wished(ctx)
	if !ok {
		return s.told(status.Error(codes.InvalidArgument, "castaway: castaway-if is not an index"), outcome.Info{Reason: "MALFORMED"})
	}
	for {
		st, err := s.cfg.Group.Status(ctx)
		if err != nil {
			return s.failed(ctx, err)
		}
		onlyIf := raft.Index(wish.If)
		if onlyIf == 0 {
			onlyIf = st.Raft.ConfigurationIndex
		}
		ch, err := build(&st.Raft.Configuration, wish)
		if err != nil {
			return err
		}
		_, err = s.leadership.ChangeConfiguration(ctx, raft.ConfigurationChange{If: onlyIf, Changes: []raft.Change{ch}})
		if err == nil {
			return nil
		}
		again := errors.Is(err, raft.ErrChanging) || errors.Is(err, raft.ErrNotReady) || errors.Is(err, raft.ErrTransferring) ||
			(errors.Is(err, raft.ErrStale) && wish.If == 0)
		if !again || errors.Is(err, actors.ErrIndeterminate) || !pause(ctx, changePause) {
			return s.failed(ctx, err)
		}
	}
}

func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// known1 refuses an id that is no member's.
func (s *Server) isMember(cfg *raft.Configuration, id uint64) error {
	if cfg.IsMember(raft.NodeID(id)) {
		return nil
	}
	return s.told(rpctypes.ErrGRPCMemberNotFound, outcome.Info{Reason: "MEMBER_NOT_FOUND",
		Detail: fmt.Sprintf("there is no member %d; `castaway member list` shows those that there are", id)})
}

func isVoter(cfg *raft.Configuration, id raft.NodeID) bool {
	for _, v := range cfg.Voters {
		if v == id {
			return true
		}
	}
	return false
}

// located sets a member's peer address from its one URL, which nobody else may have.
func (s *Server) located(info *member.Info, urls []string, self raft.NodeID) error {
	if len(urls) != 1 {
		return s.told(rpctypes.ErrGRPCMemberBadURLs, outcome.Info{Reason: "BAD_URLS", Detail: fmt.Sprintf("%d peer URLs are given; a member has one", len(urls))})
	}
	info.Peer = withoutScheme(urls[0])
	if err := info.Validate(); err != nil {
		return s.told(rpctypes.ErrGRPCMemberBadURLs, outcome.Info{Reason: "BAD_URLS", Detail: err.Error()})
	}
	for _, m := range s.cfg.Members() {
		if m.ID != uint64(self) && len(m.PeerURLs) > 0 && withoutScheme(m.PeerURLs[0]) == info.Peer {
			return s.told(rpctypes.ErrGRPCPeerURLExist, outcome.Info{Reason: "PEER_EXISTS", Detail: fmt.Sprintf("%s is member %d's address already", info.Peer, m.ID)})
		}
	}
	return nil
}

func (s *Server) list() []*pb.Member {
	var list []*pb.Member
	for _, m := range s.cfg.Members() {
		list = append(list, &pb.Member{ID: m.ID, Name: m.Name, PeerURLs: m.PeerURLs, ClientURLs: m.ClientURLs, IsLearner: m.IsLearner})
	}
	return list
}

// described gives a response's header, and says in its metadata what etcd's messages
// have no room for.
func (s *Server) described(ctx context.Context) *pb.ResponseHeader {
	h := &pb.ResponseHeader{}
	s.fill(h, s.latestTerm(ctx))
	st, err := s.cfg.Group.Status(ctx)
	if err != nil {
		return h
	}
	c := &st.Raft
	r := roster.Roster{Index: uint64(c.ConfigurationIndex), Joint: c.Configuration.Joint(), Leader: uint64(st.Leader)}
	for _, id := range c.Configuration.Promoting {
		r.Promoting = append(r.Promoting, uint64(id))
	}
	if c.Role == raft.Leader {
		r.Last = uint64(c.Last.Index)
		r.Progress = append(r.Progress, roster.Progress{ID: uint64(c.ID), Match: uint64(c.Durable), State: "leader", Active: true})
		for _, p := range c.Progress {
			r.Progress = append(r.Progress, roster.Progress{ID: uint64(p.ID), Match: uint64(p.Match), State: p.State, Active: p.RecentlyActive})
		}
	}
	_ = grpc.SetHeader(ctx, r.Metadata()) // without it etcd's answer is whole
	return h
}
