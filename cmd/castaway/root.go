package main

import (
	"io"
	"time"

	"github.com/spf13/cobra"
)

// app is what all commands share.
type app struct {
	in      io.Reader
	out     io.Writer
	errs    io.Writer
	environ []string

	endpoints []string
	timeout   time.Duration
	output    string
}

func (a *app) json() bool { return a.output == "json" }

const rootLong = `A replicated key-value store that speaks etcd's v3 API: Raft consensus, made of supervised actors.

Every command that changes something ends in one of three ways, and its exit code says which:
done (0), definitely not done (1), or indeterminate (3), when it may or may not have been done.
Wrong usage is 2. Nodes that end by themselves have codes of their own; see "castaway start --help".`

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "castaway",
		Short: "Raft, made of actors",
		Long:  rootLong,
		Example: `# Five servers in this process, to play with
castaway dev

# One node of a real cluster
castaway start --help`,
		Args:              noArgs,
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return a.checkGlobals(cmd) },
	}
	flags := root.PersistentFlags()
	flags.StringSliceVar(&a.endpoints, "endpoints", a.defaultEndpoints(), "client addresses of the cluster, host:port (env CASTAWAY_ENDPOINTS)")
	flags.DurationVar(&a.timeout, "timeout", 5*time.Second, "how long a request may take, retries included (env CASTAWAY_TIMEOUT)")
	flags.StringVarP(&a.output, "output", "o", "table", "table or json; keys and values that are not UTF-8 are in key_base64 and value_base64 there (env CASTAWAY_OUTPUT)")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return &usageError{command: cmd.CommandPath(), err: err}
	})
	root.AddGroup(&cobra.Group{ID: "servers", Title: "Servers"}, &cobra.Group{ID: "data", Title: "Data"}, &cobra.Group{ID: "look", Title: "Looking"})
	add := func(group string, cmds ...*cobra.Command) {
		for _, c := range cmds {
			c.GroupID = group
			root.AddCommand(c)
		}
	}
	add("servers", a.devCommand(), a.startCommand(), a.recoverCommand(), a.configCommand())
	add("data", a.putCommand(), a.getCommand(), a.lsCommand(), a.delCommand(), a.txnCommand())
	add("look", a.statusCommand(), a.memberCommand(), a.leaderCommand(), a.benchCommand(), a.inspectCommand(), a.versionCommand())
	nameShells(root)
	return root
}

// checkGlobals refuses what no command understands.
func (a *app) checkGlobals(cmd *cobra.Command) error {
	if err := a.takeVariables(cmd); err != nil {
		return err
	}
	if cmd.Flag("output").Value.String() == a.output && a.output != "table" && a.output != "json" {
		return usagef(cmd.CommandPath(), "there is no output format %q; use table or json", a.output)
	}
	if a.timeout <= 0 {
		return usagef(cmd.CommandPath(), "--timeout %v leaves no time; give some seconds", a.timeout)
	}
	return nil
}

// noArgs, exactArgs and rangeArgs are cobra's, as errors of usage that say what is
// expected.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if !cmd.HasParent() || cmd.HasSubCommands() {
		return usagef(cmd.CommandPath(), "unknown command %q for %q", args[0], cmd.CommandPath())
	}
	return usagef(cmd.CommandPath(), "%q takes no arguments, but got %q", cmd.CommandPath(), args[0])
}

func rangeArgs(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) >= least && len(args) <= most {
			return nil
		}
		return usagef(cmd.CommandPath(), "%q has the form %q, but got %d arguments", cmd.CommandPath(), cmd.Parent().CommandPath()+" "+cmd.Use, len(args))
	}
}
