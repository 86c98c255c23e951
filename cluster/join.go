package cluster

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"castaway/cluster/client"
	"castaway/cluster/config"
	"castaway/cluster/member"
	"castaway/persistence"
)

// joinPatience is how long a node that is to join waits for an answer of the cluster.
const joinPatience = 30 * time.Second

// startMembership finds out what cluster this is. It has no stop.
func (n *Node) startMembership(ctx context.Context) (stopFunc, error) {
	m, err := n.findMembership(ctx)
	if err != nil {
		return nil, err
	}
	n.cluster, n.origin = m.Cluster, m
	return func(context.Context) error { return nil }, nil
}

func (n *Node) findMembership(ctx context.Context) (Membership, error) {
	c := &n.cfg.Config
	if err := checkRemoved(c.DataDir); err != nil {
		return Membership{}, err
	}
	m, there, err := readMembership(c.DataDir, c.ID)
	switch {
	case err != nil:
		return Membership{}, err
	case there:
		if c.Join != "" {
			n.log.Info("this node has joined before; it does not ask again")
		}
		return m, nil
	case c.Join == "":
		return founding(c), nil
	}
	if m, err = n.ask(ctx); err != nil {
		return Membership{}, err
	}
	return m, WriteMembership(c.DataDir, c.ID, m)
}

// ask asks a cluster who its members are, and makes sure that this node is one.
func (n *Node) ask(ctx context.Context) (Membership, error) {
	c := &n.cfg.Config
	ctx, cancel := context.WithTimeout(ctx, joinPatience)
	defer cancel()
	asking, err := client.New(client.Options{Endpoints: c.JoinEndpoints(), Logger: n.log})
	if err != nil {
		return Membership{}, fmt.Errorf("%w: join: %w", config.ErrInvalid, err)
	}
	defer func() { _ = asking.Close() }()
	n.log.Info("asking the cluster who its members are", "join", c.Join)
	list, err := asking.Members(ctx)
	if err != nil {
		return Membership{}, fmt.Errorf("cannot join the cluster at %s, since it does not say who its members are: %w; name client addresses of members that run, of a cluster that has a leader", c.Join, err)
	}
	m := Membership{Cluster: list.Header.ClusterID, Joined: true}
	for _, k := range list.Members {
		m.Members = append(m.Members, KnownMember{k.ID, member.Info{Name: k.Name, Peer: addressOf(k.PeerURLs), Clients: addressesOf(k.ClientURLs)}})
	}
	return m, n.admissible(list.Members)
}

// admissible says why this node may not join, if so. A wiped disk is a new identity
// (C12): who has voted under an id and lost its disk would vote again.
func (n *Node) admissible(members []client.Member) error {
	c := &n.cfg.Config
	var ids []string
	for _, m := range members {
		ids = append(ids, fmt.Sprint(m.ID))
		if m.ID != c.ID {
			continue
		}
		if peer := addressOf(m.PeerURLs); peer != c.AdvertisePeer {
			return fmt.Errorf("%w: advertise-peer is %s, but the cluster at %s knows member %d at %s: start it with --advertise-peer %s, or tell the cluster with `castaway member update %d %s`",
				config.ErrInvalid, c.AdvertisePeer, c.Join, c.ID, peer, peer, c.ID, c.AdvertisePeer)
		}
		if m.IsLearner || persistence.Claimed(c.DataDir) {
			return nil
		}
		return fmt.Errorf("%w: member %d of the cluster at %s has a vote already, and data directory %s is empty: a server that has lost its disk must not vote again under its id; "+
			"replace it by a new member with `castaway member replace %d %s`, and start that with the id that it prints", errWiped, c.ID, c.Join, c.DataDir, c.ID, c.AdvertisePeer)
	}
	return fmt.Errorf("%w: the cluster at %s has no member %d (its members are %s): add this node first with `castaway member add %s`, and start it with the id that it prints",
		config.ErrInvalid, c.Join, c.ID, strings.Join(ids, ", "), c.AdvertisePeer)
}

// errWiped is a kind of mismatch: the directory is not the one that belongs to the id.
var errWiped = fmt.Errorf("%w: a wiped disk is a new identity", persistence.ErrMismatch)

// addressOf is the first address of some URLs, without its scheme.
func addressOf(urls []string) string {
	if list := addressesOf(urls); len(list) > 0 {
		return list[0]
	}
	return ""
}

func addressesOf(urls []string) []string {
	var list []string
	for _, u := range urls {
		if _, address, found := strings.Cut(u, "://"); found {
			u = address
		}
		list = append(list, u)
	}
	return list
}

// removed is told that the node is no member any more; it ends.
func (n *Node) removed(why error) error {
	return errors.Join(fmt.Errorf("%w: %w; its data directory is of no use any more", ErrRemoved, why), markRemoved(n.cfg.DataDir, why.Error()))
}
