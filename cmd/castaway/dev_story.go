package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"castaway/actors"
)

// story tells what happens in a dev cluster, as it happens, to a person.
type story struct {
	out    io.Writer
	events chan actors.Event
	roles  map[uint64]string // by node
	leader uint64            // zero while unknown
	term   uint64            // of the newest leader
}

// storyQueue is how many events may wait to be told; more are left out, since the
// actors that tell them must never wait.
const storyQueue = 1024

func newStory(out io.Writer) *story {
	return &story{out: out, events: make(chan actors.Event, storyQueue), roles: map[uint64]string{}}
}

// watch is called from actors.
func (s *story) watch(e actors.Event) {
	select {
	case s.events <- e:
	default:
	}
}

// untilLeader tells on until a leader is known.
func (s *story) untilLeader(ctx context.Context) error {
	for s.leader == 0 {
		select {
		case e := <-s.events:
			s.tell(e)
		case <-ctx.Done():
			return fmt.Errorf("no leader was elected in time: %w", ctx.Err())
		}
	}
	return nil
}

// until tells on until the context ends.
func (s *story) until(ctx context.Context) {
	for {
		select {
		case e := <-s.events:
			s.tell(e)
		case <-ctx.Done():
			return
		}
	}
}

func (s *story) tell(e actors.Event) {
	if line := s.line(e); line != "" {
		fmt.Fprintf(s.out, "%s  %s\n", e.Time.Format(time.TimeOnly), line)
	}
}

// line says what is new in an event; nothing, if nothing is.
func (s *story) line(e actors.Event) string {
	switch e.Kind {
	case actors.EventRole:
		return s.role(e)
	case actors.EventRestarted:
		return fmt.Sprintf("node %d: its %s actor crashed and was made anew (%s)", e.Node, e.Actor, e.Detail)
	case actors.EventHalted:
		return fmt.Sprintf("node %d: halted: %s", e.Node, e.Detail)
	case actors.EventDisk:
		return fmt.Sprintf("node %d: disk: %s", e.Node, e.Detail)
	default:
		return ""
	}
}

func (s *story) role(e actors.Event) string {
	node, term, role := uint64(e.Node), uint64(e.Term), e.Role.String()
	before, known := s.roles[node]
	s.roles[node] = role
	if role == "leader" && term >= s.term {
		s.leader, s.term = node, term
	}
	if role == "follower" && s.leader == node {
		s.leader = 0
	}
	if before == role || (!known && role == "follower") {
		return ""
	}
	switch role {
	case "precandidate":
		return fmt.Sprintf("node %d: hears from no leader, asks whether it would be elected", node)
	case "candidate":
		return fmt.Sprintf("node %d: asks for votes in term %d", node, term)
	case "leader":
		return fmt.Sprintf("node %d: leads in term %d", node, term)
	default:
		return fmt.Sprintf("node %d: follows again, in term %d", node, term)
	}
}
