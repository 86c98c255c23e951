package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"castaway/cluster/client"
)

// shownLeader is what the leader commands print as JSON; its names are stable.
type shownLeader struct {
	Leader uint64 `json:"leader"`
}

func (a *app) leaderCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "leader",
		Short: "Show who leads, and hand leadership over",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(&cobra.Command{
		Use:     "show",
		Short:   "Show which member leads",
		Example: `castaway leader show`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), func(ctx context.Context, c *client.Client) error { return a.printLeader(ctx, c, "") })
		},
	}, &cobra.Command{
		Use:   "transfer [ID]",
		Short: "Hand leadership to another member",
		Long: `Hand leadership to a member, or to the one whose log is longest if none is named. It is caught up first; writes wait
meanwhile, for less than an election timeout. If it does not take over by then, the leader goes on.`,
		Example: `castaway leader transfer
castaway leader transfer 3`,
		Args: rangeArgs(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var to uint64
			if len(args) > 0 {
				id, err := memberID(cmd, args[0])
				if err != nil {
					return err
				}
				to = id
			}
			return a.with(cmd.Context(), func(ctx context.Context, c *client.Client) error {
				if err := c.MoveLeader(ctx, to); err != nil {
					return err
				}
				return a.printLeader(ctx, c, "done: ")
			})
		},
	})
	return cmd
}

// printLeader says who leads. A quorum is asked, so that whoever just took over is
// known by then.
func (a *app) printLeader(ctx context.Context, c *client.Client, before string) error {
	m, err := c.Members(ctx)
	if err != nil {
		return err
	}
	if a.json() {
		return printJSON(a.out, shownLeader{Leader: m.Leader})
	}
	_, err = fmt.Fprintf(a.out, "%smember %d leads\n", before, m.Leader)
	return err
}
