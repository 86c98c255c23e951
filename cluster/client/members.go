package client

import (
	"context"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"castaway/cluster/etcdapi/roster"
)

// MemberList lists the members of the cluster, after making sure that a quorum of
// them follows the leader.
func (c *Client) MemberList(ctx context.Context) ([]Member, error) {
	m, err := c.Members(ctx)
	if err != nil {
		return nil, err
	}
	return m.Members, nil
}

// Members is MemberList with all that is said beside the members.
func (c *Client) Members(ctx context.Context) (*Members, error) {
	return changeMembers(ctx, c, request{op: "member list", read: true}, roster.Wish{}, listMembers)
}

// MembersAt asks one member for what Members gives; only the leader knows the
// others' progress. It is not repeated elsewhere.
func (c *Client) MembersAt(ctx context.Context, at string) (*Members, error) {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	failure := &Error{Op: "member list", Endpoint: at}
	e, err := c.endpointFor(at)
	if err == nil {
		var header metadata.MD
		var r membersResponse
		if r, err = listMembers(ctx, pb.NewClusterClient(e.conn), grpc.Header(&header)); err == nil {
			return membersOf(r, nil, header), nil
		}
		failure.note(e, err, judge(ctx, err, &trace{}, true))
	}
	failure.Attempts, failure.Err = 1, err
	return nil, failure
}

func listMembers(ctx context.Context, cc pb.ClusterClient, opts ...grpc.CallOption) (membersResponse, error) {
	r, err := cc.MemberList(ctx, &pb.MemberListRequest{Linearizable: true}, opts...)
	return r, err
}

// NewMember describes a member that is to be.
type NewMember struct {
	// Peer is host:port, where the other members reach it.
	Peer string
	// Name and Clients are for people and for clients; they may be left out.
	Name    string
	Clients []string
	// Learner makes it one that never votes, unless it is promoted. Otherwise it
	// becomes a voter by itself, once it is caught up.
	Learner bool
	// If, unless zero, is the Index of the Members that the change must be made to.
	If uint64
}

// MemberAdd adds a member. It is then to be started, with the id in Member.
func (c *Client) MemberAdd(ctx context.Context, m NewMember) (*Members, error) {
	r := request{op: "member add", key: m.Peer}
	return changeMembers(ctx, c, r, roster.Wish{Name: m.Name, Clients: m.Clients, If: m.If},
		func(ctx context.Context, cc pb.ClusterClient, opts ...grpc.CallOption) (membersResponse, error) {
			r, err := cc.MemberAdd(ctx, &pb.MemberAddRequest{PeerURLs: urls(m.Peer), IsLearner: m.Learner}, opts...)
			return r, err
		})
}

// MemberPromote makes a learner a voter, now. If is as in NewMember.
func (c *Client) MemberPromote(ctx context.Context, id, onlyIf uint64) (*Members, error) {
	return changeMembers(ctx, c, request{op: "member promote"}, roster.Wish{If: onlyIf},
		func(ctx context.Context, cc pb.ClusterClient, opts ...grpc.CallOption) (membersResponse, error) {
			r, err := cc.MemberPromote(ctx, &pb.MemberPromoteRequest{ID: id}, opts...)
			return r, err
		})
}

// MemberRemove removes a member; its id never comes back. If is as in NewMember.
func (c *Client) MemberRemove(ctx context.Context, id, onlyIf uint64) (*Members, error) {
	return changeMembers(ctx, c, request{op: "member remove"}, roster.Wish{If: onlyIf},
		func(ctx context.Context, cc pb.ClusterClient, opts ...grpc.CallOption) (membersResponse, error) {
			r, err := cc.MemberRemove(ctx, &pb.MemberRemoveRequest{ID: id}, opts...)
			return r, err
		})
}

// MemberUpdate changes where a member is found, and its name. What is empty in m
// stays as it is; Learner means nothing.
func (c *Client) MemberUpdate(ctx context.Context, id uint64, m NewMember) (*Members, error) {
	return changeMembers(ctx, c, request{op: "member update"}, roster.Wish{Name: m.Name, Clients: m.Clients, If: m.If},
		func(ctx context.Context, cc pb.ClusterClient, opts ...grpc.CallOption) (membersResponse, error) {
			r, err := cc.MemberUpdate(ctx, &pb.MemberUpdateRequest{ID: id, PeerURLs: urls(m.Peer)}, opts...)
			return r, err
		})
}

// MoveLeader makes a member the leader: the one that is named or, if that is zero,
// the one that is best prepared. It returns when the transfer has ended.
func (c *Client) MoveLeader(ctx context.Context, to uint64) error {
	_, err := invoke(ctx, c, request{op: "leader transfer"}, func(ctx context.Context, conn grpc.ClientConnInterface) (*pb.MoveLeaderResponse, error) {
		return pb.NewMaintenanceClient(conn).MoveLeader(ctx, &pb.MoveLeaderRequest{TargetID: to})
	})
	return err
}

// membersResponse is what all responses about members have in common.
type membersResponse interface {
	GetHeader() *pb.ResponseHeader
	GetMembers() []*pb.Member
}

type membersCall func(ctx context.Context, cc pb.ClusterClient, opts ...grpc.CallOption) (membersResponse, error)

func changeMembers(ctx context.Context, c *Client, r request, w roster.Wish, call membersCall) (*Members, error) {
	return invoke(ctx, c, r, func(ctx context.Context, conn grpc.ClientConnInterface) (*Members, error) {
		var header metadata.MD
		response, err := call(roster.Attach(ctx, w), pb.NewClusterClient(conn), grpc.Header(&header))
		if err != nil {
			return nil, err
		}
		added, _ := response.(interface{ GetMember() *pb.Member })
		if added == nil {
			return membersOf(response, nil, header), nil
		}
		return membersOf(response, added.GetMember(), header), nil
	})
}

func membersOf(r membersResponse, added *pb.Member, header metadata.MD) *Members {
	said, _ := roster.Of(header)
	list := &Members{Header: headerOf(r.GetHeader()), Index: said.Index, Joint: said.Joint, Leader: said.Leader, Last: said.Last}
	promoting := make(map[uint64]bool)
	for _, id := range said.Promoting {
		promoting[id] = true
	}
	progress := make(map[uint64]*Progress)
	for _, p := range said.Progress {
		progress[p.ID] = &Progress{Match: p.Match, State: p.State, Active: p.Active}
	}
	of := func(m *pb.Member) Member {
		return Member{ID: m.ID, Name: m.Name, PeerURLs: m.PeerURLs, ClientURLs: m.ClientURLs, IsLearner: m.IsLearner,
			Promoting: promoting[m.ID], Progress: progress[m.ID]}
	}
	for _, m := range r.GetMembers() {
		list.Members = append(list.Members, of(m))
	}
	if added != nil {
		list.Member = of(added)
	}
	return list
}

func urls(address string) []string {
	if address == "" {
		return nil
	}
	return []string{"http://" + address}
}
