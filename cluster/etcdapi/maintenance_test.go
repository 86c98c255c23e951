package etcdapi_test

import (
	"context"
	"strings"
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"castaway/actors"
	"castaway/cluster/etcdapi"
	"castaway/cluster/etcdapi/apitest"
	"castaway/persistence"
)

func TestStatusTellsWhatTheMemberKnows(t *testing.T) {
	d, ctx := open(t, func(c *etcdapi.Config) { c.Size = func() int64 { return 4096 } }), soon(t)
	must(d.kv.Put(ctx, put("k", "v")))(t)
	s := must(pb.NewMaintenanceClient(d.conn).Status(ctx, &pb.StatusRequest{}))(t)
	if s.Version != etcdapi.DefaultVersion || s.Leader != 1 || s.RaftTerm != 1 || s.RaftIndex != 1 ||
		s.RaftAppliedIndex != 1 || s.DbSize != 4096 || s.DbSizeInUse == 0 || len(s.Errors) != 0 {
		t.Errorf("status: %v", s)
	}
	if h := s.Header; h.ClusterId != clusterID || h.MemberId != memberID || h.Revision != 2 || h.RaftTerm != 1 {
		t.Errorf("header: %v", h)
	}
}

// A member that cannot work answers nevertheless, and says what is wrong.
func TestStatusTellsTroubles(t *testing.T) {
	d := open(t)
	d.group.SetStatus(func(s *actors.Status) {
		s.Leader = 0
		s.Halted = "the machine panicked"
		s.WaitingFor = "two more voters"
		s.Space = persistence.Space{Free: 1, Reserve: 2}
	})
	d.group.Before(func(context.Context, apitest.Request) error { return apitest.NotDone(actors.ReasonHalted, 0) })
	s := must(pb.NewMaintenanceClient(d.conn).Status(soon(t), &pb.StatusRequest{}))(t)
	all := strings.Join(s.Errors, "\n")
	for _, want := range []string{"no leader", "the machine panicked", "two more voters", "NOSPACE", "a test has refused it"} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is missing in %q", want, s.Errors)
		}
	}
}

// The one alarm is the disk's reserve, and only the group can clear it.
func TestAlarmsAreListed(t *testing.T) {
	d, ctx := open(t), soon(t)
	client := pb.NewMaintenanceClient(d.conn)
	if r := must(client.Alarm(ctx, &pb.AlarmRequest{}))(t); len(r.Alarms) != 0 {
		t.Errorf("alarms of a healthy member: %v", r.Alarms)
	}
	d.group.SetStatus(func(s *actors.Status) { s.Space = persistence.Space{Free: 1, Reserve: 2} })
	r := must(client.Alarm(ctx, &pb.AlarmRequest{}))(t)
	if len(r.Alarms) != 1 || r.Alarms[0].Alarm != pb.AlarmType_NOSPACE || r.Alarms[0].MemberID != memberID {
		t.Errorf("alarms of a full disk: %v", r.Alarms)
	}
	if r := must(client.Alarm(ctx, &pb.AlarmRequest{Alarm: pb.AlarmType_CORRUPT}))(t); len(r.Alarms) != 0 {
		t.Errorf("alarms of corruption: %v", r.Alarms)
	}
	_, err := client.Alarm(ctx, &pb.AlarmRequest{Action: pb.AlarmRequest_DEACTIVATE})
	if status.Code(err) != codes.Unimplemented {
		t.Errorf("clearing an alarm: %v", err)
	}
}

// The members are those of the configuration; a linearizable list first asks a
// quorum, and fails with it.
func TestMembersAreListed(t *testing.T) {
	d, ctx := open(t), soon(t)
	client := pb.NewClusterClient(d.conn)
	r := must(client.MemberList(ctx, &pb.MemberListRequest{Linearizable: true}))(t)
	if len(r.Members) != 2 || r.Members[0].ID != memberID || r.Members[1].Name != "two" || r.Members[1].ClientURLs[0] != "http://c2:1" {
		t.Errorf("members: %v", r.Members)
	}
	d.group.Before(func(context.Context, apitest.Request) error { return apitest.NotDone(actors.ReasonNoLeader, 0) })
	_, err := client.MemberList(ctx, &pb.MemberListRequest{Linearizable: true})
	if rpctypes.ErrorDesc(err) != rpctypes.ErrorDesc(rpctypes.ErrGRPCNoLeader) {
		t.Errorf("a linearizable list without a quorum: %v", err)
	}
	must(client.MemberList(ctx, &pb.MemberListRequest{}))(t)
}
