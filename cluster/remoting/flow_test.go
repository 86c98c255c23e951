package remoting

import (
	"testing"
	"time"

	"castaway/messages"
)

// heartbeatInterval is what a cluster has by default.
const heartbeatInterval = 100 * time.Millisecond

func TestMessagesFlowBothWaysInOrder(t *testing.T) {
	a, b := pair(t, nil)
	const n = 1000
	for i := range uint64(n) {
		a.send(b, i)
		b.send(a, i)
	}
	for i := range uint64(n) {
		if got := b.next().GetHeartbeat().GetRound(); got != i {
			t.Fatalf("node 2 got round %d, want %d", got, i)
		}
		if got := a.next().GetHeartbeat().GetRound(); got != i {
			t.Fatalf("node 1 got round %d, want %d", got, i)
		}
	}
}

func TestAPeerKilledAndRestartedIsReachedWithinAHeartbeat(t *testing.T) {
	peers := freeAddresses(t, 1, 2)
	a, b := newNode(t, 1, peers, nil), newNode(t, 2, peers, nil)
	a.awaitUp(2, true)
	for life := range 3 {
		b.stop()
		a.awaitUp(2, false)
		for i := range uint64(500) { // what a leader would like to say meanwhile
			a.send(b, 1000+i)
		}
		b = newNode(t, 2, peers, nil)
		began := time.Now()
		a.awaitUp(2, true)
		took := time.Since(began)
		t.Logf("life %d: connected after %v", life, took)
		if took > 5*heartbeatInterval {
			t.Errorf("connected after %v, want about %v", took, heartbeatInterval)
		}
		a.send(b, 1)
		if got := b.next().GetHeartbeat().GetRound(); got != 1 {
			t.Fatalf("round %d was sent while the peer was down, and delivered later", got)
		}
	}
}

func TestAStalledConnectionDeliversNothingOldAndHealsAtOnce(t *testing.T) {
	peers := freeAddresses(t, 1, 2, 3)
	behind := peers[3]
	delete(peers, 3)
	b := newNode(t, 2, peers, func(c *Config) { c.Listen = behind })
	p := newProxy(t, peers[2], behind)
	a := newNode(t, 1, peers, nil)
	a.awaitUp(2, true)
	a.send(b, 1)
	b.next()

	p.stall()
	a.send(b, 2)        // acknowledged by the proxy, so no timer of TCP's runs
	a.remoting.Reset(2) // the transport's silence limit
	a.awaitUp(2, false)
	for i := range uint64(500) {
		a.send(b, 1000+i)
	}
	p.cut() // as a partition does to what is on its way
	p.resume()
	began := time.Now()
	a.awaitUp(2, true)
	took := time.Since(began)
	t.Logf("connected after %v", took)
	if took > 25*heartbeatInterval {
		t.Errorf("connected %v after the partition healed", took)
	}
	a.send(b, 3)
	stale := 0
	for {
		e := b.next()
		if e.GetHeartbeat().GetRound() == 3 {
			break
		}
		stale++
	}
	if stale > 1 {
		t.Errorf("%d stale messages were delivered, want at most 1", stale)
	}
}

func TestAPeerThatTakesNoBytesLosesItsConnection(t *testing.T) {
	peers := freeAddresses(t, 1, 2, 3)
	behind := peers[3]
	delete(peers, 3)
	short := func(c *Config) { c.Limits.SendTimeout, c.Limits.MaxAge = 200*time.Millisecond, 200*time.Millisecond }
	newNode(t, 2, peers, func(c *Config) { short(c); c.Listen = behind })
	p := newProxy(t, peers[2], behind)
	a := newNode(t, 1, peers, short)
	a.awaitUp(2, true)
	p.stall()
	for i := range uint64(400) { // 25 MB: more than any buffer on the way takes
		a.remoting.Send(2, bulk(1, 2, i, 64<<10))
	}
	a.awaitUp(2, false)
	if a.remoting.Stats().Peers[0].Stale == 0 {
		// What was queued went with the connection; new letters are refused.
		a.remoting.Send(2, heartbeat(1, 2, 1))
	}
	if s := a.remoting.Stats().Peers[0]; s.Stale+s.Unsent == 0 {
		t.Errorf("nothing was dropped: %+v", s)
	}
}

func TestWhatWaitedTooLongNeverLeaves(t *testing.T) {
	a, b := pair(t, func(c *Config) { c.Limits.MaxAge = time.Nanosecond })
	a.send(b, 1)
	deadline := time.Now().Add(patience)
	for a.remoting.Stats().Peers[0].Stale == 0 {
		if time.Now().After(deadline) {
			t.Fatal("the message was not found to be too old")
		}
		time.Sleep(time.Millisecond) // a counter has no event
	}
	if len(b.inbox) != 0 {
		t.Error("it was delivered nevertheless")
	}
}

func TestBulkIsSplitByBytes(t *testing.T) {
	// The race detector may take longer over it than a message may wait by default.
	a, b := pair(t, func(c *Config) { c.Limits.MaxAge, c.Limits.SendTimeout = patience, patience })
	const n, size = 40, 1 << 20 // 40 MB in one batch of protoactor's
	for i := range uint64(n) {
		a.remoting.Send(2, bulk(1, 2, i, size))
	}
	for i := range uint64(n) {
		if e := b.next(); e.GetTerm() != i+1 || len(e.GetForwardProposals().GetProposals()[0].GetCommand()) != size {
			t.Fatalf("message %d arrived as %d", i, e.GetTerm()-1)
		}
	}
	a.remoting.Send(2, bulk(1, 2, 99, messages.MaxEnvelopeBytes)) // more than an envelope may have
	a.send(b, 7)
	if got := b.next().GetHeartbeat().GetRound(); got != 7 {
		t.Errorf("after an envelope that is too large, round %d arrived, want 7", got)
	}
	if n := a.dropped(dropOutsized); n != 1 {
		t.Errorf("%d envelopes were dropped as too large, want 1", n)
	}
}
