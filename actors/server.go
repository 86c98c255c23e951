package actors

import (
	"errors"
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"castaway/messages"
	"castaway/raft"
)

// The server's messages, beside the log's answers and the transport's envelopes.
type (
	// tick is time passing: count ticks, up to the pulse with this number. It is for
	// the instance of this life.
	tick struct {
		quiet
		life   raft.Incarnation
		count  int
		number uint64
	}
	// heard is a heartbeat, or the reply to one, that came in a bundle. What is
	// answered to it may wait for a bundle, unless it is urgent.
	heard struct {
		quiet
		message raft.Message
		urgent  bool
	}
	// campaign is Group.Campaign.
	campaign struct{}
	// statusRequest is the server's part of Group.Status.
	statusRequest struct{ answer chan Status }
)

// server owns a group's raft.Core and carries out its effects. What a client gets
// depends on its behaviour, which follows the core's role; what another server
// gets is the core's alone to decide.
//
// Always true: behaviour and core.Role() agree after every message, or the server
// panics; it is ticked for once at a time; and no two cores of a group exist at once,
// since a new one is made only from what the log actor read after everything of
// the one before it.
type server struct {
	*board
	self     *actor.PID
	behavior actor.Behavior
	doing    string // the behaviour's name

	core *raft.Core       // nil while recovering, and when halted
	life raft.Incarnation // the core's
	role raft.RoleChange  // what the behaviour was chosen for
	// ledSince is when this server began to lead its term: the time of sessions.
	ledSince time.Time
	born     raft.Incarnation // this instance's first
	ticks    int
	// patient: the heartbeats that the message at hand gives rise to may wait for
	// those of other groups.
	patient bool
	// beaten counts the ticks that the core of a leader got; see pass.
	beaten uint64

	unsynced  []uint64 // sequences of batches that our own disk has not synced
	stall     stall
	rounds    rounds // of this term
	nextRead  raft.ReadID
	nextID    uint64 // of what is forwarded
	pauseTill int    // no forwarding before this tick
	compactTo raft.Index
	lowDisk   bool

	transferring bool // leadership is being handed over: nothing is proposed
}

func newServer(b *board) *server { return &server{board: b, behavior: actor.NewBehavior()} }

// Receive implements actor.Actor.
func (s *server) Receive(ctx actor.Context) {
	s.tellTime()
	switch m := ctx.Message().(type) {
	case *actor.Started:
		s.start(ctx)
		return
	case *actor.Restarting, *actor.Stopping:
		s.ticking.life.Store(0)
		return
	case *actor.Stopped, *actor.Terminated:
		return
	case tick:
		s.ticking.due.Store(false)
		if m.life != s.born {
			return // of an instance before this one
		}
		s.ticks += m.count
		s.patient = true
	case heard:
		s.patient = !m.urgent
	case wakeup:
		s.board.server.awake()
		s.controls()
	case snapshotTaken:
		s.passOnSnapshot(m.taken)
		return
	case snapshotWritten:
		s.snapshotThere(m.last.Index)
		return
	}
	s.behavior.Receive(ctx)
	s.check()
	s.rest(ctx.Message())
}

func (s *server) start(ctx actor.Context) {
	s.self = ctx.Self()
	s.born = s.nextLife()
	s.board.server.awake() // the wake-up may have died with the last server
	s.ledger.abandon(s.board, s.unknown(ReasonRestarted, "the server crashed while it carried the request out; read to find out what became of it"))
	s.leaveBehind() // the server before this one died before it could pass it on
	s.ticking.calm.Store(false)
	s.ticking.due.Store(false)
	s.ticking.life.Store(uint64(s.born))
	if s.halted.Load() != nil {
		s.halt(*s.halted.Load())
	} else {
		s.reopen()
	}
	s.controls()
}

// check holds the law: the behaviour is the role's.
func (s *server) check() {
	if s.core == nil {
		return
	}
	if role := s.core.Role(); role != s.role.Role {
		panic(fmt.Sprintf("actors: the server behaves as a %v, but its core is a %v", s.role.Role, role))
	}
}

