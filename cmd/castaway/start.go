package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"castaway/cluster"
	"castaway/cluster/config"
	"castaway/cluster/httpapi"
)

const startLong = `Start one node, and run until it is told to stop (Ctrl-C, SIGTERM) or cannot go on.

Every founding node of a cluster is started with the same --peers. One that was added later ("castaway member add", which
prints how to start it) is started with --join instead, once; from then on its data directory knows the cluster. A node's data directory belongs to it for good: never start
an id on an empty directory that has run on another before, since it would have forgotten its votes.
Every flag is also a key of the YAML file and an environment variable; "castaway config show --origin" shows them all.

Exit codes:
   0  stopped as asked
   1  another failure
   2  usage or configuration; nothing was started
  70  a write or sync of the store failed: check the disk, then start it again
  71  the store lost what it acknowledged: do not start it again as it is
  72  an actor crashed more often than its restart budget allows
  73  the data directory is in use
  74  the data directory belongs to another node or cluster
  75  an address cannot be listened on
  76  the data directory cannot be made, read or written
  77  the node is no member of its cluster any more: its data directory can go`

func (a *app) startCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "start",
		Short: "Start one node of a cluster",
		Long:  startLong,
		Example: `# A cluster of one
castaway start --data-dir /var/lib/castaway

# The first of three on one machine; the others have --id 2 and --id 3, and ports of their own
castaway start --id 1 --data-dir data/1 --listen-http 127.0.0.1:9001 \
  --peers 1=127.0.0.1:7001/127.0.0.1:8001,2=127.0.0.1:7002/127.0.0.1:8002,3=127.0.0.1:7003/127.0.0.1:8003`,
		Args: noArgs,
		RunE: a.start,
	}
	addNodeFlags(cmd)
	return cmd
}

func (a *app) start(cmd *cobra.Command, _ []string) error {
	if err := a.tellsOn(cmd, "--log-format json makes its log JSON"); err != nil {
		return err
	}
	loaded, err := a.loadConfig(cmd)
	if err != nil {
		return &hinted{err, "`castaway config show --origin` with the same flags shows where each value comes from"}
	}
	logger, err := newLogger(a.errs, loaded.Config)
	if err != nil {
		return err
	}
	for _, w := range loaded.Warnings {
		logger.Warn("about the configuration", "warning", w)
	}
	node, err := cluster.Start(cmd.Context(), cluster.Config{Config: loaded.Config, Logger: logger, Version: reportedVersion()})
	if err != nil {
		return err
	}
	select {
	case <-cmd.Context().Done():
		logger.Info("asked to stop")
	case <-node.Done():
		return fmt.Errorf("node %d ended by itself: %w", loaded.ID, node.Err())
	}
	return stopNode(node, loaded.Config)
}

func stopNode(node *cluster.Node, c config.Config) error {
	ctx, cancel := context.WithTimeout(context.Background(), c.ShutdownTimeout)
	defer cancel()
	return node.Stop(ctx)
}

func reportedVersion() httpapi.Version {
	b := buildVersion()
	return httpapi.Version{Castaway: b.Version, Commit: b.Commit, Go: b.Go}
}
