package actors

// A gate stands between the transport and one peer. While the peer is not
// connected, it lets nothing through but a probe now and then: what protoactor
// gets for a peer that is not there, it would keep, and deliver minutes later.
//
// It is a value without a clock: whoever owns it calls tick at equal intervals.
type gate struct {
	state GateState
	// silence is for how many ticks a peer may leave us without a word, while we
	// talk to it, before its connection is taken for stuck.
	silence int

	// In state up: heard and sent say what happened since the last tick, quiet
	// counts the ticks in which something was sent and nothing heard.
	heard, sent bool
	quiet       int
	// resets counts the connections in a row that were given up without a word heard
	// on them. Each has twice the time of the one before, up to silence<<mostPatience:
	// one that stands and carries nothing, as to a node of another cluster, is not
	// made anew for ever at the first pace.
	resets int
}

const mostPatience = 5

// gateAction is what a tick asks for.
type gateAction uint8

const (
	gateWait gateAction = iota
	// gateProbe: send a probe.
	gateProbe
	// gateReset: drop the connection, then probe.
	gateReset
)

func newGate(silence int) gate { return gate{state: GateDown, silence: silence} }

func (g *gate) open() bool { return g.state == GateUp }

// connected opens the gate: a connection stands, or a probe was answered.
func (g *gate) connected() {
	g.state, g.heard, g.sent, g.quiet = GateUp, true, false, 0
}

// hear takes note of a word of the peer's. It reports whether that ends a row of
// connections on which nothing was heard.
func (g *gate) hear() bool {
	ended := g.resets > 0
	g.heard, g.resets = true, 0
	return ended
}

// terminated shuts the gate; false if it was shut already. A probe has to follow.
func (g *gate) terminated() bool {
	was := g.state
	g.state = GateProbing
	return was == GateUp
}

// tick says what is to be done now. A peer that is not up is probed at every
// tick. One that is up and silent is first asked for a sign of life, by probes
// for half of the time that it has, and then given up.
func (g *gate) tick() gateAction {
	if g.state != GateUp {
		g.state = GateProbing
		return gateProbe
	}
	switch {
	case g.heard:
		g.quiet = 0
	case g.sent:
		g.quiet++
	}
	g.heard, g.sent = false, false
	silence := g.silence << min(g.resets, mostPatience)
	switch {
	case g.quiet >= silence:
		g.state = GateProbing
		g.resets++
		return gateReset
	case g.quiet > 0 && g.quiet >= silence/2:
		return gateProbe
	}
	return gateWait
}
