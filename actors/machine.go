package actors

import (
	"fmt"
	"runtime/debug"

	"github.com/asynkron/protoactor-go/actor"

	"castaway/raft"
)

// machineActor owns the user's state machine: it applies what is committed, in
// order and each entry once, and answers who waits for it. What it has yet to do
// is on its desk, so that its crash loses no work and no answer: the next
// instance begins at the newest snapshot, or where its disk is, reads the log, comes as
// far, and goes on with the same piece of work.
//
// Always true: machine and sessions hold exactly the entries 1 to applied.
type machineActor struct {
	*board
	desk    *desk
	machine StateMachine
	// sessions keep what was done from being done again.
	sessions raft.Sessions
	applied  raft.Index
	// verified is where the log was seen to hold what is committed, in the state
	// named by verifiedIn: see replay.go.
	verified   raft.Index
	verifiedIn uint64
	retry      Timer
	self       *actor.PID
	commands   []Command // reused
	verdicts   []verdict // reused
	since      logSince
	wanted     bool // somebody asked for a snapshot
	reported   raft.Index
}

// The machine's messages to itself, and to the server.
type (
	machineContinue struct{ quiet }
	// takeSnapshot asks for a snapshot of now, whether one is due or not: a follower needs
	// one, and there is none to send.
	takeSnapshot struct{ quiet }
	applied      struct {
		quiet
		index raft.Index
	}
	// poisoned says that the machine can't get past an index.
	poisoned struct{ quiet }
)

func newMachine(b *board) *machineActor { return &machineActor{board: b, desk: b.machine} }

// Receive implements actor.Actor.
func (m *machineActor) Receive(ctx actor.Context) {
	switch ctx.Message().(type) {
	case *actor.Started:
		m.self = ctx.Self()
		m.autopsy()
		m.machine = m.cfg.Machine()
		m.begin()
		m.desk.inbox.awake() // the wake-up may have died with the last machine
		m.take()
		m.run()
	case wakeup:
		m.desk.inbox.awake()
		m.take()
		m.run()
	case machineContinue:
		m.take()
		m.run()
	case takeSnapshot:
		m.wanted = m.archiving.Load() == nil // otherwise one is on its way
		m.take()
		m.run()
	case *actor.Restarting, *actor.Stopping:
		if m.retry != nil {
			m.retry.Stop()
		}
		m.closeDisk()
	}
}

// take brings what waits in the inbox to the desk. Only when all of it is safe there
// is the user's code run for a status.
func (m *machineActor) take() {
	var asked []*askMachine
	for _, c := range m.desk.inbox.takeControls() {
		switch c := c.(type) {
		case *work:
			if c.readers != nil {
				m.desk.waiting = append(m.desk.waiting, c)
			} else {
				m.desk.queue = append(m.desk.queue, c)
			}
		case *askMachine:
			asked = append(asked, c)
		}
	}
	// What is more waits in the inbox, and is refused when that is full.
	if readers := m.takeReads(); len(readers) > 0 {
		w := &work{index: m.desk.reached.Index, readers: readers}
		m.desk.reads.Add(int64(len(readers)))
		m.desk.waiting = append(m.desk.waiting, w)
	}
	for _, a := range asked {
		m.answerStatus(a)
	}
}

// run works until nothing is left, or the log must be waited for.
func (m *machineActor) run() {
	if why := m.halted.Load(); why != nil {
		m.desk.abandon(m.goodbye(true))
		return
	}
	caughtUp := m.catchUp()
	for caughtUp && len(m.desk.queue) > 0 {
		w := m.desk.queue[0]
		if !m.do(w) {
			break
		}
		m.disappoint(w, w.span.Last+1)
		m.desk.queue[0] = nil
		m.desk.queue = m.desk.queue[1:]
		m.desk.finished(w)
	}
	if m.halted.Load() != nil {
		m.desk.abandon(m.goodbye(true))
		return
	}
	if m.answerReads() {
		m.send(m.self, machineContinue{})
	}
	if m.applied > m.reported && m.applied >= m.desk.reached.Index {
		m.reported = m.applied
		m.send(m.pids.server, applied{index: m.applied})
	}
	m.snapshotWhenDue()
}

