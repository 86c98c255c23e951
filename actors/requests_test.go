package actors

import (
	"context"
	"errors"
	"testing"
	"time"

	"castaway/messages"
	"castaway/raft"
)

// want checks an error's reason, and whether it leaves the outcome open.
func want(t *testing.T, err error, reason Reason, indeterminate bool) *Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, which is no *Error", err)
	}
	if e.Reason != reason || errors.Is(err, ErrIndeterminate) != indeterminate {
		t.Fatalf("got reason %d, indeterminate %v: %v; want reason %d, indeterminate %v", e.Reason, e.Indeterminate, err, reason, indeterminate)
	}
	return e
}

// TestC28 cuts the leader off. What it has proposed ends as indeterminate within
// an election timeout or so, without a hang, a false success or a false failure;
// the others go on, and the entry is nowhere in the end.
func TestC28_AnIsolatedLeadersRequestsEndAsIndeterminate(t *testing.T) {
	c := newCluster(t, 3, nil)
	old := c.leader()
	c.network.Isolate(old.id)
	ctx, cancel := context.WithTimeout(context.Background(), 10*c.timeout())
	defer cancel()
	began := time.Now()
	_, err := old.group.Propose(ctx, []byte("lost"))
	want(t, err, ReasonLeadershipLost, true)
	if took := time.Since(began); took > 3*c.timeout() {
		t.Errorf("it took %v to say so, with an election timeout of %v", took, c.timeout())
	}
	// It leads no more, and knows nobody who does: nothing was done.
	_, err = old.group.Propose(ctx, []byte("too late"))
	if e := want(t, err, ReasonNoLeader, false); e.RetryAfter == 0 {
		t.Error("no word about when to retry")
	}
	others := c.followers(old)
	r := c.put(others[0], "won")
	c.network.HealAll()
	c.agree()
	if !c.observer.holds(r.Index, "won") {
		t.Error("what was acknowledged is gone")
	}
	for _, lost := range []string{"lost", "too late"} {
		if v, _ := others[0].group.Read(ctx, lost, Linearizable); v != 0 {
			t.Errorf("%q was applied", lost)
		}
	}
}

// A deposed leader hears of the next one and, in the same message, that an entry is
// committed where it had proposed its own. Who waits for that is told that its outcome
// is unknown.
func TestALeaderIsDeposedByACommit(t *testing.T) {
	c := newCluster(t, 3, func(_ *HostConfig, g *GroupConfig) { g.ElectionTicks = 400 })
	_ = c.nodes[1].group.Campaign(t.Context())
	leader := c.leader()
	c.agree()
	c.network.Isolate(leader.id)
	told := make(chan error, 1)
	leader.group.ProposeAsync([]byte("mine"), func(_ Result, err error) { told <- err })
	c.eventually(1, "proposal", func() bool { return leader.status().Inflight.Proposed == 1 })

	st := leader.status()
	term, at := st.Raft.HardState.Term+1, raft.Position{Term: st.Raft.HardState.Term, Index: st.Raft.Commit}
	es := []raft.Entry{{Term: term, Index: at.Index + 1, Kind: raft.EntryNoOp}}
	messages.Seal(es)
	leader.group.send(leader.group.pids.server, messages.ToEnvelope(7, 1, &raft.AppendEntries{
		Header:   raft.Header{From: c.followers(leader)[0].id, To: leader.id, Term: term},
		Previous: at, Commit: at.Index + 1, Entries: es,
	}))
	c.eventually(1, "answer", func() bool { return len(told) == 1 })
	want(t, <-told, ReasonLeadershipLost, true)
}

// A deadline that ends before anyone acted withdraws the command; one that ends
// later leaves its outcome open.
func TestDeadlines(t *testing.T) {
	c := newCluster(t, 3, nil)
	leader := c.leader()
	c.network.Isolate(leader.id)
	short, cancel := context.WithTimeout(context.Background(), c.timeout()/20)
	defer cancel()
	_, err := leader.group.Propose(short, []byte("proposed"))
	if e := want(t, err, ReasonDeadline, true); !errors.Is(e, context.DeadlineExceeded) {
		t.Errorf("%v does not tell its cause", e)
	}
	c.eventually(10, "end of its leadership", func() bool { return leader.status().Leader == raft.None })
	waiting, cancel := context.WithTimeout(context.Background(), c.timeout()/20)
	defer cancel()
	_, err = leader.group.Propose(waiting, []byte("in the waiting room"))
	want(t, err, ReasonDeadline, false)
	_, err = leader.group.Propose(waiting, []byte("never entered"))
	want(t, err, ReasonDeadline, false)
	c.network.HealAll()
	c.put(leader, "after")
	c.agree()
	for _, absent := range []string{"in the waiting room", "never entered"} {
		if v, _ := c.leader().group.Read(t.Context(), absent, Linearizable); v != 0 {
			t.Errorf("%q was said not to be done, but was", absent)
		}
	}
}

