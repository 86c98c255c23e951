package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"castaway/cluster/client"
)

// endpointStatus is a row of status; its JSON names are stable.
type endpointStatus struct {
	Endpoint string   `json:"endpoint"`
	ID       uint64   `json:"id"`
	Leads    bool     `json:"leads"`
	Leader   uint64   `json:"leader"`
	Term     uint64   `json:"term"`
	Commit   uint64   `json:"commit"`
	Applied  uint64   `json:"applied"`
	Revision int64    `json:"revision"`
	DBSize   int64    `json:"db_size"`
	Version  string   `json:"etcd_api_version"`
	Errors   []string `json:"errors,omitempty"`

	failure error
}

func (a *app) statusCommand() *cobra.Command {
	var whole bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Ask every endpoint how it is",
		Long: `Ask every endpoint how it is, at the same time. One that does not answer, or says that something is wrong, makes the
exit code 1.`,
		Example: `castaway status
castaway status --cluster -o json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), func(ctx context.Context, c *client.Client) error {
				endpoints := a.endpoints
				if whole {
					var err error
					if endpoints, err = memberEndpoints(ctx, c); err != nil {
						return err
					}
				}
				return a.printStatus(askAll(ctx, c, endpoints))
			})
		},
	}
	cmd.Flags().BoolVar(&whole, "cluster", false, "ask all members that the endpoints know of")
	return cmd
}

// memberEndpoints are the client addresses of all members.
func memberEndpoints(ctx context.Context, c *client.Client) ([]string, error) {
	members, err := c.MemberList(ctx)
	if err != nil {
		return nil, err
	}
	var endpoints []string
	for _, m := range members {
		if len(m.ClientURLs) == 0 {
			return nil, &hinted{fmt.Errorf("member %d has not said where clients reach it", m.ID), "give its client address in --peers when starting the nodes, or name all --endpoints"}
		}
		endpoints = append(endpoints, m.ClientURLs[0])
	}
	return endpoints, nil
}

func askAll(ctx context.Context, c *client.Client, endpoints []string) []endpointStatus {
	rows := make([]endpointStatus, len(endpoints))
	var wg sync.WaitGroup
	for i, endpoint := range endpoints {
		wg.Go(func() {
			rows[i] = endpointStatus{Endpoint: endpoint}
			s, err := c.Status(ctx, endpoint)
			if err != nil {
				rows[i].failure, rows[i].Errors = err, []string{err.Error()}
				return
			}
			rows[i] = endpointStatus{
				Endpoint: endpoint, ID: s.Header.MemberID, Leads: s.Leader != 0 && s.Leader == s.Header.MemberID, Leader: s.Leader,
				Term: s.RaftTerm, Commit: s.RaftIndex, Applied: s.AppliedIndex, Revision: s.Header.Revision,
				DBSize: s.DBSize, Version: s.Version, Errors: s.Errors,
			}
		})
	}
	wg.Wait()
	return rows
}

func (a *app) printStatus(list []endpointStatus) error {
	var bad []string
	var failure error
	rows := make([][]string, 0, len(list))
	for _, s := range list {
		if len(s.Errors) > 0 {
			bad = append(bad, s.Endpoint)
			failure = errors.Join(failure, s.failure)
		}
		rows = append(rows, s.row())
	}
	var err error
	if a.json() {
		err = printJSON(a.out, list)
	} else {
		err = printTable(a.out, []string{"ENDPOINT", "ID", "ROLE", "TERM", "COMMIT", "APPLIED", "REVISION", "SIZE", "ERRORS"}, rows)
	}
	if err == nil && len(bad) > 0 {
		return &hinted{fmt.Errorf("%d of %d endpoints are not well: %s", len(bad), len(list), strings.Join(bad, ", ")), "see the ERRORS above, and that server's log and http://…/status"}
	}
	return err
}

func (s endpointStatus) row() []string {
	if s.failure != nil {
		return []string{s.Endpoint, "", "no answer", "", "", "", "", "", shortReason(s.failure)}
	}
	role := "follower"
	switch {
	case s.Leads:
		role = "leader"
	case s.Leader == 0:
		role = "no leader"
	}
	number := func(n uint64) string { return strconv.FormatUint(n, 10) }
	return []string{
		s.Endpoint, number(s.ID), role, number(s.Term), number(s.Commit), number(s.Applied),
		strconv.FormatInt(s.Revision, 10), sizeText(s.DBSize), strings.Join(s.Errors, "; "),
	}
}

func shortReason(err error) string {
	var failed *client.Error
	if errors.As(err, &failed) {
		return failed.Code.String()
	}
	return err.Error()
}

func sizeText(n int64) string {
	const kib = 1 << 10
	switch {
	case n >= kib*kib:
		return fmt.Sprintf("%.1f MiB", float64(n)/(kib*kib))
	case n >= kib:
		return fmt.Sprintf("%.1f KiB", float64(n)/kib)
	default:
		return fmt.Sprintf("%d B", n)
	}
}