// catchUp brings a machine that was made anew to where the last one was.
func (m *machineActor) catchUp() bool {
	if m.applied >= m.desk.reached.Index {
		return true
	}
	return m.replay(m.desk.reached.Index, m.desk.reached, nil)
}

// do applies w; false if it must be tried again later.
func (m *machineActor) do(w *work) bool {
	if w.install != nil {
		return m.install(w.install)
	}
	if w.span.Last <= m.applied {
		// A server that started anew tells again what is committed.
		w.fail(m.unknown(ReasonRestarted, "the command was applied, but its result was lost in a restart"))
		m.reported = 0 // it has to learn how far we are
		return true
	}
	if w.span.First > m.applied+1 {
		panic(fmt.Sprintf("actors: committed entries %d to %d came to a machine that has applied only %d", w.span.First, w.span.Last, m.applied))
	}
	if w.span.Entries == nil {
		return m.replay(w.span.Last, w.last, w)
	}
	m.apply(w.span.Entries[m.applied+1-w.span.First:], w)
	return m.halted.Load() == nil
}

// apply applies entries, which follow on applied, and answers who waits for them.
func (m *machineActor) apply(entries []raft.Entry, w *work) {
	for len(entries) > 0 {
		n := len(entries)
		if c := m.desk.careful; m.applied < c.last {
			n = min(n, max(1, int(c.first)-1-int(m.applied)))
		}
		m.applySome(entries[:n], w)
		entries = entries[n:]
	}
}

func (m *machineActor) applySome(entries []raft.Entry, w *work) {
	commands, verdicts := m.commands[:0], m.verdicts[:0]
	for i := range entries {
		switch e := &entries[i]; e.Kind {
		case raft.EntryCommand:
			commands = append(commands, Command{Index: e.Index, Term: e.Term, Data: e.Data})
		case raft.EntrySession:
			v := m.sessions.Apply(*e)
			if v.Outcome == raft.SessionExecute {
				commands = append(commands, Command{Index: e.Index, Term: e.Term, Data: v.Command})
			}
			verdicts = append(verdicts, verdict{raft.Position{Term: e.Term, Index: e.Index}, v})
		}
	}
	m.commands, m.verdicts = commands, verdicts
	last := &entries[len(entries)-1]
	var results [][]byte
	if len(commands) > 0 {
		m.desk.attempt.first, m.desk.attempt.last = entries[0].Index, last.Index
		results = m.machine.Apply(commands)
		if len(results) != len(commands) {
			panic(fmt.Sprintf("actors: StateMachine.Apply returned %d results for %d commands", len(results), len(commands)))
		}
		m.desk.attempt.first, m.desk.attempt.last = 0, 0
	}
	m.keep(commands, results, verdicts)
	m.advance(last)
	m.since.add(entries)
	m.commitDisk()
	if w != nil {
		m.answer(w, commands, results, verdicts)
	}
	clear(commands)
	clear(verdicts)
}

func (m *machineActor) advance(last *raft.Entry) {
	m.applied = last.Index
	if m.applied > m.desk.reached.Index {
		m.desk.reached = raft.Position{Term: last.Term, Index: last.Index}
	}
}

