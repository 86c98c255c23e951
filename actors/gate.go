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
}

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
	switch {
	case g.quiet >= g.silence:
		g.state = GateProbing
		return gateReset
	case g.quiet > 0 && g.quiet >= g.silence/2:
		return gateProbe
	}
	return gateWait
}
