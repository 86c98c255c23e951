package actors

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"

	"castaway/messages"
	"castaway/raft"
)

// strictNetwork loses what the wire would not carry.
type strictNetwork struct{ Network }

func (n strictNetwork) Send(to raft.NodeID, e *messages.Envelope) {
	if messages.Validate(e) == nil {
		n.Network.Send(to, e)
	}
}

// talkative answers a command that is a number with as many bytes.
type talkative struct{ StateMachine }

func (m talkative) Apply(commands []Command) [][]byte {
	results := m.StateMachine.Apply(commands)
	for i, c := range commands {
		if n, err := strconv.Atoi(string(c.Data)); err == nil {
			results[i] = make([]byte, n)
		}
	}
	return results
}

func talkatives(h *HostConfig, g *GroupConfig) {
	h.Network = strictNetwork{h.Network}
	machine := g.Machine
	g.Machine = func() StateMachine { return talkative{machine()} }
}

// A batch's results that are together more than an envelope holds all come back.
func TestTheResultsOfAForwardedBatchComeBackInParts(t *testing.T) {
	c := newCluster(t, 3, talkatives)
	follower := c.followers(c.leader())[0]
	c.put(follower, "before")
	const each = messages.MaxEnvelopeBytes / 3
	ctx, cancel := context.WithTimeout(t.Context(), 20*c.timeout())
	defer cancel()
	for i, o := range follower.group.ProposeBatch(ctx, [][]byte{
		[]byte(strconv.Itoa(each)), []byte("small"), []byte(strconv.Itoa(each)), []byte(strconv.Itoa(each)), []byte(strconv.Itoa(each)),
	}) {
		if o.Err != nil || o.Result.Index == 0 || (i != 1 && len(o.Result.Value) != each) {
			t.Errorf("command %d: %d bytes at index %d, error %v", i, len(o.Result.Value), o.Result.Index, o.Err)
		}
	}
}

// A result that no envelope holds is not passed on; but the command was done, and
// whoever asked is told so, with the index. The largest that fits is passed on.
func TestAResultThatIsTooLargeToBePassedOnWasStillDone(t *testing.T) {
	c := newCluster(t, 3, talkatives)
	follower := c.followers(c.leader())[0]
	c.put(follower, "before")
	ctx, cancel := context.WithTimeout(t.Context(), 20*c.timeout())
	defer cancel()
	if r, err := follower.group.Propose(ctx, []byte(strconv.Itoa(maxResultBytes))); err != nil || len(r.Value) != maxResultBytes {
		t.Errorf("the largest result that fits: %d bytes, %v", len(r.Value), err)
	}
	command := strconv.Itoa(maxResultBytes + 1)
	r, err := follower.group.Propose(ctx, []byte(command))
	e := want(t, err, ReasonResultTooLarge, false)
	if !errors.Is(err, ErrDone) || strings.Contains(e.Error(), "not done") || r.Index == 0 || r.Value != nil {
		t.Errorf("%d bytes at index %d: %v", len(r.Value), r.Index, err)
	}
	if n, err := follower.group.Read(ctx, command, Linearizable); n != 1 || err != nil || !c.observer.holds(r.Index, command) {
		t.Errorf("it was done %v times (%v), and not at index %d", n, err, r.Index)
	}
}