// answer gives the results to those among w's waiters whose commands they are, and
// what became of sessions' entries to the others. All are in the order of the log.
func (m *machineActor) answer(w *work, commands []Command, results [][]byte, verdicts []verdict) {
	for i := range commands {
		c := &commands[i]
		for len(verdicts) > 0 && verdicts[0].at.Index <= c.Index {
			if verdicts[0].at.Index < c.Index {
				m.answerVerdict(w, &verdicts[0])
			}
			verdicts = verdicts[1:]
		}
		if len(w.blocks) == 0 {
			return
		}
		if waiter := m.claim(w, raft.Position{Term: c.Term, Index: c.Index}); waiter != nil {
			waiter.result = Result{Index: c.Index, Term: c.Term, Value: results[i]}
			waiter.finish()
		}
	}
	for i := range verdicts {
		m.answerVerdict(w, &verdicts[i])
	}
}

// claim takes out who waits for the entry at this position; nil if nobody does. What
// is answered is taken out of w first, so that it is never answered again.
func (m *machineActor) claim(w *work, at raft.Position) *waiter {
	m.disappoint(w, at.Index)
	if len(w.blocks) == 0 {
		return nil
	}
	b := &w.blocks[0]
	if at.Index < b.first {
		return nil
	}
	if b.term != at.Term {
		panic(fmt.Sprintf("actors: entry %d was proposed in term %d, but committed in term %d", at.Index, b.term, at.Term))
	}
	return b.pop()
}

// disappoint answers those of w who wait for an index below next: the server gave
// them along with entries among which their commands are not.
func (m *machineActor) disappoint(w *work, next raft.Index) {
	for len(w.blocks) > 0 {
		b := &w.blocks[0]
		switch {
		case len(b.waiters) == 0:
			w.blocks = w.blocks[1:]
		case b.first < next:
			b.pop().fail(m.unknown(ReasonLeadershipLost, "another entry was committed where the command was expected; read to find out what became of it"))
		default:
			return
		}
	}
}

// pop takes out who waits for the block's first index.
func (b *block) pop() *waiter {
	w := b.waiters[0]
	b.first, b.waiters = b.first+1, b.waiters[1:]
	return w
}

// query answers one read. A query must not change the machine, so that its panic
// does not cost the machine its life: a client could otherwise use up the restart
// budget.
func (m *machineActor) query(r *waiter) {
	if r.gone() {
		r.finish() // nobody wants to know
		return
	}
	if r.least > m.applied {
		r.err = &behindError{m.applied}
		r.finish()
		return
	}
	value, err := m.ask(r.query)
	if err != nil {
		r.err = &Error{Group: m.cfg.Group, Reason: ReasonMachineFailed, Cause: err, Detail: fmt.Sprintf("the machine could not answer: %v", err)}
	}
	r.value = value
	r.finish()
}

func (m *machineActor) ask(query any) (value any, err error) {
	defer func() {
		if p := recover(); p != nil {
			m.host.cfg.Logger.Error("a query panicked", "node", m.host.cfg.ID, "group", m.cfg.Group,
				"query", fmt.Sprintf("%T", query), "panic", p, "stack", string(debug.Stack()))
			value, err = nil, fmt.Errorf("the query panicked: %v", p)
		}
	}()
	return m.machine.Query(query)
}

func (m *machineActor) answerStatus(a *askMachine) {
	if m.halted.Load() != nil { // the state may be any; the last good one was here
		a.answer <- machineStatus{applied: m.desk.reached.Index}
		return
	}
	s := machineStatus{applied: m.applied}
	s.sessions, s.sessionsHash = m.sessions.Len(), m.sessions.Hash()
	s.hash, s.hashed = m.hash()
	a.answer <- s
}

// hash asks the machine for its hash, if it has one to give. Like that of a query,
// its panic is none of the log's business.
func (m *machineActor) hash() (hash uint64, hashed bool) {
	h, ok := m.machine.(Hasher)
	if !ok {
		return 0, false
	}
	defer func() {
		if p := recover(); p != nil {
			m.host.cfg.Logger.Error("StateHash panicked", "node", m.host.cfg.ID, "group", m.cfg.Group,
				"panic", p, "stack", string(debug.Stack()))
			hash, hashed = 0, false
		}
	}()
	return h.StateHash(), true
}
