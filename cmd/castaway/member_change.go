package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"castaway/cluster/client"
)

// memberFlags describe a member on the command line.
type memberFlags struct {
	member client.NewMember
	wait   time.Duration
}

func (f *memberFlags) describe(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.member.Name, "name", "", "the member's name, for people")
	cmd.Flags().StringSliceVar(&f.member.Clients, "client-address", nil, "where clients reach it, host:port; may be repeated")
}

func (f *memberFlags) insist(cmd *cobra.Command) {
	cmd.Flags().Uint64Var(&f.member.If, "if", 0, "do it only if the configuration still has this index (see member list)")
}

func (a *app) memberAddCommand() *cobra.Command {
	var f memberFlags
	var wait bool
	cmd := &cobra.Command{
		Use:   "add PEER-ADDRESS",
		Short: "Add a member, which is then to be started",
		Long: `Add a member under the next id that was never used, and print how to start it.

It begins as a learner and becomes a voter by itself once it is started and caught up, so that nobody waits for it; with
--learner it stays a learner. With --wait the command returns when it has its vote.`,
		Example: `castaway member add 10.0.0.4:2380 --client-address 10.0.0.4:2379
castaway member add 10.0.0.4:2380 --learner`,
		Args: rangeArgs(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.member.Peer = args[0]
			return a.with(cmd.Context(), func(ctx context.Context, c *client.Client) error {
				added, err := c.MemberAdd(ctx, f.member)
				if err != nil {
					return err
				}
				if err := a.printAdded(added); err != nil || !wait {
					return err
				}
				return a.awaitVote(cmd.Context(), c, added.Member.ID, f.wait)
			})
		},
	}
	f.describe(cmd)
	f.insist(cmd)
	cmd.Flags().BoolVar(&f.member.Learner, "learner", false, "it gets the log, and no vote")
	cmd.Flags().BoolVar(&wait, "wait", false, "return when it has its vote")
	cmd.Flags().DurationVar(&f.wait, "wait-timeout", 10*time.Minute, "how long to wait for that")
	return cmd
}

// shownAddition is what member add prints as JSON; its names are stable.
type shownAddition struct {
	ID    uint64 `json:"id"`
	Start string `json:"start"`
}

func (a *app) printAdded(m *client.Members) error {
	start := a.startLine(m)
	if a.json() {
		return printJSON(a.out, shownAddition{ID: m.Member.ID, Start: start})
	}
	_, err := fmt.Fprintf(a.out, "done: member %d is added; start it with\n  %s\n", m.Member.ID, start)
	return err
}

// startLine is the command that starts the member that was added.
func (a *app) startLine(m *client.Members) string {
	var join []string
	for _, other := range m.Members {
		if other.ID != m.Member.ID && len(other.ClientURLs) > 0 {
			join = append(join, bare(other.ClientURLs[0]))
		}
	}
	if len(join) == 0 {
		join = a.endpoints
	}
	line := fmt.Sprintf("castaway start --id %d --join %s --data-dir DIRECTORY", m.Member.ID, strings.Join(join, ","))
	if len(m.Member.PeerURLs) > 0 {
		line += fmt.Sprintf(" --listen-peer %s", bare(m.Member.PeerURLs[0]))
	}
	if len(m.Member.ClientURLs) > 0 {
		line += fmt.Sprintf(" --listen-client %s", bare(m.Member.ClientURLs[0]))
	}
	return line
}

func bare(url string) string {
	if _, address, found := strings.Cut(url, "://"); found {
		return address
	}
	return url
}

// awaitVote waits until the member is a voter. One that never catches up is given up
// by the leader.
func (a *app) awaitVote(ctx context.Context, c *client.Client, id uint64, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for {
		list, err := c.MemberList(ctx)
		there := err != nil
		for _, m := range list {
			if m.ID == id && !m.IsLearner {
				return nil
			}
			there = there || m.ID == id
		}
		if !there {
			return fmt.Errorf("member %d is no member any more: it was given up, since it never caught up, or somebody removed it", id)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return &hinted{fmt.Errorf("member %d has no vote yet, and stays a learner until it is caught up", id), "start it if it does not run; `castaway member list` shows how far behind it is"}
		}
	}
}

