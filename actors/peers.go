package actors

import (
	"bytes"
	"maps"
	"slices"

	"github.com/asynkron/protoactor-go/actor"

	"castaway/raft"
)

// route is where a group's envelopes go, and who its members are.
type route struct {
	server    *actor.PID
	snapshots *actor.PID    // for what is about snapshot files; the server if nil
	members   []raft.Member // empty: not known
}

// standing is what a peer is to us.
type standing uint8

const (
	// member: of some group here.
	member standing = iota
	// leaving: was one, and is still sent to for a while.
	leaving
	// stranger: is none, as far as we know, and talks to us.
	stranger
)

// transportPeer is a node that we talk with. One that is no member goes when it has
// left no ticks any more; of a stranger, each word begins them anew.
type transportPeer struct {
	gate
	id       raft.NodeID
	standing standing
	left     int
	counters *peerCounters
	bundle   bundle
}

// admit adds a peer, with its gate down.
func (t *transport) admit(id raft.NodeID, s standing) *transportPeer {
	p := &transportPeer{gate: newGate(t.Limits.silenceTicks()), id: id, standing: s, counters: t.Stats.peer(id)}
	p.counters.setState(GateDown)
	t.peers[id] = p
	at, _ := slices.BinarySearchFunc(t.order, id, func(p *transportPeer, id raft.NodeID) int { return int(p.id) - int(id) })
	t.order = slices.Insert(t.order, at, p)
	return p
}

// meet takes a stranger for a peer, unless there are enough: nil then.
func (t *transport) meet(id raft.NodeID) *transportPeer {
	strangers := 0
	for _, p := range t.order {
		if p.standing == stranger {
			strangers++
		}
	}
	if strangers >= t.MaxStrangers {
		return nil
	}
	p := t.admit(id, stranger)
	t.Logger.Info("a node that is no member, as far as this one knows, takes part", "node", t.ID, "peer", id)
	t.probe(p, false)
	return p
}

// settle follows the configurations of all groups. Who is no member of any any more
// is sent to for a while, to learn of it.
func (t *transport) settle() {
	members := t.members()
	for _, id := range slices.Sorted(maps.Keys(members)) {
		p := t.peers[id]
		if p == nil {
			p = t.admit(id, member)
		}
		p.standing, p.left = member, 0
	}
	for _, p := range t.order {
		if _, stays := members[p.id]; !stays && p.standing == member {
			p.standing, p.left = leaving, t.Limits.graceTicks()
		}
	}
	t.inform(members)
}

// members are the others in all groups here. As long as a group does not know its
// own, those that the network was made with count too.
func (t *transport) members() map[raft.NodeID]raft.Member {
	all := make(map[raft.NodeID]raft.Member)
	for _, group := range slices.Sorted(maps.Keys(t.groups)) {
		known := t.groups[group].members
		if len(known) == 0 {
			known = t.begun
		}
		for _, m := range known {
			if old, ok := all[m.ID]; m.ID != t.ID && (!ok || len(old.Context) == 0) {
				all[m.ID] = m
			}
		}
	}
	return all
}

// inform tells the network of all members, and of those that leave.
func (t *transport) inform(members map[raft.NodeID]raft.Member) {
	for _, m := range t.told {
		if p := t.peers[m.ID]; p != nil && p.standing == leaving {
			members[m.ID] = m
		}
	}
	list := make([]raft.Member, 0, len(members))
	for _, p := range t.order {
		if m, ok := members[p.id]; ok {
			list = append(list, m)
		} else if p.standing == leaving {
			list = append(list, raft.Member{ID: p.id})
		}
	}
	same := func(a, b raft.Member) bool { return a.ID == b.ID && bytes.Equal(a.Context, b.Context) }
	if t.told == nil || !slices.EqualFunc(list, t.told, same) {
		t.told = list
		t.Network.Update(list)
	}
}

// age lets those go that have no time left, with the connection to them.
func (t *transport) age() {
	gone := false
	t.order = slices.DeleteFunc(t.order, func(p *transportPeer) bool {
		if p.standing == member {
			return false
		}
		if p.left--; p.left > 0 {
			return false
		}
		delete(t.peers, p.id)
		t.Network.Reset(p.id)
		t.Stats.forget(p.id)
		gone = gone || p.standing == leaving
		return true
	})
	if gone {
		t.inform(t.members())
	}
}

// know takes note of who the members of the group are, for the transport of today
// and for one that is made anew.
func (b *board) know(members []raft.Member) {
	b.members.Store(&members)
	b.send(b.pids.transport, groupMembers{Group: b.cfg.Group, Members: members})
}

// knownMembers are those that know was told last.
func (b *board) knownMembers() []raft.Member {
	if m := b.members.Load(); m != nil {
		return *m
	}
	return nil
}
