package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"castaway/cluster/client"
)

const txnLong = `Carry out a transaction: if all compares hold, all requests on success, otherwise all requests on failure,
in one step and one revision.

Without flags it is read from stdin, as etcdctl's: compares, requests on success, requests on failure, each block ended
by an empty line, so that the first line is empty where there is no compare. Lines that begin with # are comments.

  compare   create, mod, version or value of a key, an operator of = != < >, and a value:
            version("k") = "0" holds if there is no k
  request   put KEY VALUE · get KEY [--prefix] · del KEY [--prefix]

Words with spaces go in "double quotes" (with Go's escapes) or 'single ones'.`

func (a *app) txnCommand() *cobra.Command {
	var t txnText
	var retry bool
	cmd := &cobra.Command{
		Use:   "txn",
		Short: "Compare, then do all of this or all of that",
		Long:  txnLong,
		Example: `# Take a lock, if nobody has it
castaway txn --if 'version("lock") = 0' --then 'put lock me' --else 'get lock'

# The same from stdin
printf 'version("lock") = "0"\n\nput lock me\n\nget lock\n' | castaway txn`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(t.compares)+len(t.then)+len(t.otherwise) == 0 {
				var err error
				if t, err = readTxn(a.in); err != nil {
					return &usageError{command: cmd.CommandPath(), err: err}
				}
			}
			txn, err := t.txn()
			if err != nil {
				return &usageError{command: cmd.CommandPath(), err: err}
			}
			return a.with(cmd.Context(), func(ctx context.Context, c *client.Client) error {
				var opts []client.TxnOption
				if retry {
					opts = append(opts, client.RetryIndeterminate())
				}
				r, err := c.Txn(ctx, txn, opts...)
				if err != nil {
					return err
				}
				return a.printTxn(r)
			})
		},
	}
	// Arrays, not slices: a value may hold commas.
	cmd.Flags().StringArrayVar(&t.compares, "if", nil, "a compare; all must hold (repeatable)")
	cmd.Flags().StringArrayVar(&t.then, "then", nil, "a request if they do (repeatable)")
	cmd.Flags().StringArrayVar(&t.otherwise, "else", nil, "a request if they don't (repeatable)")
	cmd.Flags().BoolVar(&retry, "retry-indeterminate", false, "repeat it, even twice, where the servers cannot recognize a retry")
	return cmd
}

// shownTxn is what txn prints as JSON.
type shownTxn struct {
	Succeeded bool      `json:"succeeded"`
	Revision  int64     `json:"revision"`
	Results   []shownOp `json:"results"`
}

type shownOp struct {
	Request string      `json:"request"`
	Get     *shownRange `json:"get,omitempty"`
	Deleted *int64      `json:"deleted,omitempty"`
}

func (a *app) printTxn(r *client.TxnResult) error {
	s := shownTxn{Succeeded: r.Succeeded, Revision: r.Header.Revision, Results: []shownOp{}}
	for _, op := range r.Results {
		switch {
		case op.Get != nil:
			get := show(op.Get)
			s.Results = append(s.Results, shownOp{Request: "get", Get: &get})
		case op.Delete != nil:
			s.Results = append(s.Results, shownOp{Request: "del", Deleted: &op.Delete.Deleted})
		default:
			s.Results = append(s.Results, shownOp{Request: "put"})
		}
	}
	if a.json() {
		return printJSON(a.out, s)
	}
	var b strings.Builder
	branch := "the compares did not all hold; did the requests on failure"
	if s.Succeeded {
		branch = "the compares held; did the requests on success"
	}
	fmt.Fprintf(&b, "done, at revision %d: %s\n", s.Revision, branch)
	for i, op := range r.Results {
		switch {
		case op.Get != nil:
			fmt.Fprintf(&b, "get: %d found\n", len(op.Get.KVs))
			for _, kv := range op.Get.KVs {
				fmt.Fprintf(&b, "  %s = %s\n", printable([]byte(kv.Key)), printable(kv.Value))
			}
		case op.Delete != nil:
			fmt.Fprintf(&b, "del: %d deleted\n", op.Delete.Deleted)
		default:
			fmt.Fprintf(&b, "%s: done\n", s.Results[i].Request)
		}
	}
	_, err := a.out.Write([]byte(b.String()))
	return err
}
