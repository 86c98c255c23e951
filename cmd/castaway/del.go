package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"castaway/cluster/client"
)

// deleted is what del prints as JSON.
type deleted struct {
	keyName
	Deleted  int64 `json:"deleted"`
	Revision int64 `json:"revision"`
}

func (a *app) delCommand() *cobra.Command {
	var prefix, retry bool
	cmd := &cobra.Command{
		Use:   "del KEY",
		Short: "Delete a key, or all that begin with it",
		Long:  `Delete a key, or all that begin with it. That there is none is no failure.`,
		Example: `castaway del greeting
castaway del --prefix config/`,
		Args: rangeArgs(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd.Context(), func(ctx context.Context, c *client.Client) error {
				var opts []client.DeleteOption
				if prefix {
					opts = append(opts, client.Prefix())
				}
				if retry {
					opts = append(opts, client.RetryIndeterminate())
				}
				r, err := c.Delete(ctx, args[0], opts...)
				if err != nil {
					return err
				}
				if a.json() {
					return printJSON(a.out, deleted{keyName: nameOf(args[0]), Deleted: r.Deleted, Revision: r.Header.Revision})
				}
				_, err = fmt.Fprintf(a.out, "done: %d deleted, at revision %d\n", r.Deleted, r.Header.Revision)
				return err
			})
		},
	}
	cmd.Flags().BoolVar(&prefix, "prefix", false, "delete all keys that begin with KEY")
	cmd.Flags().BoolVar(&retry, "retry-indeterminate", false, "repeat it, even twice, where the servers cannot recognize a retry")
	return cmd
}