// consensus gives the core what is the core's, the same in every role.
func (s *server) consensus(message any) {
	switch m := message.(type) {
	case *messages.Envelope:
		s.step(m)
	case tick:
		s.pass(m)
		s.standAside(m)
		s.housekeeping(m)
	case heard:
		s.beatBack(m.message)
		s.carryOut(s.core.Step(m.message))
	case persisted:
		s.synced(m.ack)
		s.carryOut(s.core.Persisted(m.ack))
	case applied:
		s.carryOut(s.core.Applied(m.index))
	case snapshotReported:
		s.carryOut(s.core.SnapshotReported(m.to, m.term, m.last, m.ok))
		s.compact()
	case snapshotArrived:
		s.carryOut(s.core.Step(&raft.InstallSnapshot{Header: m.header, Snapshot: m.meta}))
	case fetched:
		if m.incarnation == s.life {
			s.carryOut(s.core.Fetched(m.fetch, m.entries))
		}
	case spaceReport:
		s.disk(m)
	case logLost:
		s.reopen()
	case logFailed:
		s.halt(m.err.Error())
	case poisoned:
		s.halt(*s.halted.Load())
	}
}

// step hands the core a message of another server.
func (s *server) step(e *messages.Envelope) {
	if s.answered(e) {
		return
	}
	m, err := messages.FromEnvelope(e)
	if err != nil {
		s.malformed(e, err)
		return
	}
	s.beatBack(m)
	s.carryOut(s.core.Step(m))
}

// malformed counts what is no message, beside what the transport drops, and logs it
// once per peer: one that is faulty must not fill the log.
func (s *server) malformed(e *messages.Envelope, err error) {
	if s.host.transport.drop(raft.NodeID(e.GetFrom()), dropMalformed) {
		s.host.cfg.Logger.Warn("an envelope was dropped; more of the kind are counted only", "reason", dropMalformed.String(),
			"kind", messages.KindOf(e), "node", s.host.cfg.ID, "group", s.cfg.Group, "from", e.GetFrom(), "error", err)
	}
}

// carryOut does what the core asks for. What goes to the network goes first, so
// that the followers write while we do (T10.2.1). The role goes before what is
// committed: who waits for a deposed leader's entries must be answered before those
// of another leader, at the same indexes, are taken for theirs.
func (s *server) carryOut(e raft.Effects) {
	if e.Forgotten != nil {
		s.forgot(e.Forgotten)
		return
	}
	s.memberEffects(&e) // first, so that the transport knows whom it sends to
	s.sendOut(e.Send)
	if !e.Persist.Empty() {
		p := &persist{incarnation: s.life, write: e.Persist}
		if len(e.Persist.After) > 0 {
			p.after = s.envelopes(e.Persist.After)
			p.write.After = nil
		}
		s.send(s.pids.log, p)
	}
	for _, f := range e.Fetch {
		s.send(s.pids.log, fetch{incarnation: s.life, fetch: f})
	}
	s.dispatchSnapshots(e.Snapshots)
	if e.Role != nil {
		s.become(*e.Role)
	}
	if e.Install != nil {
		s.machine.give(&work{install: e.Install})
	}
	if !e.Commit.Empty() {
		s.committed(e.Commit)
	}
	s.confirmed(e.Reads)
	s.unconfirmed(e.Aborted)
	if e.Removed != nil {
		s.outOfGroup(e.Removed)
	}
}

func (s *server) envelopes(ms []raft.Message) []*messages.Envelope {
	es := make([]*messages.Envelope, len(ms))
	for i, m := range ms {
		es[i] = messages.ToEnvelope(s.host.cfg.ClusterID, s.cfg.Group, m)
	}
	return es
}

// committed gives the machine a span, with those who wait for it. Where the
// machine lags too far behind, it reads the entries from the log by itself.
func (s *server) committed(span raft.Span) {
	w := &work{span: span, blocks: s.ledger.settle(span.Last)}
	if n := len(span.Entries); n > 0 {
		for i := range span.Entries {
			w.size += span.Entries[i].Size()
		}
		w.last = raft.Position{Term: span.Entries[n-1].Term, Index: span.Last}
		if s.machine.bytes.Load()+int64(w.size) > int64(s.cfg.Limits.MaxUnappliedBytes) && len(w.blocks) == 0 {
			w.span.Entries, w.size = nil, 0
		}
	}
	if !s.machine.give(w) {
		w.fail(s.goodbye(true))
		s.machine.finished(w)
	}
}

