package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"castaway/cluster/inspect"
)

const inspectLong = `Read the data directory of a node that does not run, without changing anything in it.

While a node has the directory open it is refused, and while it is being read no node can be started on it.
A damaged directory is read as far as it goes; what is damaged is told, and the exit code is 71.
With -o json, every row is one JSON document in a line of its own.

Exit codes:
   0  everything that was looked at is in order
   1  there are no such entries, or another failure
   2  usage
  71  damage was found
  73  a node has the directory open
  76  this is no data directory, or it cannot be read`

func (a *app) inspectCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "inspect",
		Short: "Read the data directory of a node that does not run",
		Long:  inspectLong,
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.inspectStateCommand(), a.inspectLogCommand(), a.inspectSnapshotsCommand(), a.inspectVerifyCommand())
	return cmd
}

// inspecting gives a command the directory that its argument names. Damage is an error
// of a command that did all it could.
func inspecting(look func(d *inspect.Directory) error) func(*cobra.Command, []string) error {
	return func(_ *cobra.Command, args []string) error {
		d, err := inspect.Open(args[0])
		if err != nil {
			return err
		}
		return errors.Join(look(d), d.Err(), d.Close())
	}
}

// printLine writes one document in a line.
func (a *app) printLine(v any) error {
	e := json.NewEncoder(a.out)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

func (a *app) inspectStateCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "state DIRECTORY",
		Short:   "Show whose data it is, and how far its log, term and vote go",
		Example: "castaway inspect state /var/lib/castaway",
		Args:    rangeArgs(1, 1),
		RunE:    inspecting(func(d *inspect.Directory) error { return a.printState(d.State()) }),
	}
}

func (a *app) printState(s inspect.State) error {
	if a.json() {
		return a.printLine(s)
	}
	rows := [][]string{
		{"directory", s.Directory},
		{"cluster", s.Cluster},
		{"server", strconv.FormatUint(s.Server, 10)},
		{"last commit", fmt.Sprintf("%d, of which %d were seen durable", s.LastCommit, s.Witnessed)},
	}
	for _, f := range s.Files {
		rows = append(rows, []string{"file " + f.Name, fmt.Sprintf("%d bytes in %d", f.Bytes, f.Count)})
	}
	for _, g := range s.Groups {
		rows = append(rows, stateOfGroup(&g)...)
	}
	for _, text := range s.Damage {
		rows = append(rows, []string{"DAMAGE", text})
	}
	return printTable(a.out, []string{"WHAT", "FOUND"}, rows)
}

func stateOfGroup(g *inspect.Group) [][]string {
	name := fmt.Sprintf("group %d: ", g.Group)
	rows := [][]string{
		{name + "term", fmt.Sprintf("%d, voted for %d", g.Term, g.Vote)},
		{name + "log", fmt.Sprintf("%d to %d (term %d), in %d records", g.First, g.Last, g.LastTerm, g.Records)},
	}
	if g.SnapshotIndex > 0 {
		rows = append(rows, []string{name + "starts after", fmt.Sprintf("%d (term %d); %d records before it are still to be deleted", g.SnapshotIndex, g.SnapshotTerm, g.Garbage)})
	}
	for _, c := range g.Configurations {
		rows = append(rows, []string{fmt.Sprintf("%sconfiguration of %d", name, c.Index), c.String()})
	}
	if len(g.Configurations) == 0 {
		rows = append(rows, []string{name + "configuration", "as the node was told at its first start"})
	}
	return rows
}

