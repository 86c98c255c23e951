package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"castaway/cluster/config"
)

// takeVariables gives the flags of all commands that were not given the values of
// their variables, and warns of those that nothing reads.
func (a *app) takeVariables(cmd *cobra.Command) error {
	for _, name := range []string{"timeout", "output"} {
		variable := config.EnvPrefix + strings.ToUpper(name)
		value, flag := a.getenv(variable), cmd.Flag(name)
		if value == "" || flag.Changed {
			continue
		}
		if err := flag.Value.Set(value); err != nil {
			return usagef(cmd.CommandPath(), "%s %q is no --%s: %w", variable, value, name, err)
		}
	}
	if cmd.Name() == "start" { // its log has them
		return nil
	}
	for _, w := range config.UnknownVariables(a.environ) {
		fmt.Fprintf(a.errs, "castaway: %s\n", w)
	}
	return nil
}

// tellsOn refuses an output that a command which tells what happens cannot have.
func (a *app) tellsOn(cmd *cobra.Command, instead string) error {
	if cmd.Flag("output").Changed && a.json() {
		return usagef(cmd.CommandPath(), "%q has no output as JSON; %s", cmd.CommandPath(), instead)
	}
	return nil
}

// nameShells makes `completion` refuse a shell that it does not know.
func nameShells(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		if cmd.Name() == "completion" {
			cmd.Args = noArgs
			cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		}
	}
}
