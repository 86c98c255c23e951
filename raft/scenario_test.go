package raft_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"castaway/raft"

	"github.com/cockroachdb/datadriven"
)

// Stories that read as transcripts: testdata/*.txt. Each directive's output is what
// happened because of it. In the files:
//
//	1→2 AppendEntries …    a message arrives
//	  2 wrote …            a write is durable; what waited for it leaves
//	  2 is now …           a server's role, term or leader changed
//
// go test ./raft -run TestScenarios -rewrite writes the outputs anew; read the diff.
func TestScenarios(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		if strings.Contains(path, "fuzz") {
			return
		}
		s := &scenario{}
		datadriven.RunTest(t, path, s.run)
	})
}

type scenario struct {
	c       *cluster
	printed int
	kept    map[string][]raft.Message
}

// directive does one thing and may add to what is printed.
type directive func(s *scenario, t *testing.T, d *datadriven.TestData) string

var directives map[string]directive

func init() {
	directives = map[string]directive{
		"cluster": (*scenario).cluster, "status": (*scenario).status, "network": (*scenario).network,
		"deliver": (*scenario).deliver, "drop": (*scenario).drop, "duplicate": (*scenario).duplicate,
		"keep": (*scenario).keep, "replay": (*scenario).replay, "propose": (*scenario).propose,
		"crash": (*scenario).crash, "disks": (*scenario).disks, "progress": (*scenario).progress,
		"sever":    (*scenario).sever,
		"cut":      (*scenario).cut,
		"settle":   func(s *scenario, _ *testing.T, _ *datadriven.TestData) string { s.c.settle(); return "" },
		"heal":     func(s *scenario, _ *testing.T, _ *datadriven.TestData) string { s.c.heal(); return "" },
		"read":     (*scenario).read,
		"campaign": each(func(c *cluster, id raft.NodeID, _ int) { c.campaign(id) }),
		"restart":  each(func(c *cluster, id raft.NodeID, _ int) { c.restart(id) }),
		"elect":    (*scenario).elect,
		"isolate":  each(func(c *cluster, id raft.NodeID, _ int) { c.isolate(id) }),
		"tick":     each(func(c *cluster, id raft.NodeID, n int) { c.tick(id, n) }),
		"sync": each(func(c *cluster, id raft.NodeID, n int) {
			c.sync(id, n)
			c.acknowledge(id)
			c.apply(id)
		}),
		"pass": each(func(c *cluster, n raft.NodeID, _ int) { c.pass(int(n)) }),
	}
}

func (s *scenario) run(t *testing.T, d *datadriven.TestData) string {
	run, ok := directives[d.Cmd]
	if !ok {
		d.Fatalf(t, "there is no directive %q", d.Cmd)
	}
	if s.c != nil {
		s.c.t = t
		s.printed = len(s.c.lines)
	}
	text := run(s, t, d)
	lines := s.c.lines[s.printed:]
	s.printed = len(s.c.lines)
	if text != "" {
		lines = append(lines[:len(lines):len(lines)], text)
	}
	if len(lines) == 0 {
		return "ok\n"
	}
	return strings.Join(lines, "\n") + "\n"
}

// each is a directive on servers: `tick 2`, `tick 2 n=10`, `restart 1 2`.
func each(f func(c *cluster, id raft.NodeID, n int)) directive {
	return func(s *scenario, t *testing.T, d *datadriven.TestData) string {
		n := 1
		d.MaybeScanArgs(t, "n", &n)
		for _, a := range d.CmdArgs {
			if a.Key != "n" {
				f(s.c, nodeID(t, d, a.Key), n)
			}
		}
		return ""
	}
}

func nodeID(t *testing.T, d *datadriven.TestData, text string) raft.NodeID {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		d.Fatalf(t, "%q is not a server", text)
	}
	return raft.NodeID(n)
}

// cluster starts: `cluster 3 plain`, with logs in the input as `1: 1 1 4 term=7`.
func (s *scenario) cluster(t *testing.T, d *datadriven.TestData) string {
	logs := map[raft.NodeID][]raft.Term{}
	terms := map[raft.NodeID]raft.Term{}
	for line := range strings.Lines(d.Input) {
		name, rest, _ := strings.Cut(line, ":")
		id := nodeID(t, d, name)
		logs[id] = nil
		for _, word := range strings.Fields(rest) {
			number, isTerm := strings.CutPrefix(word, "term=")
			n := raft.Term(nodeID(t, d, number))
			if isTerm {
				terms[id] = n
			} else {
				logs[id] = append(logs[id], n)
			}
		}
	}
	opts := []option{withLogs(logs), func(o *options) {
		for id, term := range terms {
			o.disks[id].hard.Term = term
		}
	}}
	for _, a := range d.CmdArgs[1:] {
		switch a.Key {
		case "plain":
			opts = append(opts, plain)
		case "window":
			n := 0
			d.ScanArgs(t, "window", &n)
			opts = append(opts, withConfig(func(cfg *raft.Config) { cfg.MaxInflightMessages = n }))
		default:
			d.Fatalf(t, "there is no option %q", a.Key)
		}
	}
	s.c = newCluster(t, int(nodeID(t, d, d.CmdArgs[0].Key)), opts...)
	s.printed = 0
	return ""
}

// elect is a campaign that is not what the story is about: only what it leads to is
// printed.
func (s *scenario) elect(t *testing.T, d *datadriven.TestData) string {
	s.c.elect(nodeID(t, d, d.CmdArgs[0].Key))
	s.c.pass(heartbeatTicks)
	s.printed = len(s.c.lines)
	return s.status(t, &datadriven.TestData{})
}

func (s *scenario) status(t *testing.T, d *datadriven.TestData) string {
	ids := s.c.ids
	if len(d.CmdArgs) > 0 {
		ids = nil
		for _, a := range d.CmdArgs {
			ids = append(ids, nodeID(t, d, a.Key))
		}
	}
	var lines []string
	for _, id := range ids {
		lines = append(lines, fmt.Sprintf("%d: %s", id, s.c.describe(id)))
	}
	return strings.Join(lines, "\n")
}

func (s *scenario) progress(t *testing.T, d *datadriven.TestData) string {
	var lines []string
	for _, p := range s.c.servers[nodeID(t, d, d.CmdArgs[0].Key)].core.Status().Progress {
		lines = append(lines, fmt.Sprintf("%d: %s match %d next %d in flight %d", p.ID, p.State, p.Match, p.Next, p.InflightCount))
	}
	return strings.Join(lines, "\n")
}