func (a *app) inspectLogCommand() *cobra.Command {
	var r inspect.Range
	cmd := &cobra.Command{
		Use:   "log DIRECTORY",
		Short: "List the entries of the log",
		Example: `castaway inspect log /var/lib/castaway --limit 20
castaway inspect log /var/lib/castaway --from 1000 --to 1010 -o json`,
		Args: rangeArgs(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if r.Limit < 0 || (r.To != 0 && r.To < r.From) {
				return usagef(cmd.CommandPath(), "from %d to %d, at most %d, is no range", r.From, r.To, r.Limit)
			}
			return inspecting(func(d *inspect.Directory) error { return a.printLog(d, r) })(cmd, args)
		},
	}
	flags := cmd.Flags()
	flags.Uint64Var(&r.Group, "group", 0, "the Raft group; 0 is the only one")
	flags.Uint64Var(&r.From, "from", 0, "the first index; 0 is the log's first")
	flags.Uint64Var(&r.To, "to", 0, "the last index; 0 is the log's last")
	flags.IntVar(&r.Limit, "limit", 0, "at most so many entries; 0 is all")
	return cmd
}

// logPage is how many entries share the widths of their columns: a log need not fit
// into memory to be shown.
const logPage = 1000

func (a *app) printLog(d *inspect.Directory, r inspect.Range) error {
	if a.json() {
		return d.Log(r, func(e inspect.Entry) error { return a.printLine(e) })
	}
	var rows [][]string
	flush := func() error {
		page := rows
		rows = nil
		return printTable(a.out, []string{"INDEX", "TERM", "KIND", "BYTES", "WHAT"}, page)
	}
	err := d.Log(r, func(e inspect.Entry) error {
		rows = append(rows, []string{strconv.FormatUint(e.Index, 10), strconv.FormatUint(e.Term, 10), e.Kind, strconv.Itoa(e.Bytes), e.Summary})
		if len(rows) < logPage {
			return nil
		}
		return flush()
	})
	if len(rows) == 0 {
		return err
	}
	return errors.Join(flush(), err)
}

func (a *app) inspectSnapshotsCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "snapshots DIRECTORY",
		Short:   "List the snapshot files, and whether each is whole",
		Example: "castaway inspect snapshots /var/lib/castaway",
		Args:    rangeArgs(1, 1),
		RunE: inspecting(func(d *inspect.Directory) error {
			list, err := d.Snapshots()
			if err != nil {
				return err
			}
			return a.printSnapshots(list)
		}),
	}
}

func (a *app) printSnapshots(list []inspect.Snapshot) error {
	rows := make([][]string, 0, len(list))
	var damaged error
	for _, s := range list {
		state := "whole"
		switch {
		case s.Damage != "":
			state = "DAMAGED: " + s.Damage
			damaged = inspect.ErrOf([]inspect.Check{{}})
		case s.Unfinished:
			state = "never published"
		}
		members := ""
		if s.Configuration != nil {
			members = s.Configuration.String()
		}
		if a.json() {
			if err := a.printLine(s); err != nil {
				return err
			}
		}
		rows = append(rows, []string{
			strconv.FormatUint(s.Group, 10), strconv.FormatUint(s.Index, 10), strconv.FormatUint(s.Term, 10), strconv.FormatInt(s.Bytes, 10), members, state, s.Path,
		})
	}
	if a.json() {
		return damaged
	}
	return errors.Join(printTable(a.out, []string{"GROUP", "INDEX", "TERM", "BYTES", "MEMBERS", "STATE", "FILE"}, rows), damaged)
}

func (a *app) inspectVerifyCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "verify DIRECTORY",
		Short:   "Read everything, and say what is damaged",
		Example: "castaway inspect verify /var/lib/castaway && echo sound",
		Args:    rangeArgs(1, 1),
		RunE: inspecting(func(d *inspect.Directory) error {
			checks := d.Verify()
			if err := a.printChecks(checks); err != nil || d.Err() != nil {
				return err
			}
			return inspect.ErrOf(checks)
		}),
	}
}

func (a *app) printChecks(checks []inspect.Check) error {
	if a.json() {
		for _, c := range checks {
			if err := a.printLine(c); err != nil {
				return err
			}
		}
		return nil
	}
	rows := make([][]string, 0, len(checks))
	for _, c := range checks {
		verdict := "ok"
		if !c.OK {
			verdict = "DAMAGED"
		}
		rows = append(rows, []string{c.What, verdict, c.Text})
	}
	return printTable(a.out, []string{"WHAT", "VERDICT", "FOUND"}, rows)
}
