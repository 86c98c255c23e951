package main

import (
	"context"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"castaway/cluster/client"
)

// shownMember is a row of member list; its JSON names are stable.
type shownMember struct {
	ID         uint64   `json:"id"`
	Name       string   `json:"name"`
	PeerURLs   []string `json:"peer_urls"`
	ClientURLs []string `json:"client_urls"`
	Learner    bool     `json:"learner"`
}

func (a *app) memberCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "member",
		Short: "Show the members of the cluster",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(&cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List the members of the cluster",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), a.listMembers)
		},
	})
	return cmd
}

func (a *app) listMembers(ctx context.Context, c *client.Client) error {
	members, err := c.MemberList(ctx)
	if err != nil {
		return err
	}
	list := make([]shownMember, 0, len(members))
	rows := make([][]string, 0, len(members))
	for _, m := range members {
		list = append(list, shownMember{ID: m.ID, Name: m.Name, PeerURLs: m.PeerURLs, ClientURLs: m.ClientURLs, Learner: m.IsLearner})
		kind := "voter"
		if m.IsLearner {
			kind = "learner"
		}
		rows = append(rows, []string{strconv.FormatUint(m.ID, 10), m.Name, kind, strings.Join(m.PeerURLs, ","), strings.Join(m.ClientURLs, ",")})
	}
	if a.json() {
		return printJSON(a.out, list)
	}
	return printTable(a.out, []string{"ID", "NAME", "KIND", "PEERS", "CLIENTS"}, rows)
}
