package remoting

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"

	"castaway/actors"
	"castaway/cluster/member"
	"castaway/raft"
)

// link is what is known of one peer, at one address. A peer that moves gets another.
type link struct {
	id      raft.NodeID
	address string
	target  *actor.PID
	// stranger is a peer that nobody has named to us: it stays as long as it is
	// connected to us. Changed under Remoting.changing.
	stranger atomic.Bool

	lifetime context.Context //nolint:containedctx // it ends with the link, and with it every dial and stream
	end      context.CancelFunc

	// live is the connection that stands, pending one that is being made.
	live    atomic.Pointer[outgoing]
	pending atomic.Pointer[outgoing]
	// orphans counts the probes that went out while there was neither.
	orphans atomic.Int32
}

// book is all links, by id and by address: one of each. It is never changed; another
// takes its place.
type book struct {
	byID      map[raft.NodeID]*link
	byAddress map[string]*link
}

func newBook() *book {
	return &book{byID: make(map[raft.NodeID]*link), byAddress: make(map[string]*link)}
}

func (b *book) add(l *link) { b.byID[l.id], b.byAddress[l.address] = l, l }

// link gives a peer's link, or nil.
func (r *Remoting) link(id raft.NodeID) *link { return r.book.Load().byID[id] }

// linkAt gives the link to the peer at an address, or nil.
func (r *Remoting) linkAt(address string) *link { return r.book.Load().byAddress[address] }

func (r *Remoting) newLink(id raft.NodeID, address string, stranger bool) *link {
	l := &link{id: id, address: address, target: actor.NewPID(address, wireTarget)}
	l.stranger.Store(stranger)
	l.lifetime, l.end = context.WithCancel(r.lifetime)
	return l
}

// Peers implements actors.Network.
func (r *Remoting) Peers() []raft.NodeID {
	var ids []raft.NodeID
	for id, l := range r.book.Load().byID {
		if !l.stranger.Load() {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// Update implements actors.Network.
func (r *Remoting) Update(members []raft.Member) {
	r.changing.Lock()
	defer r.changing.Unlock()
	said := make(map[raft.NodeID]string)
	owner := make(map[string]raft.NodeID)
	for _, m := range members {
		address := r.cfg.Address(m.Context)
		if address == "" {
			address = r.said[m.ID]
		}
		if m.ID == r.cfg.ID || address == "" || address == r.self {
			continue // nobody to talk to, or no way there
		}
		said[m.ID] = address
		// An address may be that of a member that leaves and of one that takes its
		// place: the later one is there now.
		owner[address] = max(owner[address], m.ID)
	}
	maps.DeleteFunc(said, func(id raft.NodeID, address string) bool { return owner[address] != id })
	next := newBook()
	for id, address := range said {
		next.add(r.memberLink(id, address))
	}
	for id, l := range r.book.Load().byID {
		if next.byID[id] == nil && next.byAddress[l.address] == nil && r.streamsOf[id] > 0 {
			l.stranger.Store(true) // it is connected to us, and can be answered
			next.add(l)
		}
	}
	r.said = said
	r.turn(next)
}

// memberLink is the link to a member. One that moved stays where it is, until the
// members say something new.
func (r *Remoting) memberLink(id raft.NodeID, address string) *link {
	old := r.link(id)
	if old != nil && (old.address == address || address == r.said[id]) {
		old.stranger.Store(false)
		return old
	}
	return r.newLink(id, address, false)
}

// turn makes next the book, and ends the links that are not in it.
func (r *Remoting) turn(next *book) {
	old := r.book.Swap(next)
	for id, l := range old.byID {
		if next.byID[id] == l {
			continue
		}
		up := l.live.Load() != nil
		l.end()
		if next.byID[id] == nil {
			r.stats.forget(id)
		}
		r.abandon(l.address)
		if up {
			r.tell(actors.PeerTerminated{ID: id})
		}
	}
}

// abandon makes protoactor drop its queue and its writer for an address.
func (r *Remoting) abandon(address string) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if !r.closed {
		r.system.EventStream.Publish(&remote.EndpointTerminatedEvent{Address: address})
	}
}

// claim is what a node says of itself when it connects, beside its address. Nodes of
// before said nothing.
type claim struct {
	cluster uint64
	id      raft.NodeID
}

const claimPrefix = "castaway/1 "

func (c claim) String() string { return fmt.Sprintf("%s%016x %d", claimPrefix, c.cluster, c.id) }

// parseClaim reads a claim; without one it is zero.
func parseClaim(s string) claim {
	words, ok := strings.CutPrefix(s, claimPrefix)
	cluster, id, two := strings.Cut(words, " ")
	number, err := strconv.ParseUint(cluster, 16, 64)
	node, bad := strconv.ParseUint(id, 10, 64)
	if !ok || !two || err != nil || bad != nil {
		return claim{}
	}
	return claim{cluster: number, id: raft.NodeID(node)}
}

// meet gives the link to a node that connects from an address, and counts its
// stream: a member's, or, for one of our cluster that is no member or has moved, one
// of the few that are kept as long as they are connected. Nil means that it is not
// let in, with the reason.
func (r *Remoting) meet(address string, c claim, certified func(raft.NodeID) error) (*link, reason, error) {
	r.changing.Lock()
	defer r.changing.Unlock()
	known := r.linkAt(address)
	if known != nil && (c.id == raft.None || c.id == known.id) {
		if err := certified(known.id); err != nil {
			return known, dropCertificate, err
		}
		r.streamsOf[known.id]++
		return known, 0, nil
	}
	switch {
	case c.id == raft.None || c.id == r.cfg.ID || c.cluster != r.cfg.ClusterID || address == r.self || !reachable(address):
		return nil, dropStranger, nil
	case known != nil && (known.id > c.id || r.link(c.id) != nil):
		return nil, dropStranger, nil // only who is new can have the address of who has left
	}
	l := r.newLink(c.id, address, true)
	if err := certified(c.id); err != nil {
		return l, dropCertificate, err
	}
	old := r.link(c.id)
	if old != nil {
		l.stranger.Store(old.stranger.Load())
	} else if r.strangers() >= r.cfg.Limits.MaxStrangers {
		return nil, dropStrangers, nil
	}
	next := newBook()
	for id, other := range r.book.Load().byID {
		if id != c.id && other != known {
			next.add(other)
		}
	}
	next.add(l)
	r.streamsOf[l.id]++
	r.turn(next)
	r.cfg.Logger.Info("a node connects that is no member at that address, as far as this one knows",
		"node", r.cfg.ID, "peer", l.id, "address", shortened(address))
	return l, 0, nil
}

func (r *Remoting) strangers() (n int) {
	for _, l := range r.book.Load().byID {
		if l.stranger.Load() {
			n++
		}
	}
	return n
}

// reachable says whether an address is one that a node could have.
func reachable(address string) bool { return member.Info{Peer: address}.Validate() == nil }

// part takes note that a stream from a peer has ended. With its last one a stranger
// goes.
func (r *Remoting) part(id raft.NodeID) {
	r.changing.Lock()
	defer r.changing.Unlock()
	if r.streamsOf[id]--; r.streamsOf[id] > 0 {
		return
	}
	delete(r.streamsOf, id)
	l := r.link(id)
	if l == nil || !l.stranger.Load() {
		return
	}
	next := newBook()
	for _, other := range r.book.Load().byID {
		if other != l {
			next.add(other)
		}
	}
	r.turn(next)
}

// peerAddress is the default of Config.Address.
func peerAddress(context []byte) string {
	info, err := member.Decode(context)
	if err != nil {
		return ""
	}
	return info.Peer
}
