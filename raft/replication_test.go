package raft_test

import (
	"fmt"
	"testing"

	"castaway/raft"
)

// appendTo makes an AppendEntries of the leader of a term, whose log has these terms
// from the entry after previous on.
func appendTo(to raft.NodeID, leaderTerm raft.Term, previous raft.Position, terms ...raft.Term) *raft.AppendEntries {
	m := &raft.AppendEntries{Header: raft.Header{From: 2, To: to, Term: leaderTerm}, Previous: previous}
	for i, term := range terms {
		index := previous.Index + raft.Index(i) + 1
		m.Entries = append(m.Entries, raft.Entry{
			Term: term, Index: index, Kind: raft.EntryCommand, Data: fmt.Appendf(nil, "%d@t%d", index, term),
		})
	}
	return m
}

// replies takes the answers to AppendEntries off the network.
func (c *cluster) replies() []*raft.AppendEntriesReply {
	c.disks()
	var replies []*raft.AppendEntriesReply
	for _, m := range c.drop(of[*raft.AppendEntriesReply]) {
		replies = append(replies, m.(*raft.AppendEntriesReply))
	}
	return replies
}

// What a follower does with an AppendEntries, for each way in which its log [1 1 2 2]
// can stand to it.
func TestC03_FollowerMakesItsLogMatch(t *testing.T) {
	at := func(index raft.Index, term raft.Term) raft.Position { return raft.Position{Term: term, Index: index} }
	for _, test := range []struct {
		story   string
		m       *raft.AppendEntries
		log     string
		success bool
		match   raft.Index
	}{
		{"it continues the log", appendTo(1, 3, at(4, 2), 3), "[1 1 2 2 3]", true, 5},
		{"it holds nothing and matches the end", appendTo(1, 3, at(4, 2)), "[1 1 2 2]", true, 4},
		{"it repeats what is there", appendTo(1, 3, at(2, 1), 2, 2), "[1 1 2 2]", true, 4},
		{"it is stale, shorter than the log: nothing is deleted", appendTo(1, 3, at(1, 1), 1), "[1 1 2 2]", true, 2},
		{"it is stale and empty: nothing is deleted", appendTo(1, 3, at(2, 1)), "[1 1 2 2]", true, 2},
		{"it starts at the beginning", appendTo(1, 3, at(0, 0), 1, 1), "[1 1 2 2]", true, 2},
		{"it overlaps and continues", appendTo(1, 3, at(3, 2), 2, 3, 3), "[1 1 2 2 3 3]", true, 6},
		{"it conflicts: the rest goes", appendTo(1, 3, at(2, 1), 3), "[1 1 3]", true, 3},
		{"it conflicts after an overlap", appendTo(1, 3, at(2, 1), 2, 3), "[1 1 2 3]", true, 4},
		{"it conflicts at the very first entry", appendTo(1, 3, at(0, 0), 2, 2), "[2 2]", true, 2},
		{"the entry before it is missing", appendTo(1, 3, at(5, 3), 3), "[1 1 2 2]", false, 0},
		{"the entry before it differs", appendTo(1, 3, at(4, 3), 3), "[1 1 2 2]", false, 0},
		{"the entry before it is far beyond", appendTo(1, 3, at(1<<60, 3), 3), "[1 1 2 2]", false, 0},
	} {
		t.Run(test.story, func(t *testing.T) {
			c := newCluster(t, 3, withLogs(map[raft.NodeID][]raft.Term{1: {1, 1, 2, 2}}))
			c.step(test.m)
			replies := c.replies()
			c.want(c.log(1) == test.log, "the log is %s; want %s", c.log(1), test.log)
			c.want(len(replies) == 1, "%d answers", len(replies))
			r := replies[0]
			c.want(r.Success == test.success && r.Match == test.match, "answers %s; want success %v, match %d", describe(r), test.success, test.match)
			if !test.success {
				c.want(r.Rejected == test.m.Previous.Index, "rejects %d; %d was asked", r.Rejected, test.m.Previous.Index)
			}
		})
	}
}

