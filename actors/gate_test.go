package actors

import "testing"

// A peer that is not connected is probed at every tick, and gets nothing else.
func TestAShutGateLetsOnlyProbesThrough(t *testing.T) {
	g := newGate(10)
	for range 5 {
		if g.open() || g.tick() != gateProbe {
			t.Fatal("a gate that is not up must be shut, and probe")
		}
	}
	g.connected()
	if !g.open() || g.tick() != gateWait {
		t.Error("a connected gate must be open, and wait")
	}
	if !g.terminated() || g.open() {
		t.Error("a lost connection must shut the gate, and count once")
	}
	if g.terminated() {
		t.Error("a loss that is told twice must count once")
	}
}

// A peer that we talk to and that does not talk is asked, and then given up; one
// that nobody talks to may be silent for ever.
func TestASilentPeerIsProbedThenReset(t *testing.T) {
	g := newGate(10)
	g.connected()
	for range 100 {
		if g.tick() != gateWait {
			t.Fatal("silence without a question is no fault")
		}
	}
	var seen []gateAction
	for g.open() {
		g.sent = true
		seen = append(seen, g.tick())
	}
	if len(seen) != 10 || seen[3] != gateWait || seen[4] != gateProbe || seen[9] != gateReset {
		t.Errorf("over ten silent ticks the gate asked for %v", seen)
	}
	g.connected()
	for range 100 {
		g.sent, g.heard = true, true
		if g.tick() != gateWait {
			t.Fatal("a peer that answers is not to be probed")
		}
	}
}
