package main

import (
	"context"
	"fmt"
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
	Role       string   `json:"role"` // learner, promoting or voter
	Leader     bool     `json:"leader,omitempty"`
	Match      *uint64  `json:"match,omitempty"`  // its log is the leader's up to here
	Behind     *uint64  `json:"behind,omitempty"` // so many entries are missing
	State      string   `json:"state,omitempty"`
	Heard      *bool    `json:"heard,omitempty"` // lately, by the leader
}

// shownMembers is what the member commands print; its JSON names are stable.
type shownMembers struct {
	Index   uint64        `json:"configuration_index"`
	Joint   bool          `json:"joint,omitempty"`
	Members []shownMember `json:"members"`
}

const memberLong = `Show and change who the members of the cluster are.

A change is one entry of the log, made to the configuration that was seen and to no other: two operators never
interleave. --if insists on a configuration ("member list" shows its index). Any member's address will do. Nothing
loses availability: a new member gets its vote once it is caught up, and a change that no majority could carry is refused.`

func (a *app) memberCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "member",
		Short: "Show and change the members of the cluster",
		Long:  memberLong,
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(&cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List the members of the cluster",
		Long: `List the members of the cluster, what they are, and how far their logs are.

The roles: a voter decides; a learner only gets the log; one that is promoting becomes a voter by itself, once it is
caught up.`,
		Example: `castaway member list
castaway member list -o json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), func(ctx context.Context, c *client.Client) error {
				list, err := askMembers(ctx, c)
				if err != nil {
					return err
				}
				return a.printMembers(list)
			})
		},
	}, a.memberAddCommand(), a.memberPromoteCommand(), a.memberRemoveCommand(), a.memberReplaceCommand(), a.memberUpdateCommand())
	return cmd
}

// askMembers asks any member, and then the leader, who alone knows the others'
// progress; without it the rest is shown.
func askMembers(ctx context.Context, c *client.Client) (*client.Members, error) {
	list, err := c.Members(ctx)
	if err != nil || list.Last != 0 {
		return list, err
	}
	for _, m := range list.Members {
		if m.ID == list.Leader && len(m.ClientURLs) > 0 {
			if better, err := c.MembersAt(ctx, m.ClientURLs[0]); err == nil {
				return better, nil
			}
		}
	}
	return list, nil
}

// afterChange is what a change has led to. A leader that removed itself can't say it, and
// those that are left can.
func afterChange(ctx context.Context, c *client.Client, told *client.Members) *client.Members {
	if told.Last != 0 {
		return told
	}
	if list, err := askMembers(ctx, c); err == nil {
		return list
	}
	return told
}

func (a *app) printMembers(m *client.Members) error {
	shown := shownMembers{Index: m.Index, Joint: m.Joint, Members: make([]shownMember, 0, len(m.Members))}
	rows := make([][]string, 0, len(m.Members))
	for _, one := range m.Members {
		s := showMember(one, m)
		shown.Members = append(shown.Members, s)
		rows = append(rows, s.row())
	}
	if a.json() {
		return printJSON(a.out, shown)
	}
	if err := printTable(a.out, []string{"ID", "NAME", "ROLE", "PEER", "CLIENTS", "BEHIND", "STATE"}, rows); err != nil {
		return err
	}
	if m.Index == 0 && m.Last == 0 {
		return nil // nobody knew, and 0 is the founders' configuration
	}
	note := ""
	if m.Joint {
		note = "; a change of voters is under way"
	}
	_, err := fmt.Fprintf(a.out, "configuration %d%s\n", m.Index, note)
	return err
}

func showMember(m client.Member, of *client.Members) shownMember {
	s := shownMember{ID: m.ID, Name: m.Name, PeerURLs: m.PeerURLs, ClientURLs: m.ClientURLs, Learner: m.IsLearner,
		Role: "voter", Leader: of.Leader != 0 && m.ID == of.Leader}
	switch {
	case m.Promoting:
		s.Role = "promoting"
	case m.IsLearner:
		s.Role = "learner"
	}
	if p := m.Progress; p != nil {
		behind := of.Last - min(p.Match, of.Last)
		s.Match, s.Behind, s.State, s.Heard = &p.Match, &behind, p.State, &p.Active
		if !p.Active {
			s.State += " (silent)"
		}
	}
	return s
}

func (s *shownMember) row() []string {
	behind := ""
	if s.Behind != nil {
		behind = strconv.FormatUint(*s.Behind, 10)
	}
	return []string{strconv.FormatUint(s.ID, 10), s.Name, s.Role, strings.Join(s.PeerURLs, ","), strings.Join(s.ClientURLs, ","), behind, s.State}
}

// memberID reads an id from the command line.
func memberID(cmd *cobra.Command, text string) (uint64, error) {
	id, err := strconv.ParseUint(text, 10, 64)
	if err != nil || id == 0 {
		return 0, usagef(cmd.CommandPath(), "%q is no member's id; `castaway member list` shows them", text)
	}
	return id, nil
}
