package raft_test

import (
	"fmt"
	"strings"
	"testing"

	"castaway/raft"

	"github.com/cockroachdb/datadriven"
)

// matching reads which messages a directive is about: `drop 1->2 AppendEntries`,
// where either may be missing and `n=2` means the second of them only.
func matching(t *testing.T, d *datadriven.TestData) func(m raft.Message) bool {
	var l link
	var name string
	only := 0
	for _, a := range d.CmdArgs {
		from, to, isLink := strings.Cut(a.Key, "->")
		switch {
		case isLink:
			l = link{nodeID(t, d, from), nodeID(t, d, to)}
		case a.Key == "n":
			d.ScanArgs(t, "n", &only)
		case a.Key != "as" && a.Key != "until":
			name = a.Key
		}
	}
	seen := 0
	return func(m raft.Message) bool {
		if (l != link{} && linkOf(m) != l) || (name != "" && fmt.Sprintf("%T", m) != "*raft."+name) {
			return false
		}
		seen++
		return only == 0 || seen == only
	}
}

func listed(verb string, messages []raft.Message) string {
	lines := make([]string, len(messages))
	for i, m := range messages {
		lines[i] = verb + " " + describe(m)
	}
	return strings.Join(lines, "\n")
}

// network lists what is on its way.
func (s *scenario) network(t *testing.T, d *datadriven.TestData) string {
	s.c.disks()
	match := matching(t, d)
	var found []raft.Message
	for _, e := range s.c.net.queue {
		if match(e.Message) {
			found = append(found, e.Message)
		}
	}
	return listed("on its way:", found)
}

// deliver lets those arrive that are on their way, and not what comes of them.
func (s *scenario) deliver(t *testing.T, d *datadriven.TestData) string {
	s.c.disks()
	s.c.deliver(matching(t, d))
	s.c.disks()
	return ""
}

func (s *scenario) drop(t *testing.T, d *datadriven.TestData) string {
	s.c.disks()
	return listed("lost:", s.c.drop(matching(t, d)))
}

// duplicate puts a second copy of each at the end.
func (s *scenario) duplicate(t *testing.T, d *datadriven.TestData) string {
	match := matching(t, d)
	for _, e := range s.c.net.queue {
		if match(e.Message) {
			s.c.net.queue = append(s.c.net.queue, e)
		}
	}
	return ""
}

// keep takes messages off the network under a name; replay delivers them, as often
// as one likes.
func (s *scenario) keep(t *testing.T, d *datadriven.TestData) string {
	var name string
	d.ScanArgs(t, "as", &name)
	if s.kept == nil {
		s.kept = map[string][]raft.Message{}
	}
	s.c.disks()
	s.kept[name] = s.c.drop(matching(t, d))
	return listed("kept:", s.kept[name])
}

func (s *scenario) replay(_ *testing.T, d *datadriven.TestData) string {
	for _, m := range s.kept[d.CmdArgs[0].Key] {
		s.c.step(m)
	}
	return ""
}

func (s *scenario) propose(t *testing.T, d *datadriven.TestData) string {
	var commands []string
	for _, a := range d.CmdArgs[1:] {
		commands = append(commands, a.Key)
	}
	if _, err := s.c.tryPropose(nodeID(t, d, d.CmdArgs[0].Key), commands...); err != nil {
		return err.Error()
	}
	return ""
}

func (s *scenario) read(t *testing.T, d *datadriven.TestData) string {
	if _, err := s.c.tryRead(nodeID(t, d, d.CmdArgs[0].Key)); err != nil {
		return err.Error()
	}
	return ""
}

// crash loses what was not synced, but for the first `keep` writes.
func (s *scenario) crash(t *testing.T, d *datadriven.TestData) string {
	keep := 0
	d.MaybeScanArgs(t, "keep", &keep)
	id := nodeID(t, d, d.CmdArgs[0].Key)
	s.c.crash(id, keep)
	return fmt.Sprintf("%d: %s", id, s.c.describe(id))
}

// disks says whether they finish by themselves (auto) or at `sync` only (manual).
func (s *scenario) disks(_ *testing.T, d *datadriven.TestData) string {
	s.c.options.manual = d.CmdArgs[0].Key == "manual"
	return ""
}

func (s *scenario) sever(t *testing.T, d *datadriven.TestData) string {
	for _, a := range d.CmdArgs {
		from, to, _ := strings.Cut(a.Key, "->")
		s.c.sever(nodeID(t, d, from), nodeID(t, d, to))
	}
	return ""
}

// cut shortens the AppendEntries on their way to entries of at most a term, as if
// their sender had not had the later ones yet: `cut 1->3 until=2`.
func (s *scenario) cut(t *testing.T, d *datadriven.TestData) string {
	until := 0
	d.ScanArgs(t, "until", &until)
	match := matching(t, d)
	for i, e := range s.c.net.queue {
		m, ok := e.Message.(*raft.AppendEntries)
		if !ok || !match(m) {
			continue
		}
		shorter := *m
		for n := len(m.Entries); n > 0 && int(m.Entries[n-1].Term) > until; n-- {
			shorter.Entries = m.Entries[:n-1]
		}
		s.c.net.queue[i].Message = &shorter
	}
	return ""
}