// Each limit that a client can meet is named in the error.
func TestLimitsAreNamed(t *testing.T) {
	c := newCluster(t, 3, func(_ *HostConfig, g *GroupConfig) {
		g.Limits.MaxEntryBytes, g.Limits.MaxQueuedCommands, g.Limits.MaxQueuedBytes, g.Limits.MaxQueuedReads = 10, 3, 20+3*commandOverhead, 2
	})
	c.network.Isolate(1) // so that what comes, stays
	g := c.nodes[1].group
	c.eventually(10, "loneliness", func() bool { return c.nodes[1].status().Leader == raft.None })
	_, err := g.Propose(t.Context(), make([]byte, 11))
	if e := want(t, err, ReasonTooLarge, false); e.Limit != "MaxEntryBytes" {
		t.Errorf("limit %q", e.Limit)
	}
	answers := make(chan error, 16)
	async := func(size int) { g.ProposeAsync(make([]byte, size), func(_ Result, err error) { answers <- err }) }
	async(10)
	async(10)
	async(10)
	if e := want(t, <-answers, ReasonOverloaded, false); e.Limit != "MaxQueuedBytes" {
		t.Errorf("limit %q", e.Limit)
	}
	async(0)
	async(0)
	if e := want(t, <-answers, ReasonOverloaded, false); e.Limit != "MaxQueuedCommands" {
		t.Errorf("limit %q", e.Limit)
	}
	for range 3 { // the patience of those who waited ends
		want(t, <-answers, ReasonNoLeader, false)
	}
	reads := make(chan error, 3)
	for range 3 {
		go func() {
			_, err := g.Read(t.Context(), "x", Linearizable)
			reads <- err
		}()
	}
	if e := want(t, <-reads, ReasonOverloaded, false); e.Limit != "MaxQueuedReads" {
		t.Errorf("limit %q", e.Limit)
	}
	want(t, <-reads, ReasonNoLeader, false)
	want(t, <-reads, ReasonNoLeader, false)
}

// A batch has one outcome for each command, in order.
func TestProposeBatch(t *testing.T) {
	c := newCluster(t, 3, func(_ *HostConfig, g *GroupConfig) { g.Limits.MaxEntryBytes = 100 })
	for _, n := range []*node{c.leader(), c.followers(c.leader())[0]} {
		outcomes := n.group.ProposeBatch(t.Context(), [][]byte{[]byte("a"), make([]byte, 101), []byte("b")})
		if outcomes[0].Err != nil || outcomes[2].Err != nil {
			t.Fatalf("%+v", outcomes)
		}
		if !c.observer.holds(outcomes[0].Result.Index, "a") || !c.observer.holds(outcomes[2].Result.Index, "b") {
			t.Errorf("results are not in order: %+v", outcomes)
		}
		want(t, outcomes[1].Err, ReasonTooLarge, false)
	}
}

// A follower's forwarded command whose answer is lost ends as indeterminate; one
// that a server got which does not lead is not done, and waits for a leader.
func TestForwarding(t *testing.T) {
	c := newCluster(t, 3, nil)
	leader := c.leader()
	follower := c.followers(leader)[0]
	r, err := follower.group.Propose(t.Context(), []byte("passed on"))
	if err != nil || !c.observer.holds(r.Index, "passed on") {
		t.Fatalf("forwarded: %+v, %v", r, err)
	}
	c.network.Cut(leader.id, follower.id) // the answer is lost; and so is the follower's faith
	ctx, cancel := context.WithTimeout(context.Background(), 10*c.timeout())
	defer cancel()
	_, err = follower.group.Propose(ctx, []byte("answer lost"))
	want(t, err, ReasonLeadershipLost, true)
	c.network.HealAll()
	c.put(follower, "healed")
	c.agree()
}

// Reads see what was acknowledged before, wherever they come in; a leader that is
// one no more answers none, except those that may be stale.
func TestReads(t *testing.T) {
	c := newCluster(t, 3, nil)
	leader := c.leader()
	for range 20 {
		c.put(leader, "x")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*c.timeout())
	defer cancel()
	for _, n := range c.nodes {
		if v, err := n.group.Read(ctx, "x", Linearizable); err != nil || v.(int) < 20 {
			t.Errorf("node %d reads %v, %v", n.id, v, err)
		}
	}
	_, err := leader.group.Read(ctx, errEIO, Linearizable)
	if want(t, err, ReasonMachineFailed, false); !errors.Is(err, errEIO) {
		t.Errorf("the machine's error is lost: %v", err)
	}
	_, err = leader.group.Read(ctx, 42, Linearizable) // panics
	want(t, err, ReasonMachineFailed, false)
	if leader.status().Restarts.Machine != 0 {
		t.Error("a client's query cost the machine its life")
	}
	c.network.Isolate(leader.id)
	if v, err := leader.group.Read(ctx, "x", Serializable); err != nil || v.(int) < 20 {
		t.Errorf("serializable: %v, %v", v, err)
	}
	_, err = leader.group.Read(ctx, "x", Linearizable)
	want(t, err, ReasonNoLeader, false)
}

// Host.Stop answers everyone, whatever they wait for.
func TestStopAnswersEveryone(t *testing.T) {
	c := newCluster(t, 3, nil)
	leader := c.leader()
	c.network.Isolate(leader.id)
	answers := make(chan error, 200)
	for range 100 {
		leader.group.ProposeAsync([]byte("x"), func(_ Result, err error) { answers <- err })
		go func() {
			_, err := leader.group.Read(context.Background(), "x", Linearizable)
			answers <- err
		}()
	}
	c.eventually(10, "proposals", func() bool {
		st := leader.status()
		return st.Inflight.Proposed > 0 && st.Inflight.ConfirmedReads+st.Queues.ServerReads > 0
	})
	group := leader.group
	c.halt(leader.id)
	for range 200 {
		err := <-answers
		var e *Error
		if !errors.As(err, &e) || (e.Reason != ReasonStopped && e.Reason != ReasonLeadershipLost) {
			t.Errorf("answer: %v", err)
		}
	}
	_, err := group.Propose(context.Background(), nil)
	want(t, err, ReasonStopped, false)
	_, err = group.Read(context.Background(), "x", Serializable)
	want(t, err, ReasonStopped, false)
	if _, err := group.Status(context.Background()); err == nil {
		t.Error("a stopped group has a status")
	}
}