// A match says what the message proved, never what else the follower happens to
// have: its log may go on with entries of a leader that lost.
func TestC03_MatchIsOnlyWhatTheMessageProved(t *testing.T) {
	c := newCluster(t, 3, withLogs(map[raft.NodeID][]raft.Term{1: {1, 2, 2, 2}}))
	c.step(appendTo(1, 3, raft.Position{Term: 1, Index: 1}))
	r := c.replies()
	c.want(len(r) == 1 && r[0].Success && r[0].Match == 1, "answers %v; only entry 1 is known to match", r)
}

// A follower takes over no more of a commit index than the message proved to match.
func TestC03_CommitIsBoundedByWhatMatches(t *testing.T) {
	c := newCluster(t, 3, withLogs(map[raft.NodeID][]raft.Term{1: {1, 2, 2}, 2: {1, 3, 3}, 3: {1, 3, 3}}))
	core := c.servers[1].core
	m := appendTo(1, 4, raft.Position{Term: 1, Index: 1})
	m.Commit = 3
	e := core.Step(m)
	c.want(core.CommitIndex() == 1 && e.Commit.Last == 1, "commits up to %d; only entry 1 matches", core.CommitIndex())
}

// Everything twice, and in reverse order: the logs are the same in the end (T3.7).
func TestC07_DuplicatedAndReordered(t *testing.T) {
	c := newCluster(t, 3)
	c.elect(1)
	for i := range 10 {
		c.propose(1, fmt.Sprint("x", i))
	}
	for round := 0; len(c.net.queue) > 0 || c.busy(); round++ {
		c.want(round < 10_000, "the cluster never comes to rest")
		c.disks()
		queue := c.net.queue
		c.net.queue = nil
		for i := len(queue) - 1; i >= 0; i-- {
			c.arrive(queue[i])
			c.arrive(queue[i])
		}
	}
	c.pass(2 * heartbeatTicks)
	for _, id := range c.ids {
		c.want(c.log(id) == c.log(1) && c.commit(id) == 11, "server %d is %s", id, c.describe(id))
	}
}

// Messages of a whole earlier life of the cluster arrive again, in a later term.
func TestC07_ReplayOfOlderTerms(t *testing.T) {
	c := newCluster(t, 3)
	var seen []raft.Message
	record := func() {
		c.settleBy(func(e envelope) {
			seen = append(seen, e.Message)
			c.arrive(e)
		})
	}
	c.campaign(1)
	record()
	c.propose(1, "a", "b")
	record()
	c.pass(timeout)
	c.isolate(1)
	c.pass(3 * timeout)
	leader := c.leader()
	c.heal()
	p := c.propose(leader, "c")
	c.pass(timeout)
	before := fmt.Sprint(c.log(1), c.log(2), c.log(3))
	for _, m := range seen {
		c.step(m)
	}
	c.settle()
	c.want(fmt.Sprint(c.log(1), c.log(2), c.log(3)) == before, "old messages changed the logs")
	c.want(c.leader() == leader && c.commit(1) == p.Last, "old messages disturbed: %s", c.describe(1))
}

// Refusals and matches that come late take back nothing of what a leader knows, and
// make it send nothing again.
func TestC07_LateAnswersToTheLeader(t *testing.T) {
	c := newCluster(t, 3, plain, withLogs(map[raft.NodeID][]raft.Term{1: {1, 1, 1}, 2: {1}, 3: {1, 1, 1}}))
	c.campaign(1)
	var late []raft.Message
	c.settleBy(func(e envelope) {
		if r, ok := e.Message.(*raft.AppendEntriesReply); ok && r.From == 2 {
			late = append(late, r)
		}
		c.arrive(e)
	})
	before := c.progress(1, 2)
	c.want(len(late) >= 2 && before.Match == 4 && before.State == "replicate", "test: %d answers, %+v", len(late), before)
	for _, m := range late {
		c.step(m)
		c.want(c.progress(1, 2) == before, "after %s again: %+v; it was %+v", describe(m), c.progress(1, 2), before)
		c.want(len(c.net.queue) == 0, "%s again makes it send again", describe(m))
	}
}

