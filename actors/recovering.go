package actors

import (
	"github.com/asynkron/protoactor-go/actor"

	"castaway/messages"
	"castaway/raft"
)

// reopen starts a new incarnation from the disk: at the server's start, and
// when the log actor lost what it had not written.
func (s *server) reopen() {
	s.ledger.abandon(s.board, s.unknown(ReasonRestarted, "the log crashed while the request was carried out; read to find out what became of it"))
	s.core, s.unsynced = nil, nil
	s.role = raft.RoleChange{}
	s.board.server.flow(false)
	s.life = s.nextLife()
	s.behave("recovering", s.recovering)
	s.send(s.pids.log, open{incarnation: s.life})
}

// recovering waits for the log. Requests wait too, for as long as for a leader.
// Messages of other servers are lost; they will be sent again.
func (s *server) recovering(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case opened:
		if m.incarnation == s.life {
			s.opened(m.restored)
			s.resume(m)
		}
	case logLost:
		s.reopen()
	case logFailed:
		s.halt(m.err.Error())
	case poisoned:
		s.halt(*s.halted.Load())
	case tick, wakeup:
		s.room("this node is still reading its log")
	}
}

// opened makes the core of this incarnation.
func (s *server) opened(r raft.Restored) {
	if r.Snapshot.Last.Index == 0 && len(r.Snapshot.Configuration.Voters) == 0 {
		r.Snapshot.Configuration.Voters, r.Snapshot.Configuration.Members = s.cfg.Voters, s.cfg.Founders
	}
	l := &s.cfg.Limits
	lease, promise := s.cfg.leases()
	core, err := raft.New(raft.Config{
		ID:          s.host.cfg.ID,
		Incarnation: s.life,

		ElectionTicks:  s.cfg.ElectionTicks,
		HeartbeatTicks: s.cfg.HeartbeatTicks,
		PreVote:        s.cfg.PreVote,
		CheckQuorum:    s.cfg.CheckQuorum,

		MaxMessageBytes:     l.MaxMessageBytes,
		MaxInflightMessages: l.MaxInflightMessages,
		MaxInflightBytes:    l.MaxInflightBytes,
		MaxUncommittedBytes: l.MaxUncommittedBytes,
		MaxEntryBytes:       l.MaxEntryBytes,
		MaxPendingReads:     l.MaxReadBatches,
		CacheBytes:          l.CacheBytes,

		CatchUpRounds: s.cfg.CatchUpRounds,
		CatchUpTicks:  s.cfg.CatchUpTicks,

		LeaseNanos:   lease,
		PromiseNanos: promise,

		Random: s.host.cfg.Random,
		Seal:   messages.Seal,
		Trace:  s.cfg.Trace,
	}, r)
	if err != nil {
		s.send(s.pids.host, storeFailed{log: s.self, err: err})
		s.halt(err.Error())
		return
	}
	s.core, s.transferring = core, false
	s.tellTime()
	st := core.Status()
	s.configured(raft.ConfigurationState{Index: st.ConfigurationIndex, Configuration: st.Configuration, Committed: st.ConfigurationCommitted})
	s.lowDisk = s.space.Load() != nil && s.space.Load().Low()
	s.publish(Event{Kind: EventRecovered, Incarnation: s.life, Term: r.HardState.Term})
	s.become(raft.RoleChange{Role: core.Role(), Term: r.HardState.Term})
}
