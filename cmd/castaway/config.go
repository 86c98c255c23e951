package main

import (
	"strings"

	"github.com/spf13/cobra"

	"castaway/cluster/config"
)

// addNodeFlags gives a command every key of a node's configuration as a flag.
func addNodeFlags(cmd *cobra.Command) {
	cmd.Flags().String(config.FileFlag, "", "file, in YAML, with any of these keys (env "+config.EnvPrefix+"CONFIG)")
	config.AddFlags(cmd.Flags())
}

// loadConfig reads what the command was told in all its layers.
func (a *app) loadConfig(cmd *cobra.Command) (config.Loaded, error) {
	file := cmd.Flag(config.FileFlag).Value.String()
	if file == "" {
		file = a.getenv(config.EnvPrefix + "CONFIG")
	}
	return config.Load(config.Sources{File: file, Environ: a.environ, Flags: cmd.Flags()})
}

func (a *app) getenv(name string) string {
	for _, pair := range a.environ {
		if value, ok := strings.CutPrefix(pair, name+"="); ok {
			return value
		}
	}
	return ""
}

func (a *app) configCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Show a node's configuration",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.configShowCommand())
	return cmd
}

func (a *app) configShowCommand() *cobra.Command {
	var origin bool
	var format string
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Show every key as `start` would use it",
		Long: `Show every key as "castaway start" would use it, given the same flags, environment and file.

Flags win over the environment (CASTAWAY_…), which wins over the file, which wins over the defaults.
As yaml it is a file that --config reads.`,
		Example: `# Where does each value come from?
castaway config show --origin

# What would a node with this file and this id use?
castaway config show --origin --config cluster.yaml --id 2

# A file to start from
castaway config show -o yaml > castaway.yaml`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			loaded, err := a.loadConfig(cmd)
			if err != nil {
				return err
			}
			return loaded.Show(a.out, format, origin)
		},
	}
	addNodeFlags(cmd)
	cmd.Flags().BoolVar(&origin, "origin", false, "show where each value comes from")
	cmd.Flags().StringVarP(&format, "output", "o", "table", "table, json or yaml")
	return cmd
}
