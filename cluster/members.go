package cluster

import (
	"context"
	"fmt"
	"slices"

	"castaway/actors"
	"castaway/cluster/etcdapi"
	"castaway/cluster/member"
	"castaway/raft"
)

// members is what clients are told of the cluster: the configuration in force, or what
// the node knew when it started as long as its log says nothing.
func (n *Node) members() []etcdapi.Member {
	known := make(map[uint64]member.Info)
	for _, k := range n.origin.Members {
		known[k.ID] = k.Info
	}
	var list []etcdapi.Member
	state, ok := n.group.Configuration()
	if cfg := &state.Configuration; ok && len(cfg.Voters) > 0 {
		cfg.EachMember(func(id raft.NodeID) {
			info, err := member.Decode(cfg.Member(id).Context)
			if err != nil {
				info = known[uint64(id)]
			}
			list = append(list, n.member(uint64(id), info, slices.Contains(cfg.Learners, id)))
		})
		return list
	}
	for _, k := range n.origin.Members {
		list = append(list, n.member(k.ID, k.Info, false))
	}
	return list
}

// member is one of them; of itself the node knows best.
func (n *Node) member(id uint64, info member.Info, learner bool) etcdapi.Member {
	if id == n.cfg.ID {
		info.Clients = []string{n.advertisedClient()}
		info.Name = n.cfg.Name
	}
	m := etcdapi.Member{ID: id, Name: info.Name, IsLearner: learner}
	if m.Name == "" {
		m.Name = fmt.Sprintf("node-%d", id)
	}
	if info.Peer != "" {
		m.PeerURLs = []string{"http://" + info.Peer}
	}
	for _, c := range info.Clients {
		m.ClientURLs = append(m.ClientURLs, "http://"+c)
	}
	return m
}

// handOver gives leadership away before the node stops, so that nobody waits for an
// election; what is not possible within an election timeout is left.
func (n *Node) handOver(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, n.cfg.ElectionTimeout())
	defer cancel()
	st, err := n.group.Status(ctx)
	if err != nil || st.Raft.Role != raft.Leader || len(st.Raft.Configuration.Voters) < 2 {
		return
	}
	if err := n.group.TransferLeadership(ctx, raft.None); err != nil {
		n.log.Info("leadership was not handed over before the stop", "error", err)
	}
}

var _ etcdapi.Leadership = (*actors.Group)(nil)
