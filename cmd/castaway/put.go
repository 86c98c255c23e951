package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"castaway/cluster/client"
)

// written is what put prints as JSON.
type written struct {
	keyName
	Revision int64 `json:"revision"`
}

func (a *app) putCommand() *cobra.Command {
	var retry bool
	cmd := &cobra.Command{
		Use:   "put KEY [VALUE]",
		Short: "Write a key",
		Long: `Write a key. Without VALUE, the value is what comes in on stdin.

It is tried again while time is left, and done once however often it is tried: the cluster recognizes a retry. Only if time
ends before the outcome is known does it end with exit code 3. --retry-indeterminate is for servers without sessions, such
as etcd's: there it allows to do it twice.`,
		Example: `castaway put greeting ahoy
castaway put config/app < app.json`,
		Args: rangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			value, err := a.value(args)
			if err != nil {
				return err
			}
			return a.with(cmd.Context(), func(ctx context.Context, c *client.Client) error {
				var opts []client.PutOption
				if retry {
					opts = append(opts, client.RetryIndeterminate())
				}
				r, err := c.Put(ctx, args[0], value, opts...)
				if err != nil {
					return err
				}
				if a.json() {
					return printJSON(a.out, written{keyName: nameOf(args[0]), Revision: r.Header.Revision})
				}
				_, err = fmt.Fprintf(a.out, "done, at revision %d\n", r.Header.Revision)
				return err
			})
		},
	}
	cmd.Flags().BoolVar(&retry, "retry-indeterminate", false, "repeat it, even twice, where the servers cannot recognize a retry")
	return cmd
}

// maxValue bounds what is read from stdin; servers have a lower limit of their own.
const maxValue = 64 << 20

func (a *app) value(args []string) ([]byte, error) {
	if len(args) > 1 {
		return []byte(args[1]), nil
	}
	value, err := io.ReadAll(io.LimitReader(a.in, maxValue+1))
	if err != nil {
		return nil, fmt.Errorf("the value could not be read from stdin: %w", err)
	}
	if len(value) > maxValue {
		return nil, fmt.Errorf("the value on stdin is longer than %d bytes; nothing was written", maxValue)
	}
	return value, nil
}