func (a *app) memberPromoteCommand() *cobra.Command {
	var f memberFlags
	cmd := &cobra.Command{
		Use:     "promote ID",
		Short:   "Give a learner that is caught up a vote",
		Example: `castaway member promote 4`,
		Args:    rangeArgs(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.changeMember(cmd, args[0], "promoted", func(ctx context.Context, c *client.Client, id uint64) (*client.Members, error) {
				return c.MemberPromote(ctx, id, f.member.If)
			})
		},
	}
	f.insist(cmd)
	return cmd
}

func (a *app) memberRemoveCommand() *cobra.Command {
	var f memberFlags
	cmd := &cobra.Command{
		Use:     "rm ID",
		Aliases: []string{"remove"},
		Short:   "Remove a member for good",
		Long: `Remove a member for good: its id never comes back, and its process ends with exit code 77 when it learns of it. The
leader can be removed like anyone else.`,
		Example: `castaway member rm 3`,
		Args:    rangeArgs(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.changeMember(cmd, args[0], "removed", func(ctx context.Context, c *client.Client, id uint64) (*client.Members, error) {
				return c.MemberRemove(ctx, id, f.member.If)
			})
		},
	}
	f.insist(cmd)
	return cmd
}

func (a *app) memberUpdateCommand() *cobra.Command {
	var f memberFlags
	cmd := &cobra.Command{
		Use:   "update ID [PEER-ADDRESS]",
		Short: "Change where a member is found, or its name",
		Long:  `Change where a member is found, or its name. What is not given stays. Restart the member with the new address.`,
		Example: `castaway member update 2 10.0.0.22:2380
castaway member update 2 --client-address 10.0.0.22:2379`,
		Args: rangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				f.member.Peer = args[1]
			}
			return a.changeMember(cmd, args[0], "updated", func(ctx context.Context, c *client.Client, id uint64) (*client.Members, error) {
				return c.MemberUpdate(ctx, id, f.member)
			})
		},
	}
	f.describe(cmd)
	f.insist(cmd)
	return cmd
}

// changeMember carries out a change of one member, and prints who is left.
func (a *app) changeMember(cmd *cobra.Command, text, done string, change func(context.Context, *client.Client, uint64) (*client.Members, error)) error {
	id, err := memberID(cmd, text)
	if err != nil {
		return err
	}
	return a.with(cmd.Context(), func(ctx context.Context, c *client.Client) error {
		list, err := change(ctx, c, id)
		if err != nil {
			return err
		}
		if !a.json() {
			fmt.Fprintf(a.out, "done: member %d is %s\n", id, done)
		}
		return a.printMembers(afterChange(ctx, c, list))
	})
}

func (a *app) memberReplaceCommand() *cobra.Command {
	var f memberFlags
	cmd := &cobra.Command{
		Use:   "replace ID PEER-ADDRESS",
		Short: "Replace a member by a new one: add, wait for its vote, remove",
		Long: `Replace a member by a new one: add the new one, print how to start it, wait until it has its vote, and then remove the
old one. If the new one gets no vote in time, nothing is removed. Use it for a server that has lost its disk.`,
		Example: `castaway member replace 2 10.0.0.4:2380 --client-address 10.0.0.4:2379`,
		Args:    rangeArgs(2, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := memberID(cmd, args[0])
			if err != nil {
				return err
			}
			f.member.Peer = args[1]
			return a.replaceMember(cmd.Context(), id, f)
		},
	}
	f.describe(cmd)
	f.insist(cmd)
	cmd.Flags().DurationVar(&f.wait, "wait-timeout", 10*time.Minute, "how long to wait for the new one's vote")
	return cmd
}

func (a *app) replaceMember(ctx context.Context, old uint64, f memberFlags) error {
	var added uint64
	err := a.with(ctx, func(ctx context.Context, c *client.Client) error {
		m, err := c.MemberAdd(ctx, f.member)
		if err != nil {
			return err
		}
		added = m.Member.ID
		return a.printAdded(m)
	})
	if err != nil {
		return err
	}
	c, err := a.connect(client.RetryPolicy{}, a.endpoints...)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	if err := a.awaitVote(ctx, c, added, f.wait); err != nil {
		return fmt.Errorf("member %d was not removed: %w", old, err)
	}
	list, err := c.MemberRemove(ctx, old, 0)
	if err != nil {
		return err
	}
	if !a.json() {
		fmt.Fprintf(a.out, "done: member %d has taken the place of member %d\n", added, old)
	}
	return a.printMembers(afterChange(ctx, c, list))
}
