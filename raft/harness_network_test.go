package raft_test

import (
	"fmt"
	"strings"

	"castaway/raft"
)

// network holds the messages that left a server and did not arrive yet, in the
// order in which they left. A cut link loses what should arrive over it.
type network struct {
	queue []envelope
	cut   map[link]bool
}

type link struct{ from, to raft.NodeID }

type envelope struct {
	raft.Message
	// seal is what the message said when it left, if that is to be checked.
	seal string
}

func linkOf(m raft.Message) link {
	h := raft.HeaderOf(m)
	return link{h.From, h.To}
}

func (n *network) send(m raft.Message, seal bool) {
	e := envelope{Message: m}
	if seal {
		e.seal = describe(m)
	}
	n.queue = append(n.queue, e)
}

// take removes a message from the queue.
func (n *network) take(i int) envelope {
	e := n.queue[i]
	n.queue = append(n.queue[:i], n.queue[i+1:]...)
	return e
}

// takeIf removes all messages that match, in order.
func (n *network) takeIf(match func(m raft.Message) bool) []raft.Message {
	var taken []raft.Message
	kept := n.queue[:0]
	for _, e := range n.queue {
		if match(e.Message) {
			taken = append(taken, e.Message)
		} else {
			kept = append(kept, e)
		}
	}
	n.queue = kept
	return taken
}

// between matches the messages from one server to another.
func between(from, to raft.NodeID) func(m raft.Message) bool {
	return func(m raft.Message) bool { return linkOf(m) == link{from, to} }
}

// of matches the messages of one type.
func of[T raft.Message](m raft.Message) bool {
	_, ok := m.(T)
	return ok
}

// describe says a message in one line.
func describe(m raft.Message) string {
	h := raft.HeaderOf(m)
	name := strings.TrimPrefix(fmt.Sprintf("%T", m), "*raft.")
	head := fmt.Sprintf("%d→%d %s t%d", h.From, h.To, name, h.Term)
	switch m := m.(type) {
	case *raft.RequestPreVote:
		return fmt.Sprintf("%s last %s", head, m.Last)
	case *raft.RequestVote:
		if m.Transfer {
			head += " transfer"
		}
		return fmt.Sprintf("%s last %s", head, m.Last)
	case *raft.RequestPreVoteReply:
		return head + verdict(m.Granted)
	case *raft.RequestVoteReply:
		return head + verdict(m.Granted)
	case *raft.AppendEntries:
		return fmt.Sprintf("%s after %s commit %d %s", head, m.Previous, m.Commit, describeEntries(m.Entries))
	case *raft.AppendEntriesReply:
		if m.Success {
			return fmt.Sprintf("%s match %d", head, m.Match)
		}
		return fmt.Sprintf("%s rejected %d hint %s", head, m.Rejected, m.Hint)
	case *raft.InstallSnapshot:
		return fmt.Sprintf("%s up to %s", head, m.Snapshot.Last)
	case *raft.Heartbeat:
		return fmt.Sprintf("%s commit %d round %d", head, m.Commit, m.Round)
	case *raft.HeartbeatReply:
		return fmt.Sprintf("%s round %d", head, m.Round)
	default:
		return head
	}
}

func verdict(granted bool) string {
	if granted {
		return " granted"
	}
	return " refused"
}

func describeEntries(entries []raft.Entry) string {
	parts := make([]string, len(entries))
	for i, e := range entries {
		data := string(e.Data)
		switch e.Kind {
		case raft.EntryNoOp:
			data = "no-op"
		case raft.EntryConfiguration:
			data = "configuration"
		}
		parts[i] = fmt.Sprintf("%d@t%d:%s", e.Index, e.Term, data)
	}
	return "[" + strings.Join(parts, " ") + "]"
}

func describeRole(r raft.RoleChange) string {
	text := fmt.Sprintf("%s t%d", r.Role, r.Term)
	if r.Leader != raft.None && r.Role != raft.Leader {
		text += fmt.Sprintf(" of leader %d", r.Leader)
	}
	return text
}

func describeWrite(p raft.Persist) string {
	var parts []string
	if h := p.HardState; h != nil {
		parts = append(parts, fmt.Sprintf("t%d vote %d", h.Term, h.Vote))
	}
	if p.Compact != nil {
		parts = append(parts, fmt.Sprintf("start after %s", p.Compact.Last))
	}
	if p.TruncateFrom > 0 {
		parts = append(parts, fmt.Sprintf("truncation from %d", p.TruncateFrom))
	}
	if len(p.Entries) > 0 {
		parts = append(parts, describeEntries(p.Entries))
	}
	if len(parts) == 0 {
		return "nothing new" // and thereby all that it waited for
	}
	return strings.Join(parts, ", ")
}

// describe says what a server is, in one line.
func (c *cluster) describe(id raft.NodeID) string {
	s := c.servers[id]
	if !s.up() {
		return "down, log " + logTerms(s.disk.log)
	}
	st := s.core.Status()
	text := fmt.Sprintf("%s t%d", st.Role, st.HardState.Term)
	if st.HardState.Vote != raft.None {
		text += fmt.Sprintf(" vote %d", st.HardState.Vote)
	}
	if st.Leader != raft.None {
		text += fmt.Sprintf(" leader %d", st.Leader)
	}
	return fmt.Sprintf("%s commit %d durable %d log %s", text, st.Commit, st.Durable, logTerms(s.disk.view))
}

// logTerms draws a log as the paper does: a term an entry.
func logTerms(log []raft.Entry) string {
	parts := make([]string, len(log))
	for i, e := range log {
		parts[i] = fmt.Sprint(e.Term)
	}
	return "[" + strings.Join(parts, " ") + "]"
}
