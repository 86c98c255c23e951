package actors

import (
	"sync"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"

	"castaway/persistence"
	"castaway/raft"
)

// A board is what the actors of a group share, and what outlives each of them:
// who they are, where requests wait, and the numbers that must never be given
// twice. Everything in it is either fixed, or safe for concurrent use.
type board struct {
	cfg      GroupConfig
	host     *Host
	pids     pids
	server   *inbox
	machine  *desk
	watchers watchers
	renewals renewals
	errands  errands
	// archiving is the snapshot that is being written, if one is.
	archiving atomic.Pointer[takenSnapshot]
	snapshots snapshotBoard

	lives    atomic.Uint64 // the last Incarnation given
	boot     uint64        // see wireLife
	restarts [actorsOfGroup]atomic.Int64
	halted   atomic.Pointer[string]
	space    atomic.Pointer[persistence.Space]
	// members and configuration are what the server has said of the group.
	members       atomic.Pointer[[]raft.Member]
	configuration atomic.Pointer[raft.ConfigurationState]
	persists      atomic.Int64  // wait for the sync
	rewrites      atomic.Uint64 // of the log; odd while one is under way: see replay.go
	ticking       ticking
	ledger        ledger
	fresh         freshness
	stopping      atomic.Bool
	ended         sync.Once
	stopped       chan struct{}
	// removed: RemoveGroup was called; forgotten is closed when it is done.
	removed   atomic.Bool
	forgot    sync.Once
	forgotten chan struct{}
}

// pids names the actors that a group's actors talk to. They are made from names,
// so that they hold before the actors start and after they restart.
type pids struct {
	host, transport, bulk, group, server, log, machine, archive *actor.PID
}

// The actors of a group, as indexes of restarts.
const (
	theServer = iota
	theLog
	theMachine
	actorsOfGroup
)

var actorNames = [actorsOfGroup]string{"server", "log", "machine"}

// wakeup says that something waits in the receiver's inbox.
type wakeup struct{ quiet }

func newBoard(h *Host, cfg GroupConfig) *board {
	b := &board{cfg: cfg, host: h, boot: newBoot(h.cfg.Random), stopped: make(chan struct{}), forgotten: make(chan struct{})}
	pid := h.system.NewLocalPID
	group := groupName(h.cfg.Name, cfg.Group)
	b.pids = pids{
		host: h.pid, transport: h.TransportPID(), bulk: pid(h.cfg.Name + "/" + bulkName), group: pid(group),
		server: pid(group + "/server"), log: pid(group + "/log"), machine: pid(group + "/machine"), archive: pid(group + "/archive"),
	}
	b.server = newInbox(cfg.Group, &b.cfg.Limits, h.cfg.Clock.Now, func() { b.send(b.pids.server, wakeup{}) })
	b.machine = newDesk(b)
	return b
}

// send tells pid; a message to who has stopped is lost, quietly.
func (b *board) send(pid *actor.PID, message any) { b.host.system.Root.Send(pid, message) }

// nextLife gives an incarnation that no server of this group had before.
func (b *board) nextLife() raft.Incarnation { return raft.Incarnation(b.lives.Add(1)) }

// newBoot draws a number of 60 bits. Incarnations start anew with every process; what
// this node has named with one, another node may still know when the next process
// has begun. So what leaves the node is named by boot and life together.
func newBoot(random func(n int) int) uint64 {
	const half = 30
	return uint64(random(1<<half))<<half | uint64(random(1<<half))
}

// wireLife names an incarnation to other nodes. No other life of this node, in this
// process or another, has the same name, but by a chance of 1 in 2^60: an answer to
// one that is gone is never taken for an answer to this one.
func (b *board) wireLife(life raft.Incarnation) uint64 { return b.boot + uint64(life) }

// publish tells whoever watches.
func (b *board) publish(e Event) {
	e.Time, e.Node, e.Group = b.host.cfg.Clock.Now(), b.host.cfg.ID, b.cfg.Group
	b.watchers.publish(e)
}

// halt records why the group stops for good; the first reason stays.
func (b *board) halt(why string) {
	if b.halted.CompareAndSwap(nil, &why) {
		b.host.cfg.Logger.Error("group halted", "node", b.host.cfg.ID, "group", b.cfg.Group, "why", why)
		b.publish(Event{Kind: EventHalted, Detail: why})
	}
}

// fail makes an error of this group whose outcome is known: not done.
func (b *board) fail(reason Reason, detail string) *Error {
	return &Error{Group: b.cfg.Group, Reason: reason, Detail: detail}
}

// unknown makes an error of this group whose outcome is not known.
func (b *board) unknown(reason Reason, detail string) *Error {
	return &Error{Group: b.cfg.Group, Reason: reason, Detail: detail, Indeterminate: true}
}