// Figure 7: the leader of term 8 brings all six kinds of follower in line.
func TestP5_3_Figure7(t *testing.T) {
	leader := []raft.Term{1, 1, 1, 4, 4, 5, 5, 6, 6, 6}
	followers := map[string][]raft.Term{
		"a": {1, 1, 1, 4, 4, 5, 5, 6, 6},
		"b": {1, 1, 1, 4},
		"c": {1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6},
		"d": {1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7},
		"e": {1, 1, 1, 4, 4, 4, 4},
		"f": {1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3},
	}
	for name, log := range followers {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t, 3, plain, withLogs(map[raft.NodeID][]raft.Term{1: leader, 2: log, 3: {1}}))
			c.servers[1].disk.hard.Term = 7
			c.crash(1, 0)
			c.restart(1)
			c.elect(1)
			c.propose(1, "x")
			c.settle()
			c.want(c.term(1) == 8, "leads term %d", c.term(1))
			c.want(c.log(2) == c.log(1), "the follower holds %s", c.log(2))
			c.want(c.commit(1) == 12, "committed up to %d", c.commit(1))
		})
	}
}

// A leader skips whole terms where logs differ (P5.3, end): its probes count terms,
// not entries.
func TestP5_3_BacktrackingSkipsTerms(t *testing.T) {
	stale := make([]raft.Term, 0, 400)
	for range 100 {
		stale = append(stale, 1)
	}
	for i := range 300 {
		stale = append(stale, raft.Term(2+i/100)) // 2, 3, 4: a hundred each
	}
	good := append([]raft.Term{}, stale[:100]...)
	for range 400 {
		good = append(good, 5)
	}
	c := newCluster(t, 3, plain, withLogs(map[raft.NodeID][]raft.Term{1: good, 2: stale, 3: good}))
	rejections := 0
	c.campaign(1)
	c.settleBy(func(e envelope) {
		if r, ok := e.Message.(*raft.AppendEntriesReply); ok && !r.Success {
			rejections++
		}
		c.arrive(e)
	})
	c.want(c.log(2) == c.log(1), "server 2 does not catch up")
	c.want(rejections <= 4, "%d rejections on the way over four terms", rejections)
}

// One of many messages in flight is lost; what came after it is rejected, and
// everything arrives in the end without a new proposal (T10.2.2).
func TestC39_OneOfManyInFlightIsLost(t *testing.T) {
	for lost := range 5 {
		c := newCluster(t, 3)
		c.elect(1)
		c.pass(heartbeatTicks)
		c.isolate(3)
		for i := range 5 {
			c.propose(1, fmt.Sprint("x", i))
		}
		sent := c.drop(between(1, 2))
		c.want(len(sent) == 5, "%d messages are in flight; want 5, one a proposal", len(sent))
		for i, m := range sent {
			if i != lost {
				c.step(m)
			}
		}
		c.settle()
		c.pass(2 * timeout)
		c.want(c.log(2) == c.log(1), "message %d lost: server 2 holds %s", lost, c.log(2))
		c.want(c.commit(1) == 6 && c.role(1) == raft.Leader, "message %d lost: server 1 is %s", lost, c.describe(1))
	}
}

// The last message is lost, and nothing is proposed after it: heartbeats alone must
// bring the follower's gap to light.
func TestC39_TheLastInFlightIsLost(t *testing.T) {
	c := newCluster(t, 3)
	c.elect(1)
	c.pass(heartbeatTicks)
	p := c.propose(1, "last")
	c.drop(of[*raft.AppendEntries])
	c.pass(2 * timeout)
	c.want(c.commit(1) == p.Last && c.commit(2) == p.Last && c.commit(3) == p.Last, "commits: %d %d %d; want %d",
		c.commit(1), c.commit(2), c.commit(3), p.Last)
}

// Every window of messages loses some; the pipeline never wedges.
func TestC39_PipelineUnderLoss(t *testing.T) {
	c := newCluster(t, 3, withSeed(39))
	c.elect(1)
	for i := range 200 {
		c.propose(1, fmt.Sprint("x", i))
		c.disks()
		for n := len(c.net.queue); n > 0; n-- {
			e := c.net.take(0)
			if c.rng.IntN(4) > 0 {
				c.arrive(e)
			}
		}
		for _, id := range c.ids {
			c.tick(id, c.rng.IntN(2))
		}
	}
	c.want(c.passUntil(10*timeout, func() bool {
		return c.leader() != raft.None && c.commit(c.leader()) == c.servers[c.leader()].core.LastIndex()
	}),
		"nothing is lost any more, and it does not recover")
	c.pass(timeout)
	for _, id := range c.ids {
		c.want(c.log(id) == c.log(c.leader()), "server %d is %s", id, c.describe(id))
	}
}
