package actors

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"castaway/raft"
)

// simClient is a client with a session in a simulation: it tries each command again, on
// any node, until it knows what became of it.
type simClient struct {
	s        *simulation
	groups   []*Group
	id       raft.SessionID
	next     uint64
	open     map[uint64]bool
	told     map[string]Outcome
	attempts int
	lost     bool // the session is unknown
}

func (s *simulation) client(groups []*Group) *simClient {
	c := &simClient{s: s, groups: groups, next: 1, open: map[uint64]bool{}, told: map[string]Outcome{}}
	c.register()
	return c
}

func (c *simClient) anyone() *Group { return c.groups[c.s.random.IntN(len(c.groups))] }

func (c *simClient) register() {
	c.anyone().submitAsync(&raft.SessionOp{Kind: raft.SessionRegister, Limits: c.groups[0].cfg.Sessions.limits()}, nil, func(r Result, err error) {
		if err != nil {
			c.s.AfterFunc(50*time.Millisecond, c.register)
			return
		}
		c.id = raft.SessionID(r.Index)
	})
}

// begin starts a command, which then goes on by itself.
func (c *simClient) begin() {
	if c.id == 0 || c.lost {
		return
	}
	sequence := c.next
	c.next++
	c.open[sequence] = true
	c.try(sequence)
}

func (c *simClient) try(sequence uint64) {
	ref := SessionRef{ID: c.id, Sequence: sequence, Acknowledged: c.lowest()}
	command := fmt.Sprintf("%d/%d", c.id, sequence)
	c.attempts++
	c.anyone().submitAsync(ref.op(), []byte(command), func(r Result, err error) {
		if _, twice := c.told[command]; twice {
			return // a second attempt was on its way
		}
		var e *Error
		if errors.As(err, &e) && e.Reason == ReasonSessionUnknown {
			c.lost = true
			return
		}
		if err != nil {
			c.s.AfterFunc(50*time.Millisecond, func() { c.try(sequence) })
			return
		}
		c.told[command] = Outcome{Result: r}
		delete(c.open, sequence)
	})
	if c.s.random.IntN(4) == 0 { // an impatient client, or a network that doubles
		c.s.AfterFunc(30*time.Millisecond, func() {
			if c.open[sequence] {
				c.try(sequence)
			}
		})
	}
}

func (c *simClient) lowest() uint64 {
	lowest := c.next
	for sequence := range c.open {
		lowest = min(lowest, sequence)
	}
	return lowest
}

// machineOf asks a node's machine without waiting.
func (s *simulation) machineOf(t *testing.T, g *Group) machineStatus {
	t.Helper()
	ask := &askMachine{answer: make(chan machineStatus, 1)}
	if err := g.machine.inbox.pushControl(ask); err != nil {
		t.Fatal(err)
	}
	s.settle()
	select {
	case st := <-ask.answer:
		return st
	default:
		t.Fatalf("the machine of node %d does not answer", g.Node())
		return machineStatus{}
	}
}

// Crashes of every actor at any message, cut links, impatient clients: whoever tries
// again until it is done has it done once, where it was told.
func TestC29_RetriesAreDoneOnceInManyRuns(t *testing.T) {
	attempts, commands := 0, 0
	for seed := range uint64(*seeds) {
		s := newSimulation(seed)
		o := newObserver(t)
		crashing := true
		groups := s.cast(t, 3, o, func(h *HostConfig, g *GroupConfig) {
			plenty := Budget{Restarts: 1000, Within: time.Second}
			h.HostBudget, h.TransportBudget, h.GroupBudget = plenty, plenty, plenty
			g.ServerBudget, g.LogBudget, g.MachineBudget = plenty, plenty, plenty
			h.Inject = func(string, any) {
				if crashing && s.random.IntN(200) == 0 {
					panic(errInjected)
				}
			}
		})
		clients := []*simClient{s.client(groups), s.client(groups)}
		for range 60 {
			s.pass(100 * time.Millisecond)
			switch from, to := raft.NodeID(1+s.random.IntN(3)), raft.NodeID(1+s.random.IntN(3)); s.random.IntN(20) {
			case 0:
				s.network.Isolate(from)
			case 1, 2:
				s.network.Cut(from, to)
			case 3, 4, 5:
				s.network.HealAll()
			}
			for _, c := range clients {
				c.begin()
			}
		}
		crashing = false
		s.network.HealAll()
		s.pass(20 * groups[0].cfg.ElectionTimeout())
		told := map[string]Outcome{}
		for i, c := range clients {
			if c.lost || len(c.open) > 0 {
				t.Fatalf("seed %d: client %d has %d of %d commands open (session lost: %t)", seed, i, len(c.open), c.next-1, c.lost)
			}
			for command, outcome := range c.told {
				told[command] = outcome
			}
			attempts += c.attempts
		}
		commands += len(told)
		o.compare(t, told)
		first := s.machineOf(t, groups[0])
		for _, g := range groups[1:] {
			if st := s.machineOf(t, g); st.sessionsHash != first.sessionsHash || st.hash != first.hash || st.sessions < len(clients) {
				t.Errorf("seed %d: node %d has %d sessions, hash %x; node 1 has %d, hash %x", seed, g.Node(), st.sessions, st.sessionsHash, first.sessions, first.sessionsHash)
			}
		}
	}
	if attempts < commands+commands/5 {
		t.Errorf("%d attempts at %d commands: the test shows little", attempts, commands)
	}
}

// A session that nobody uses ends when somebody has led for its timeout, and everyone
// agrees; renewals keep it, and those of many sessions share entries.
func TestC29_ExpiryIsTheSameEverywhere(t *testing.T) {
	s := newSimulation(1)
	groups := s.cast(t, 3, newObserver(t), func(_ *HostConfig, g *GroupConfig) { g.Sessions.Timeout = 10 * time.Second })
	s.pass(5 * time.Second)
	var clients []*simClient
	for range 100 {
		clients = append(clients, s.client(groups[:1]))
	}
	s.pass(time.Second)
	before := s.machineOf(t, groups[0])
	kept := clients[:50]
	for range 5 {
		for _, c := range kept {
			groups[0].renewals.ask(groups[0], c.id, func(err error) {
				if err != nil {
					t.Errorf("session %d is not renewed: %v", c.id, err)
				}
			})
		}
		s.pass(3 * time.Second)
	}
	after := s.machineOf(t, groups[0])
	if before.sessions != 100 || after.sessions != 50 {
		t.Errorf("of %d sessions, with half of them renewed, %d are left", before.sessions, after.sessions)
	}
	if entries := after.applied - before.applied; entries > 20 {
		t.Errorf("250 renewals took %d entries", entries)
	}
	for i, c := range clients {
		c.begin()
		s.pass(100 * time.Millisecond)
		if expired := i >= len(kept); c.lost != expired || len(c.told) > 0 == expired {
			t.Errorf("client %d: lost is %t, told %v", i, c.lost, c.told)
		}
	}
	s.pass(time.Second)
	for _, g := range groups[1:] {
		if a, b := s.machineOf(t, groups[0]), s.machineOf(t, g); a != b {
			t.Errorf("node %d has %+v, node 1 %+v", g.Node(), b, a)
		}
	}
}