// become is the one place where a change of role changes the behaviour.
func (s *server) become(rc raft.RoleChange) {
	old := s.role
	s.role = rc
	switch rc.Role {
	case raft.Follower:
		s.behave("follower", s.following)
	case raft.PreCandidate:
		s.behave("precandidate", s.campaigning)
	case raft.Candidate:
		s.behave("candidate", s.campaigning)
	case raft.Leader:
		s.ledSince = s.host.cfg.Clock.Now()
		s.behave("leader", s.leading)
	}
	s.board.server.flow(rc.Leader != raft.None)
	if old.Role == raft.Leader && (rc.Role != raft.Leader || rc.Term != old.Term) {
		s.stopLeading(rc)
	}
	if rc.Role == raft.Leader {
		s.beaten = 0 // no term makes the same server leader twice
		s.rounds = rounds{}
	}
	if rc.Leader != old.Leader || rc.Term != old.Term {
		s.leaderChanged(rc)
	}
	s.publish(Event{Kind: EventRole, Incarnation: s.life, Role: rc.Role, Term: rc.Term, Leader: rc.Leader})
	s.send(s.self, wakeup{}) // what waits may have its turn in the new role
}

func (s *server) behave(name string, receive actor.ReceiveFunc) {
	s.doing = name
	s.behavior.Become(receive)
}

// controls serves what the handle asks for, in any behaviour. What was not yet
// served when one panics is left to the next server.
func (s *server) controls() {
	for c := s.board.server.takeControl(); c != nil; c = s.board.server.takeControl() {
		switch c := c.(type) {
		case *statusRequest:
			c.answer <- s.status()
		case *changeRequest:
			s.changeMembers(c)
		case *transferRequest:
			s.transfer(c)
		case campaign:
			if s.core != nil {
				s.carryOut(s.core.Campaign())
			}
		}
	}
}

// housekeeping is what is done every few ticks: more rarely while there is nothing to
// do, since a write tells of the disk too.
func (s *server) housekeeping(m tick) {
	every := s.cfg.HeartbeatTicks
	if s.ticking.calm.Load() && !s.lowDisk {
		every *= restfulIntervals
	}
	if s.ticks/every != (s.ticks-m.count)/every {
		s.send(s.pids.log, askSpace{})
		s.compact()
	}
}

// restfulIntervals is for how many heartbeats a group at rest looks at the disk once.
const restfulIntervals = 10

// disk follows the disk's reserve. Below it a leader refuses proposals, until there
// is room again. What a leader has proposed is taken all the same, as long as the
// store takes it: all disks fill up together, and without the first entry of its
// term no new leader could serve so much as a read.
func (s *server) disk(r spaceReport) {
	s.lowDisk = r.space.Low()
	detail := "the disk has room again"
	if s.lowDisk {
		detail = s.diskReserve().Detail
	}
	s.publish(Event{Kind: EventDisk, Incarnation: s.life, Detail: detail})
}

func (s *server) diskReserve() *Error {
	space := s.space.Load()
	return s.fail(ReasonDiskReserve, fmt.Sprintf("the disk has %d bytes free, less than its reserve of %d; free some space, writes resume by themselves", space.Free, space.Reserve))
}

// synced takes note of what our own disk holds.
func (s *server) synced(a raft.Ack) {
	if a.Incarnation != s.life {
		return
	}
	n := 0
	for n < len(s.unsynced) && s.unsynced[n] <= a.Sequence {
		n++
	}
	s.paid(n)
}

// refused turns an error of the core into one for clients; nothing was done.
func (s *server) refused(err error) *Error {
	reason := ReasonNotLeader
	if errors.Is(err, raft.ErrEntryTooLarge) {
		reason = ReasonTooLarge
	}
	e := s.fail(reason, err.Error())
	e.Cause, e.Leader = err, s.role.Leader
	return e
}
